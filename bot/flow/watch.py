"""Watch: which models are looked at now, and at which window."""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from bot.core.actions import canonical
from bot.core.errors import AiopsError, StoreUnavailable
from bot.core.findings import Finding
from bot.core.lines import Lines
from bot.core.models import Look, Model, Watch
from bot.core.readings import BINARY, Reading
from bot.core.runs import Run
from bot.core.windows import Window
from bot.flow.calibrate import lines_for
from bot.flow.desk import Desk
from bot.flow.detect import blind, detect, readable
from bot.flow.meter import metered
from bot.flow.same_hours import Usual, same_hours
from bot.flow.triage import quiet, triage

log = logging.getLogger("bot.watch")

TOGETHER, PATIENCE = 20, timedelta(seconds=5)
"""So many looks are written down together at most, and none of them waits longer for the others."""

A_SHARD, MOST_SHARDS = 100, 256
"""How many models one workflow looks at, about; and how many workflows there are at most for one slot."""


def watched(desk: Desk, cadence: str, shard: int = 0, shards: int = 1) -> Iterator[tuple[Model, Watch]]:
    """Return who is looked at in this cadence and shard; a model stays in its shard for ever."""
    for key in sorted(desk.models):
        model = desk.models[key]
        if int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % shards == shard:
            yield from ((model, watch) for watch in model.watches if watch.cadence == cadence)


def shards_of(desk: Desk, cadence: str) -> int:
    """Return in how many parts the models of this cadence are looked at: other replicas share them, a kill repeats only its own.

    A power of two: replicas that count differently, because one has a new configuration, then still look at every model together,
    whoever of them is the first to start a part.
    """
    models = sum(any(watch.cadence == cadence for watch in model.watches) for model in desk.models.values())
    return min(1 << max(0, (models - 1) // A_SHARD).bit_length(), MOST_SHARDS)


def look_at_all(desk: Desk, cadence: str, slot: datetime, shard: int = 0, shards: int = 1) -> int:
    """Look at every model of a shard; one that cannot be looked at is a finding of its own, never a reason to skip the rest."""
    left = list(watched(desk, cadence, shard, shards))
    looked = 0
    while looked < len(left):
        looked += len(looks(desk, left[looked : looked + TOGETHER], slot))
    return looked


def look(desk: Desk, model: Model, watch: Watch, slot: datetime, like: Reading | None = None) -> list[Finding]:
    """Measure one window of one model, keep what was found, and decide whether anybody must know; return what was found.

    `like` is the reference, where the caller holds it already.
    """
    return looks(desk, [(model, watch)], slot, like)[0]


def looks(desk: Desk, some: Sequence[tuple[Model, Watch]], slot: datetime, like: Reading | None = None) -> Sequence[list[Finding]]:
    """Look at a few models together, as many as there is patience for and one at least; return what was found, look by look.

    What is quiet is written down in one transaction for all, without the pen, so that a fleet that is well costs little. Trouble
    waits for nobody: it is written down and judged at once, after what was found before it.

    While a run is at work on the model its windows mix the old and the new version; they are kept, but verification judges. So it
    is where the run ends in the middle of a look, which then has not left the old version's rows out.
    """
    keys, began = [model.key for model, _ in some], desk.clock.now()
    with desk.store.read() as unit:
        before, troubled = unit.runs_of(keys), set(unit.troubled(keys))
    found: list[list[Finding]] = []
    unwritten: list[Finding] = []
    for model, watch in some:
        at, runs = Look(watch, slot), before[model.key]
        seen = _seen(desk, model, at, runs, like)
        found.append(seen)
        unwritten += seen
        if model.key in troubled or not quiet(seen):
            troubled.add(model.key)
            _judge(desk, model, at, runs, seen, unwritten=unwritten)
            unwritten = []
        if desk.clock.now() - began > PATIENCE:
            break
    if unwritten:
        with desk.store.write() as unit:
            unit.record(slot, unwritten)
    return found


def _seen(desk: Desk, model: Model, at: Look, runs: Sequence[Run], like: Reading | None) -> list[Finding]:
    """Return what one look finds, whatever happens to it."""
    judged = at.watch.judged_at(at.slot)
    try:
        return _measured(desk, model, at, like or reference(desk, model), after_mending(runs, judged), keep=True)
    except StoreUnavailable:  # says nothing about the log; the look is done again
        raise
    except AiopsError as reason:
        return [blind(model, judged, str(reason))]
    except Exception as bug:  # the outermost loop of a look: a finding about the bot itself, and the other models are still watched
        log.exception("A look at %s stumbled", model.key)
        why = f"the bot itself stumbled ({type(bug).__name__}); its log says where."
        return [blind(model, judged, why)]


def _judge(desk: Desk, model: Model, at: Look, before: Sequence[Run], seen: list[Finding], *, unwritten: Sequence[Finding]) -> None:
    """Write down what was found, and decide what one look means unless a run is or was at work since it began."""
    with desk.store.write() as unit:
        unit.record(at.slot, unwritten)
        if all(run.state.over for run in before) and {run.id for run in unit.runs(model=model.key)} == {run.id for run in before}:
            triage(desk, unit, model, at, seen)


def measured(desk: Desk, model: Model, watch: Watch, slot: datetime, like: Reading, *, keep: bool = False) -> list[Finding]:
    """Measure one window against the reference `like`; nothing is written, except what is to be kept of lines and metrics.

    A window that reaches back behind the last mending starts there: older rows are another version's, and would raise the trouble
    again that has just been mended. The checks' least rows guard against judging too little.

    Raises:
        SourceUnavailable: the log cannot be read now.
    """
    return _measured(desk, model, Look(watch, slot), like, since_mended(desk, model, watch.judged_at(slot)), keep=keep)


def _measured(desk: Desk, model: Model, at: Look, like: Reading, window: Window, *, keep: bool) -> list[Finding]:
    reading = desk.source(model).reading(
        model, window, like.distributions, as_of=at.slot, whole_rows=of_whole_rows(desk, model, at.watch.checks)
    )
    usual, reading, lines = beside(desk, model, at.watch, like, reading, keep=keep)
    return [*detect(desk, model, at.watch, usual, reading, lines=lines), readable(model, reading, lines.trouble, usual.words)]


def of_whole_rows(desk: Desk, model: Model, checks: Iterable[str]) -> bool:
    """Return whether any of these checks looks at the model's whole rows: reading them costs a small one a third of its look."""
    return any(model.task in desk.checks[name].whole_rows for name in checks)


def beside(desk: Desk, model: Model, watch: Watch, like: Reading, reading: Reading, *, keep: bool) -> tuple[Usual, Reading, Lines]:
    """Return what is usual at the hours of a window, the window with the model's metrics, and the lines that were measured."""
    usual = same_hours(desk, model, like, watch.hours_of(reading.window), mark=fingerprint(model), keep=keep)
    lines = lines_for(desk, model, watch, like, keep=keep)
    return *metered(desk, model, watch, usual, reading, keep=keep), lines


def since_mended(desk: Desk, model: Model, window: Window) -> Window:
    """Return the part of the window after the last run that really helped; all of it where none did, or only later."""
    with desk.store.read() as unit:
        return after_mending(unit.runs(model=model.key), window)


def after_mending(runs: Sequence[Run], window: Window) -> Window:
    """Return the part of the window after the last of these runs that really helped."""
    newest = max((run.fresh_since for run in runs if run.mended and run.fresh_since), default=window.start)
    return Window(newest, window.end) if window.start < newest < window.end else window


def fingerprint(model: Model) -> str:
    """Return what a stored reference depends on: other columns or another window need another reference."""
    content = {
        "window": [model.reference.start.isoformat(), model.reference.end.isoformat()],
        "features": [[f.name, f.kind] for f in model.features],
        "source": model.reference_source or model.source,
        "segments": list(model.segments),
        "kept": ["profiles", "joint", "targets"],  # what a reading holds; a reference from before is read anew
    }
    if (model.task, model.columns.prediction) != (BINARY, ""):  # what was stored before there were tasks stays good
        content |= {"task": [model.task, model.columns.prediction, *([model.columns.group] if model.columns.group else [])]}
    return hashlib.sha256(canonical(content).encode()).hexdigest()[:16]


def reference(desk: Desk, model: Model) -> Reading:
    """Return the model's reference reading: stored once, read from the log only when it is not there."""
    known = stored_reference(desk, model)
    if known is not None:
        return known
    fresh = fresh_reference(desk, model)
    with desk.store.write() as unit:
        unit.save_reference(model.key, fingerprint(model), fresh)
    return desk.memory.keep((model.key, fingerprint(model)), fresh)


def stored_reference(desk: Desk, model: Model) -> Reading | None:
    """Return the reference reading that was kept, unless the model's columns or stretch have changed since."""
    return desk.recall((model.key, fingerprint(model)))


def fresh_reference(desk: Desk, model: Model) -> Reading:
    """Read the model's reference where it lies; nothing is written."""
    return desk.sources[model.reference_source or model.source].reading(model, model.reference)
