"""The metrics: every query of every model is really asked, over its last window and over the stretch that is usual."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from bot.app import registries
from bot.config import Settings
from bot.core.checks import Check, Family
from bot.core.errors import AiopsError
from bot.core.metrics import Metrics, Series, told
from bot.core.models import Model
from bot.core.ports import Meter
from bot.core.windows import Window
from bot.doctor.data import made
from bot.doctor.remarks import Remark, hint, ok, problem
from bot.flow.desk import meter


def queries(settings: Settings) -> Iterator[Remark]:
    """Ask every model's queries; a server that does not answer is said once a model."""
    found = registries()
    for model in settings.models_with(found.checks).values():
        if model.metrics is None:
            continue
        name = model.metrics.source
        try:
            source = made(name, settings.sources[name], found.sources)
            yield from asked(model, model.metrics, meter({name: source}, name), found.checks)  # type: ignore[dict-item]
        except AiopsError as reason:
            yield problem("metrics", f"{model.key}: {reason}")


def asked(model: Model, metrics: Metrics, server: Meter, checks: Mapping[str, Check]) -> Iterator[Remark]:
    """Ask the queries of one model."""
    watches = [w for w in model.watches if any(checks[name].family is Family.OPERATIONS for name in w.checks)]
    if not any("resources" in watch.checks for watch in watches):
        words = f"no watch of {model.key} runs the check 'resources', so nobody looks at its metrics."
        yield hint("metrics", words, "Add it to the checks of one of its watches.")
    window = min(watches or model.watches, key=lambda w: w.window).judged_at(datetime.now(UTC))
    now = server.series(metrics.queries, window)
    if len(now) > 1 and len(troubles := {series.trouble for series in now.values()}) == 1 and all(troubles):
        yield problem("metrics", f"'{metrics.source}', for {model.key}: {troubles.pop()}", "Is it running, and is its url right?")
        return
    for name, series in now.items():
        yield _query(f"'{metrics.source}', {name} of {model.key}", name, series, window)
    answered = {name: metrics.queries[name] for name, series in now.items() if not series.unknown}
    yield from _usual(model, metrics, server.series(answered, metrics.reference or model.reference))


def _query(whose: str, name: str, series: Series, window: Window) -> Remark:
    if series.trouble:
        return problem("metrics", f"{whose}: {series.trouble}", "Try the query in the server's own page, then correct it.")
    if series.unknown:
        return hint("metrics", f"{whose}: {series.unknown} ({window}).", "Is it new, or is it scraped with gaps?")
    mean = told(name, float(series.values.mean()))
    return ok("metrics", f"{whose}: {len(series)} samples in its last window ({window}), {mean} on average.")


def _usual(model: Model, metrics: Metrics, then: Mapping[str, Series]) -> Iterator[Remark]:
    """Say which metrics have no past; whether the bot has kept it is known to its database only."""
    lost = [name for name, series in then.items() if series.unknown]
    if lost:
        words = (
            f"'{metrics.source}' cannot tell what is usual for {model.key}: {', '.join(lost)}: {then[lost[0]].unknown.rstrip('.')}."
        )
        mend = "Name a `reference` under metrics that it still knows; what the bot has kept before stays good."
        yield hint("metrics", words, mend)
