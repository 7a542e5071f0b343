"""Watch: which models are looked at now, and at which window."""

import hashlib
from collections.abc import Iterator
from datetime import datetime

from bot.core.actions import canonical
from bot.core.errors import AiopsError
from bot.core.models import Model, Watch
from bot.core.readings import Reading
from bot.flow.desk import Desk
from bot.flow.detect import blind, detect, readable
from bot.flow.triage import Look, triage


def watched(desk: Desk, cadence: str, shard: int = 0, shards: int = 1) -> Iterator[tuple[Model, Watch]]:
    """Return who is looked at in this cadence and shard; a model stays in its shard for ever."""
    for key in sorted(desk.models):
        model = desk.models[key]
        if int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % shards == shard:
            yield from ((model, watch) for watch in model.watches if watch.cadence == cadence)


def look_at_all(desk: Desk, cadence: str, slot: datetime, shard: int = 0, shards: int = 1) -> int:
    """Look at every model of a shard; one that cannot be looked at is a finding of its own, never a reason to skip the rest."""
    looked = 0
    for model, watch in watched(desk, cadence, shard, shards):
        look(desk, model, watch, slot)
        looked += 1
    return looked


def look(desk: Desk, model: Model, watch: Watch, slot: datetime) -> None:
    """Measure one window of one model, keep what was found, and decide whether anybody must know.

    While a run is at work on the model its windows mix the old and the new version; they are kept, but verification judges.
    """
    window = watch.judged_at(slot)
    try:
        reading = desk.source(model).reading(model, window, reference(desk, model).columns, as_of=slot)
        findings = [*detect(desk, model, watch, reference(desk, model), reading), readable(model, reading)]
    except AiopsError as reason:
        findings = [blind(model, window, str(reason))]
    with desk.store.write() as unit:
        unit.record(slot, findings)
        if not unit.runs(model=model.key, active=True):
            triage(desk, unit, model, Look(watch, slot), findings)


def fingerprint(model: Model) -> str:
    """Return what a stored reference depends on: other columns or another window need another reference."""
    content = {
        "window": [model.reference.start.isoformat(), model.reference.end.isoformat()],
        "features": [[f.name, f.kind] for f in model.features],
        "source": model.reference_source or model.source,
    }
    return hashlib.sha256(canonical(content).encode()).hexdigest()[:16]


def reference(desk: Desk, model: Model) -> Reading:
    """Return the model's reference reading: stored once, read from the log only when it is not there."""
    mark = fingerprint(model)
    with desk.store.read() as unit:
        stored = unit.reference(model.key, mark)
    if stored is not None:
        return stored
    fresh = desk.sources[model.reference_source or model.source].reading(model, model.reference)
    with desk.store.write() as unit:
        unit.save_reference(model.key, mark, fresh)
    return fresh
