"""The promise, simulated: "at most one false incident a month" holds on streams where nothing is wrong, and a shift is still found.

Streams have bad days: every day moves all hours of a feature together. Each model learns its lines from its own sixty quiet days by
the very code that the bot uses; then ten months of its future, looked at every six hours, are counted.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pytest

from bot.core.checks import Check, Family, Measurement, Threshold
from bot.core.lines import FalseAlarms
from bot.core.models import Feature, Persistence, Watch
from bot.core.profiles import NumericProfile
from bot.core.readings import Reading
from bot.core.windows import Window
from bot.flow.calibrate import calibrate
from bot.flow.detect import NONE
from tests.fakes.world import MORNING
from tests.unit.flow.room import DAY, DELAYS

pytestmark = pytest.mark.no_cover  # numbers by the million; which branches there are is shown elsewhere
HOUR = timedelta(hours=1)
NAMES = ("a", "b", "c", "d")
MODELS, MONTHS, LEARNED = 20, 10, 60
LOOKS_A_DAY = 4
NOTHING = np.empty(0)


def stream(seed, days):
    """Return hourly means a feature, shape (hours, features): a day effect, and little beside it."""
    rng = np.random.default_rng(seed)
    return np.repeat(rng.normal(size=(days, len(NAMES))), 24, axis=0) + 0.3 * rng.normal(size=(24 * days, len(NAMES)))


def moved(reference, current):
    """How far the mean of a feature has moved."""
    for name, then in reference.columns.items():
        yield Measurement(name, abs(current.columns[name].mean - then.mean), current.rows, reference=0.0)


MOVED = Check("moved", Family.DATA_QUALITY, "", moved, Threshold(critical=0.0))


@dataclass
class Hours:
    """A log of one row an hour."""

    values: np.ndarray
    name: str = "hours"

    def reading(self, model, window, like=None, *, as_of=None, whole_rows=True):
        first, last = ((edge - model.reference.start) / HOUR for edge in (window.start, window.end))
        rows = self.values[round(first) : round(last)]
        columns = {name: profile(rows[:, place]) for place, name in enumerate(NAMES)}
        return Reading(window, len(rows), columns)


def profile(values):
    """Return a profile of which only rows and mean matter here."""
    ints = np.empty(0, np.int64)
    low, high, mean, squares = values.min(), values.max(), values.mean(), float(values.var() * len(values))
    bins = np.array([len(values)])
    return NumericProfile(len(values), 0, 0, 0, NOTHING, ints, ints, NOTHING, NOTHING, bins, low, high, float(mean), squares)


def lines_of(room, seed, watch, rate=1.0):
    """Return the mean of each feature in the reference, and its measured line."""
    values = stream(seed, LEARNED)
    reference = Window(MORNING, MORNING + LEARNED * DAY)
    model = replace(
        DELAYS,
        reference=reference,
        features=tuple(Feature(name, "numeric") for name in NAMES),
        watches=(watch,),
        false_alarms=FalseAlarms(rate),
    )
    log = Hours(values)
    room.lays(sources={"log": log}, checks={"moved": MOVED})
    found = calibrate(room.desk, model, watch, log.reading(model, reference)).of("moved")
    return values.mean(axis=0), np.array([found[name].value for name in NAMES])


def beyond(values, means, lines, window_h):
    """Return which looks cross any line, shape (looks,)."""
    sums = np.vstack([np.zeros(len(NAMES)), np.cumsum(values, axis=0)])
    ends = np.arange(window_h, len(values) + 1, 24 // LOOKS_A_DAY)
    return (np.abs((sums[ends] - sums[ends - window_h]) / window_h - means) >= lines).any(axis=1)


def opened(bad, persist):
    """Return how many incidents open: `k` of `n` bad looks, and closed again after `n` healthy ones."""
    count, still, k, n = 0, True, *persist
    for place in range(len(bad)):
        recent = bad[max(0, place - n + 1) : place + 1]
        if still and recent[-1] and recent.sum() >= k:
            count, still = count + 1, False
        elif not recent.any():
            still = True
    return count


@pytest.mark.parametrize(("window_h", "persist"), [(24, (1, 1)), (24, (2, 3)), (72, (2, 2))], ids=str)
def test_false_incidents_are_no_more_than_promised(room, window_h, persist):
    watch = Watch("w", "0 */6 * * *", window_h * HOUR, ("moved",), persistence=Persistence(*persist), step=6 * HOUR)
    false = sum(
        opened(beyond(stream(1_000 + seed, 30 * MONTHS), *lines_of(room, seed, watch), window_h), persist) for seed in range(MODELS)
    )

    assert false / (MODELS * MONTHS) <= 1.0


def test_a_rarer_promise_is_a_higher_line(room):
    watch = Watch("w", "0 */6 * * *", DAY, ("moved",), persistence=Persistence(1, 1), step=6 * HOUR)
    lines = [lines_of(room, 7, watch, rate)[1] for rate in (3.0, 1.0, 0.2)]

    assert (lines[0] < lines[1]).all()
    assert (lines[1] < lines[2]).all()


def test_a_shift_is_still_found_within_two_days(room):
    watch = Watch("w", "0 */6 * * *", DAY, ("moved",), persistence=Persistence(2, 3), step=6 * HOUR)
    for seed in range(MODELS):
        shifted = stream(1_000 + seed, 3) + np.array([6.0, 0, 0, 0])

        assert opened(beyond(shifted, *lines_of(room, seed, watch), 24), (2, 3)) == 1


def test_without_a_wish_nothing_is_measured():
    assert NONE.of("moved") == {}
