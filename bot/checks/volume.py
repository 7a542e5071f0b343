"""Volume: do as many predictions come in as in the reference?"""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.readings import Reading
from bot.stats.rates import poisson

LEAST_EXPECTED = 20
"""From here on an empty window is surely below 0.2 times the usual rate: its interval ends at 3.7 rows."""


@check("volume", family=Family.DATA_QUALITY, unit="times the reference's rate", threshold=Threshold(0.5, 0.2, above=False))
def volume(reference: Reading, current: Reading) -> Iterator[Measured]:
    """Predictions an hour as a multiple of the reference's: 1 is as usual, 0 a silent model."""
    expected = reference.rows * (current.window.length / reference.window.length)
    if expected < LEAST_EXPECTED:
        words = f"only {expected:,.1f} predictions are usual in such a window: even silence would prove nothing"
        yield NotMeasured("model", words, current.rows)
        return
    low, high = (edge / expected for edge in poisson(current.rows))
    words = f"{current.rows:,} predictions, {expected:,.0f} are usual in such a window"
    yield Measurement("model", current.rows / expected, current.rows, reference=1.0, interval=(low, high), detail=words)
