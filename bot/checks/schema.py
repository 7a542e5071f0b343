"""Schema: are the columns still there, and still of their type?"""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.readings import Reading


@check("schema", family=Family.DATA_QUALITY, unit="changed", threshold=Threshold(critical=1.0))
def schema(reference: Reading, current: Reading) -> Iterator[Measured]:
    """1 for a column that is lost or has another type than in the reference, 0 for one that is as it was."""
    if not reference.kinds:
        yield NotMeasured("model", "the reference names no columns")
        return
    for name, kind in reference.kinds.items():
        now = current.kinds.get(name)
        if now is None:
            yield Measurement(name, 1.0, current.rows, reference=0.0, detail="the column is gone")
        elif now != kind:
            yield Measurement(name, 1.0, current.rows, reference=0.0, detail=f"was {kind}, is {now}")
        elif not current.rows:
            yield NotMeasured(name, "no rows in the window")
        else:
            yield Measurement(name, 0.0, current.rows, reference=0.0)
    for name in sorted(current.kinds.keys() - reference.kinds.keys()):
        yield NotMeasured(name, "the column is new: the reference has none to compare it with", current.rows)
