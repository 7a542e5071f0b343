"""The data: the database, every source, every splitter, every scorer; each is really asked."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import select

from bot.app import registries
from bot.config import Plug, Settings
from bot.core.errors import ActionFailed, AiopsError, ConfigError
from bot.core.models import Model, split_words
from bot.core.ports import ConnectorKind, Scorer, Source, SourceKind, Splitter
from bot.core.words import room
from bot.doctor.remarks import Remark, hint, ok, problem
from bot.engine.database import now as its_clock
from bot.store import schema, size
from bot.store.database import open_store

SKEW_S = 2.0


def database(settings: Settings) -> Iterator[Remark]:
    """Look whether the database answers, fits this program, and has the same time as we have."""
    try:
        schema.check(settings.database_url)
        with closing(open_store(settings.database_url)) as store:
            with store.look() as connection:
                theirs = float(connection.scalar(select(its_clock(store.engine))) or 0.0)
            taken, free = size.whole(store)
    except AiopsError as reason:
        yield problem("database", str(reason), "aiops db upgrade" if "db upgrade" not in str(reason) else "")
        return
    unused = f", of which {room(free)} are free" if free else ""
    yield ok("database", f"it answers, fits this program and takes {room(taken)}{unused}; `aiops db size` says what for.")
    skew = time.time() - theirs
    if abs(skew) > SKEW_S:
        yield problem("clock", f"this machine and the database differ by {skew:+.1f} s.", "Synchronise both clocks (NTP).")
    else:
        yield ok("clock", "this machine and the database agree.")


def sources(settings: Settings) -> Iterator[Remark]:
    """Read the last window of every model; nobody watching a source is said too."""
    models = settings.models_with(registries().checks)
    for name, plug in settings.sources.items():
        users = [model for model in models.values() if model.source == name]
        try:
            source = cast("Source", made(name, plug, registries().sources))
            for model in users:
                yield _window(name, source, model)
        except AiopsError as reason:
            yield problem("source", f"'{name}': {reason}")
            continue
        if not users and not any(name in (m.reference_source, m.metrics and m.metrics.source) for m in models.values()):
            yield hint("source", f"no model reads '{name}'.", "Name it as the source of a model, or take it out.")


def _window(name: str, source: Source, model: Model) -> Remark:
    watch = min(model.watches, key=lambda w: w.window)
    window = watch.judged_at(datetime.now(UTC))
    rows = source.reading(model, window).rows
    if not rows:
        return hint(
            "source",
            f"'{name}' can be read, but {model.key} has no rows in its last window ({window}).",
            "Is the log still written?",
        )
    return ok("source", f"'{name}' can be read: {model.key} has {rows:,} rows in its last window ({window}).")


def splitters(settings: Settings) -> Iterator[Remark]:
    """Ask every splitter how it shares the traffic of each of its models."""
    for model in settings.models_with(registries().checks).values():
        if model.serving:
            plug = settings.platforms[model.serving]
            remark = _asked("splitter", model.serving, lambda m=model, p=plug: _split(m, p))  # type: ignore[misc]
            yield remark
            if remark.state == "ok":
                yield from _ready(model, plug)


def _split(model: Model, plug: Plug) -> str:
    platform = made(model.serving, plug, registries().connectors)
    try:
        if not hasattr(platform, "split"):
            return "it is no traffic splitter; its actions may still use it"
        split = cast("Splitter", platform).split(model.name)
        if not any(split.values()):
            raise ActionFailed(f"all weights of {model.name} are 0, so its callers are served by nobody.")
        return f"{model.name} is served by {split_words(split)}"
    finally:
        _closed(platform)


def _ready(model: Model, plug: Plug) -> Iterator[Remark]:
    """Ask a splitter that can say so whether it could change what it serves."""
    platform: Any = made(model.serving, plug, registries().connectors)
    try:
        if hasattr(platform, "ready"):
            yield ok("splitter", f"'{model.serving}': {platform.ready(model.name)}.")
    except AiopsError as reason:
        yield problem("splitter", f"'{model.serving}': {reason}", "Mend it before a run has to change the split.")
    finally:
        _closed(platform)


def scorers(settings: Settings) -> Iterator[Remark]:
    """Ask every version that a scorer knows to score one logged row, where there is one."""
    models = settings.models_with(registries().checks)
    for part, model in zip(settings.models, models.values(), strict=True):
        if part.scorer:
            yield _asked("scorer", part.scorer, lambda m=model, s=part.scorer: _scored(settings, m, s))  # type: ignore[misc]


def _scored(settings: Settings, model: Model, name: str) -> str:
    scorer = cast("Scorer", made(name, settings.scorers[name], registries().connectors))
    try:
        source = cast("Source", made(model.source, settings.sources[model.source], registries().sources))
        sample = source.sample(model, model.reference, 1)
        versions = scorer.versions(model.name)
        for version in versions:
            scorer.score(model.name, version, sample)
    finally:
        _closed(scorer)
    told = f"{model.name}: {', '.join(versions) or 'no versions'}"
    return f"{told} answer" if len(sample) else f"{told} are configured; there is no labelled row to ask them about"


def _asked(topic: str, name: str, ask: Callable[[], str]) -> Remark:
    try:
        return ok(topic, f"'{name}': {ask()}.")
    except AiopsError as reason:
        return problem(topic, f"'{name}': {reason}", "Is it running, and is its address in aiops.yaml right?")


def made(name: str, plug: Plug, kinds: Mapping[str, SourceKind] | Mapping[str, ConnectorKind]) -> object:
    """Build what a section of the configuration describes; ConfigError names the section."""
    if plug.kind not in kinds:
        raise ConfigError(f"it is of the kind '{plug.kind}', which does not exist; there are: {', '.join(kinds) or 'none'}.")
    try:
        return kinds[plug.kind].make(plug.options)
    except ConfigError as reason:
        raise ConfigError(f"{name}: {reason}") from reason


def _closed(platform: Any) -> None:
    if hasattr(platform, "close"):
        platform.close()
