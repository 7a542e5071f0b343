"""Meter: what others measure about serving a model, beside what its log says.

What is usual is read once and kept, like any reference: a metrics server forgets what is a few weeks old. What could not be told is
not kept, so that one bad hour does not blind a model for ever.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from bot.core.actions import canonical
from bot.core.checks import Family
from bot.core.errors import AiopsError
from bot.core.metrics import Metrics, Series
from bot.core.models import Model, Watch
from bot.core.readings import Reading
from bot.core.windows import Window
from bot.flow.desk import Desk, meter
from bot.flow.same_hours import Usual

Told = Mapping[str, Series]


def metered(desk: Desk, model: Model, watch: Watch, like: Usual, reading: Reading, *, keep: bool = False) -> tuple[Usual, Reading]:
    """Return what is usual and the window with the model's metrics, where a check of this watch judges operations.

    Whatever goes wrong becomes a sentence inside the series: the log's own checks are none of its business. With `keep` the
    reference's metrics are written down.
    """
    metrics = model.metrics
    if metrics is None or not any(desk.checks[name].family is Family.OPERATIONS for name in watch.checks):
        return like, reading
    now = {name: replace(series, limit=metrics.limits.get(name)) for name, series in asked(desk, metrics, reading.window).items()}
    usual = usually(desk, model, metrics, keep=keep) if any(len(series) for series in now.values()) else {}
    return like.measured(usual), replace(reading, resources=now)


def asked(desk: Desk, metrics: Metrics, window: Window) -> Told:
    """Ask for every metric of a window; where there is nobody to ask, every one of them says why."""
    try:
        return meter(desk.sources, metrics.source).series(metrics.queries, window)
    except AiopsError as reason:
        return dict.fromkeys(metrics.queries, Series(trouble=str(reason)))


def usually(desk: Desk, model: Model, metrics: Metrics, *, keep: bool) -> Told:
    """Return the metrics of the reference stretch: each as it was kept, the others asked for now."""
    stretch, keys = metrics.reference or model.reference, stored_under(model, metrics)
    known = {name: found.resources[name] for name, key in keys.items() if (found := desk.recall(key)) is not None}
    lost = replace(metrics, queries={name: query for name, query in metrics.queries.items() if name not in known})
    fresh = asked(desk, lost, stretch) if lost.queries else {}
    whole = [name for name, series in fresh.items() if not series.unknown]
    if keep and whole:
        with desk.store.write() as unit:
            for name in whole:
                unit.save_reference(*keys[name], Reading(stretch, 0, resources={name: fresh[name]}))
    return {**known, **fresh}


def stored_under(model: Model, metrics: Metrics) -> dict[str, tuple[str, str]]:
    """Return under which key each metric's reference is kept."""
    stretch = metrics.reference or model.reference
    return {name: (f"{model.key} metrics", fingerprint(metrics, name, stretch)) for name in metrics.queries}


def fingerprint(metrics: Metrics, name: str, stretch: Window) -> str:
    """Return what a kept metric depends on; another metric that is added or mended leaves it alone."""
    content = {"source": metrics.source, "name": name, "query": metrics.queries[name], "window": str(stretch)}
    return hashlib.sha256(canonical(content).encode()).hexdigest()[:16]
