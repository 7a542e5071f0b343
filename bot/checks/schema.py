"""Schema: are the columns still there, and still of their type?"""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.profiles import CategoryProfile, ColumnProfile
from bot.core.readings import Reading
from bot.core.words import quoted

NEARLY_ALL = 0.9
"""Texts read like numbers when so many of them do; a stand-in for nothing among them changes nothing about it."""


@check("schema", family=Family.DATA_QUALITY, unit="changed", threshold=Threshold(critical=1.0), ever=True)
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
            detail = f"was {kind}, is {_kind(now, current.columns.get(name))}"
            yield Measurement(name, 1.0, current.rows, reference=0.0, detail=detail)
        elif not current.rows:
            yield NotMeasured(name, "no rows in the window")
        else:
            yield Measurement(name, 0.0, current.rows, reference=0.0)
    for name in sorted(current.kinds.keys() - reference.kinds.keys()):
        yield NotMeasured(name, "the column is new: the reference has none to compare it with", current.rows)


def _kind(kind: str, column: ColumnProfile | None) -> str:
    """Return the kind in words; of texts that read like numbers it is said, because then a writer has put them in quotes."""
    if not isinstance(column, CategoryProfile) or not column.counts:
        return kind
    numeric = {level: rows for level, rows in column.counts.items() if _reads_like_a_number(level)}
    if sum(numeric.values()) < NEARLY_ALL * sum(column.counts.values()):
        return kind
    example = max(sorted(numeric), key=lambda level: numeric[level])
    return f"{kind}: texts that read like numbers, e.g. {quoted(example)}"


def _reads_like_a_number(text: str) -> bool:
    try:
        float(text.replace(",", ".", 1))
    except ValueError:
        return False
    return True
