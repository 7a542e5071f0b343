"""Same hours: with a season, a window is held against the reference's same hours of the week (or day), not against all of it.

The hours are read where they came in the reference, at the cut points of the whole, and added up: so one reading of the window can
be held against both. What a check asks of the reference as a whole ("has this ever been seen?") it still asks of the whole.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.core.actions import canonical
from bot.core.checks import Check, Measured, NotMeasured
from bot.core.errors import AiopsError
from bot.core.merging import gathered
from bot.core.metrics import Series
from bot.core.models import Model, Watch
from bot.core.readings import Reading
from bot.core.seasons import HOUR, HOURS, Slot
from bot.core.windows import Window
from bot.flow.desk import Desk

LEAST_ROWS = 200
"""Of fewer rows nobody can say what is usual at these hours. What compares is then unknown: other hours would cry wolf."""


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """What a window is held against: the `whole` reference and its `hours`; `words` say which, `trouble` why they tell little."""

    whole: Reading
    hours: Reading
    words: str = ""
    trouble: str = ""

    def asked_by(self, check: Check) -> Reading:
        """Return what this check compares with."""
        return self.whole if check.ever else self.hours

    def measured(self, metrics: Mapping[str, Series]) -> "Usual":
        """Return it with what a metrics server says is usual, at whatever hour."""
        return replace(self, whole=replace(self.whole, resources=metrics), hours=replace(self.hours, resources=metrics))

    def told(self, check: Check, results: Sequence[Measured]) -> list[Measured]:
        """Return the results, with the trouble where it may be why there is no number."""
        if not self.trouble or check.ever:
            return list(results)
        return [replace(r, reason=f"{self.trouble}; {r.reason}") if isinstance(r, NotMeasured) else r for r in results]


def same_hours(desk: Desk, model: Model, whole: Reading, slot: Slot | None, *, mark: str, keep: bool = False) -> Usual:
    """Return what a window in this slot is held against; of no slot the whole reference, whose fingerprint `mark` is.

    They are read once and remembered, and stored where they are to be kept. While they cannot be read, what compares is unknown.
    """
    if slot is None:
        return Usual(whole, whole)
    parts = slot.within(model.reference)
    key = model.key, _fingerprint(mark, slot)
    hours = desk.recall(key)
    if hours is None:
        try:
            hours = gathered(whole, read(desk, model, whole, parts))
        except AiopsError as reason:
            return Usual(whole, gathered(whole, []), trouble=str(reason))
        if keep:
            with desk.store.write() as unit:
                unit.save_reference(*key, hours)
        desk.memory.keep(key, hours)
    return enough(whole, hours, slot, len(parts))


def read(desk: Desk, model: Model, whole: Reading, parts: Sequence[Window]) -> list[Reading]:
    """Read some stretches of the reference at its own cut points."""
    log = desk.sources[model.reference_source or model.source]
    return [log.reading(model, part, whole.distributions) for part in parts]


def enough(whole: Reading, hours: Reading, slot: Slot, times: int) -> Usual:
    """Return the hours as what a window is held against; of too few rows only their number is left, and how long they were."""
    words = f"held against {slot.words}, {times} {'time' if times == 1 else 'times'} in the reference"
    if hours.rows >= LEAST_ROWS:
        return Usual(whole, hours, words)
    bare = replace(gathered(whole, []), rows=hours.rows, window=hours.window)
    return Usual(whole, bare, words, f"not enough reference rows for {slot.words}: {hours.rows:,} of {LEAST_ROWS:,}")


def fingerprints(mark: str, watch: Watch) -> Iterator[str]:
    """Yield what the hours may be stored under, of which a window of this watch, or the rest of one, is held against."""
    if watch.season is None:
        return
    round_ = HOURS[watch.season.name]
    longest = min(math.ceil(watch.window / HOUR) + 1, round_ - 1)
    yield from (_fingerprint(mark, Slot(watch.season, first, n)) for n in range(1, longest + 1) for first in range(round_))


def _fingerprint(mark: str, slot: Slot) -> str:
    content = {"reference": mark, "season": [slot.season.name, slot.season.zone], "hours": [slot.first, slot.hours]}
    return hashlib.sha256(canonical(content).encode()).hexdigest()[:16]
