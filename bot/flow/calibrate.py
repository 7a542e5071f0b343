"""Calibrate: lines from the reference's own windows, made once and kept with the reference's fingerprint.

The reference is read as parts (days, or whole windows where they are shorter than a day). Windows that might have been are made of
them, and the very same checks measure each against the reference without its parts. What the checks say then is chance alone. With
a season each window is held against the same hours of the other weeks (or days), and one line judges all hours. A
line from a target false-alarm rate is never under the fixed one: a small effect is nobody's trouble, however sure it is.
"""

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from statistics import fmean, stdev

import numpy as np

from bot.core.actions import canonical
from bot.core.checks import Check, Measurement, Threshold
from bot.core.errors import AiopsError
from bot.core.lines import Learn, Line, Lines
from bot.core.merging import gathered, merged
from bot.core.models import Model, Watch
from bot.core.profiles import Floats, Profiles
from bot.core.readings import Reading
from bot.core.seasons import HOUR, HOURS, Season, Slot
from bot.core.windows import Window
from bot.flow.desk import Desk
from bot.flow.same_hours import Usual, enough, read
from bot.flow.triage import weighs
from bot.flow.tune import tuned

DAY = timedelta(days=1)
DRAWS = 200
MOST_PARTS, LEAST_PARTS = 240, 20
LEAST_STEP = 0.001
OF_NOW = ("freshness", "schema")
"""What is true of the log's newest end only: windows made of parts say nothing about it."""

Key = tuple[str, str]
Draw = tuple[Reading, Usual]
"""A window that might have been, and what it is held against: the reference without it."""


@dataclass(frozen=True, slots=True)
class Chance:
    """What chance alone does: keys (check, subject), their thresholds, and how bad each draw was, shape (draws, keys)."""

    keys: Sequence[Key]
    lines: Sequence[Threshold]
    badness: Floats


def lines_for(desk: Desk, model: Model, watch: Watch, reference: Reading, *, keep: bool = True) -> Lines:
    """Return the watch's measured lines: those that are kept, or made now; none where the model asks for none."""
    if not (model.false_alarms or model.learned):
        return Lines()
    mark = fingerprint(model, watch, reference)
    known = stored_lines(desk, model, watch, mark)
    if known is not None:
        return known
    try:
        fresh = calibrate(desk, model, watch, reference)
    except AiopsError as reason:  # the fixed lines judge until the reference can be read again
        return Lines(trouble=str(reason))
    if keep:
        with desk.store.write() as unit:
            unit.save_lines(model.key, watch.name, mark, fresh)
    return fresh


def stored_lines(desk: Desk, model: Model, watch: Watch, mark: str) -> Lines | None:
    """Return the lines that were kept under this mark: remembered, else from the database; None where none were."""
    remembered = desk.memory.lines(model.key, watch.name, mark)
    if remembered is not None:
        return remembered
    with desk.store.read() as unit:
        stored = unit.lines(model.key, watch.name, mark)
    return stored and desk.memory.keep_lines(model.key, watch.name, mark, stored)


def fingerprint(model: Model, watch: Watch, reference: Reading) -> str:
    """Return what measured lines depend on: the reference itself, and everything in the configuration that judges with them."""
    content = {
        "reference": [str(reference.window), reference.rows, model.reference_source or model.source],
        "watch": [watch.window, watch.step, watch.checks, watch.persistence.k, watch.persistence.n, len(model.watches)],
        **({"season": [watch.season.name, watch.season.zone]} if watch.season is not None else {}),
        "asked": [model.false_alarms, sorted(model.learned.items()), sorted(model.thresholds.items())],
        "features": [[f.name, f.kind, f.importance] for f in model.features],
        "primary": model.primary,
    }
    return hashlib.sha256(canonical({name: repr(part) for name, part in content.items()}).encode()).hexdigest()[:16]


def calibrate(desk: Desk, model: Model, watch: Watch, reference: Reading) -> Lines:
    """Make the lines of one watch; why there are none, where there are none.

    Raises:
        SourceUnavailable: the reference cannot be read again, part by part.
    """
    draws = drawn(desk, model, watch, reference) if watch.season is None else drawn_in(desk, model, watch, watch.season, reference)
    chance = by_chance(desk, model, watch, draws)
    if len(chance.badness) < LEAST_PARTS:
        return Lines(trouble=f"a reference of {model.reference.length / DAY:.3g} days is too short to learn from for this window")
    found = [*_rated(desk, model, watch, chance), *_learned(model, chance)] if chance.keys else []
    return Lines(tuple(found), len(chance.badness), allowed(desk, model, watch, len(chance.keys)))


def drawn(desk: Desk, model: Model, watch: Watch, reference: Reading) -> Iterator[Draw]:
    """Yield windows that might have been, each with the reference without it; none where the reference is too short."""
    spans, take = parts_of(model.reference, watch.window)
    if len(spans) < max(LEAST_PARTS, 2 * take):
        return
    parts = read(desk, model, reference, spans)
    for places in desk.resampling.drawn(len(parts), take, DRAWS):
        rest = left_out(desk, reference, [parts[i] for i in dict.fromkeys(places)])
        yield merged([parts[i] for i in places], reference.window.end), Usual(rest, rest)


def drawn_in(desk: Desk, model: Model, watch: Watch, season: Season, reference: Reading) -> Iterator[Draw]:
    """Yield windows of the reference, some hours of the season after the other, each with the same hours without it."""
    for slot in slots_of(season, watch.window, model.reference):
        spans = slot.within(model.reference)
        if len(spans) < 2:  # nothing would be left to hold it against
            continue
        parts = read(desk, model, reference, spans)
        windows = [Window(span.start, span.start + watch.window) for span in spans]
        drawn_ones = parts if windows == spans else read(desk, model, reference, windows)
        for place, window in enumerate(drawn_ones):
            others = [part for i, part in enumerate(parts) if i != place]
            rest = enough(left_out(desk, reference, [window]), gathered(reference, others), slot, len(others))
            yield merged([window], reference.window.end), rest


def slots_of(season: Season, window: timedelta, reference: Window) -> list[Slot]:
    """Return slots spread over the season, so many that their windows together are not more than may be read."""
    hours, times = math.ceil(window / HOUR), max(1, reference.length // season.length)
    many = max(1, min(HOURS[season.name], MOST_PARTS // times))
    return [Slot(season, place * HOURS[season.name] // many, hours) for place in range(many)] if hours < HOURS[season.name] else []


def parts_of(reference: Window, window: timedelta) -> tuple[list[Window], int]:
    """Return the parts to read, and how many of them make a window: days, or whole windows where those are no longer than a day."""
    if window > DAY:
        days = reference.length // DAY
        return [Window(reference.start + i * DAY, reference.start + (i + 1) * DAY) for i in range(days)], round(window / DAY)
    room = reference.length - window
    count = min(MOST_PARTS, int(4 * (reference.length / window))) if room > timedelta(0) else 0
    starts = (reference.start + i / max(1, count - 1) * room for i in range(count))
    return [Window(start, start + window) for start in starts], 1


def by_chance(desk: Desk, model: Model, watch: Watch, draws: Iterable[Draw]) -> Chance:
    """Measure every draw with the watch's checks against the reference without it."""
    checks = [tuned(desk.checks[name], model.thresholds) for name in watch.checks if name not in OF_NOW]
    told = [dict(_badness(model, checks, window, rest)) for window, rest in draws]
    keys = sorted({key for row in told for key in row})
    lines = [next(c for c in checks if c.name == check).judged_by(subject) for check, subject in keys]
    return Chance(keys, lines, np.array([[row.get(key, math.nan) for key in keys] for row in told], dtype=np.float64))


def _badness(model: Model, checks: Sequence[Check], window: Reading, rest: Usual) -> Iterator[tuple[Key, float]]:
    """Yield how far toward its bad side each subject that may wake people stood."""
    for check in checks:
        for result in check.measure(rest.asked_by(check), window):
            line = check.judged_by(result.subject)
            asked = line.critical is not None or _learn(model, check.name, result.subject)
            if (
                isinstance(result, Measurement)
                and asked
                and result.n >= line.least_rows
                and weighs(model, check.family, result.subject)
            ):
                yield (check.name, result.subject), (1 if line.above else -1) * line.held(result)


def left_out(desk: Desk, reference: Reading, parts: Sequence[Reading]) -> Reading:
    """Return the reference without these parts; its outcomes stay, they only stand beside what is measured."""
    gone = merged(parts, reference.window.end)
    kept = reference.window.length - gone.window.length
    return replace(
        reference,
        window=Window.ending(reference.window.end, kept),
        rows=max(0, reference.rows - gone.rows),
        columns=_without(desk, reference.columns, gone.columns),
        targets=_without(desk, reference.targets, gone.targets),
    )


def _without(desk: Desk, whole: Profiles, gone: Profiles) -> Profiles:
    return {name: desk.resampling.without(column, gone[name]) if name in gone else column for name, column in whole.items()}


def allowed(desk: Desk, model: Model, watch: Watch, measures: int) -> float | None:
    """Return the chance with which one look may be wrong, so that the whole model keeps its rate; None where none is asked for."""
    if model.false_alarms is None:
        return None
    share = model.false_alarms.at_most / len(model.watches)
    windows, step = model.false_alarms.per / watch.window, max(LEAST_STEP, watch.step / watch.window)
    return desk.resampling.chance_a_look(share, windows, step, (watch.persistence.k, watch.persistence.n), max(1, measures))


def _rated(desk: Desk, model: Model, watch: Watch, chance: Chance) -> Iterator[Line]:
    """Yield a line a measure from the target rate, corrected over all of them together."""
    a_look = allowed(desk, model, watch, len(chance.keys))
    if a_look is None or model.false_alarms is None:
        return
    tall = desk.resampling.heights(chance.badness, a_look, model.reference.length / watch.window)
    for (check, subject), line, height in zip(chance.keys, chance.lines, tall, strict=True):
        if math.isfinite(height) and not _learn(model, check, subject):
            yield Line(check, subject, float(height if line.above else -height), model.false_alarms.words)


def _learned(model: Model, chance: Chance) -> Iterator[Line]:
    """Yield a line for each measure that is to have its own, from its own draws alone."""
    for place, ((check, subject), line) in enumerate(zip(chance.keys, chance.lines, strict=True)):
        learn = _learn(model, check, subject)
        seen = [float(value) for value in chance.badness[:, place] if math.isfinite(value)]
        if learn and len(seen) >= LEAST_PARTS:
            height = own_line(learn, seen)
            yield Line(check, subject, height if line.above else -height, learn.words, sole=learn.sole)


def own_line(learn: Learn, seen: Sequence[float]) -> float:
    """Return the line that a measure's own draws ask for."""
    if learn.source == "deviations":
        return fmean(seen) + learn.k * stdev(seen)
    return sorted(seen)[min(len(seen) - 1, math.ceil(learn.upper * len(seen)) - 1)]


def _learn(model: Model, check: str, subject: str) -> Learn | None:
    return model.learned.get(f"{check}.{subject}", model.learned.get(check))
