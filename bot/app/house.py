"""The house: plug-ins found, rooms connected, the desk laid. What commands in the shell and the running bot both work with."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Connection

from bot import actions, checks, connectors, shelf, sources
from bot.app.clues import clues
from bot.app.resampling import Resampled
from bot.config import Phonebook, Settings, load_settings
from bot.core import own
from bot.core.actions import Action, Json, Platform
from bot.core.checks import Check, Measurement
from bot.core.errors import ConfigError
from bot.core.ports import Clock, ConnectorKind, Scorer, Source, SourceKind, Store
from bot.core.profiles import Floats
from bot.core.readings import Sample
from bot.core.registry import discover
from bot.core.windows import utc
from bot.engine.durable import Durable, Pace
from bot.flow.desk import Desk
from bot.flow.own import Own
from bot.render import Renderer
from bot.slack.command import Command, known_commands
from bot.slack.manifest import manifest as slack_manifest
from bot.stats.performance import paired_log_loss
from bot.store.database import SqlStore, open_store
from bot.store.schema import upgrade
from bot.thrift import be_thrifty

log = logging.getLogger("bot.app")
EXPIRY_S = 5.0
TICK_S = 1.0
REPLAY_POLL_S = 0.1
"""Replayed time runs fast, so the engine looks for work more often."""


class ReplayClock:
    """The time that replayed data have reached: whoever replays writes it into a file, whole (by renaming a finished one)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        """Return it, UTC."""
        try:
            return utc(datetime.fromisoformat(self._path.read_text("ascii").strip()))
        except (OSError, ValueError):
            raise ConfigError(f"The replay clock {self._path} holds no time; is the replay running?") from None


class WallClock:
    """The time of people."""

    def now(self) -> datetime:
        """Return the time, UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Registries:
    """Every plug-in there is, by name."""

    checks: Mapping[str, Check]
    actions: Mapping[str, Action]
    sources: Mapping[str, SourceKind]
    connectors: Mapping[str, ConnectorKind]
    commands: Mapping[str, Command]


def registries() -> Registries:
    """Find the plug-ins: ours, and those that others have installed."""
    return Registries(
        checks=discover(checks, Check),
        actions=discover(actions, Action),  # type: ignore[type-abstract]
        sources=discover(sources, SourceKind),
        connectors=discover(connectors, ConnectorKind),
        commands=known_commands(),
    )


@dataclass
class House:
    """The rooms, connected: what commands in the shell and the running bot both work with."""

    settings: Settings
    registries: Registries
    desk: Desk
    store: SqlStore
    engine: Durable
    renderer: Renderer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database, the engine's connections too."""
        self.engine.stop()
        self.store.close()


def open_house(settings: Settings, *, folder: Path | None = None) -> House:
    """Connect the rooms; the database is brought to its version first.

    Args:
        settings: the configuration.
        folder: the user's own folder, with `playbooks/` and `templates/` of theirs; the working directory by default.

    Raises:
        ConfigError: something in the configuration names what is not there.
    """
    be_thrifty()
    found, folder = registries(), folder or Path.cwd()
    url = settings.database_url
    upgrade(url)
    engine = Durable(engine_url(url), pace=Pace(poll_s=REPLAY_POLL_S) if settings.replay.clock else None)
    engine.prepare()
    store = open_store(url, enqueue=_joining(engine))
    wall = WallClock()
    playbooks = shelf.read(folder / "playbooks", actions=found.actions)
    for problem in playbooks.wrong:
        log.error("A playbook stays off the shelf: %s", problem)
    desk = replace(
        bare_desk(settings, found, store, wall),
        data=data_clock(settings) or wall,
        platforms=_platforms(settings, found),
        scorers=_scorers(settings, found),
        playbooks=playbooks.playbooks,
    )
    desk = replace(desk, platforms={**desk.platforms, own.NAME: Own(desk)})
    return House(settings, found, desk, store, engine, Renderer(folder / "templates"))


def bare_desk(settings: Settings, found: Registries, store: Store, clock: Clock) -> Desk:
    """Lay a desk that can look and decide, but neither act nor ask anybody who serves."""
    return Desk(
        clock=clock,
        data=clock,
        store=store,
        directory=Phonebook(settings),
        models=settings.models_with(found.checks),
        sources=_sources(settings, found),
        platforms={},
        scorers={},
        checks=found.checks,
        actions=found.actions,
        playbooks={},
        policies=settings.policies(),
        rules=settings.rules(),
        brake=frozenset(settings.brake.roles),
        expand=shelf.expand,
        paired=paired,
        clues=clues,
        resampling=Resampled(),
        digest_channel=settings.slack.digest or settings.slack.channel,
        poll_s=settings.poll.total_seconds(),
    )


def data_clock(settings: Settings) -> Clock | None:
    """Return the replay's clock, where there is a replay."""
    return ReplayClock(Path(settings.replay.clock)) if settings.replay.clock else None


@contextmanager
def open_record(config: Path) -> Iterator[Store]:
    """Open only the database that a configuration names: to read what a running bot has written."""
    store = open_store(load_settings(config).database_url)
    try:
        yield store
    finally:
        store.close()


def manifest(request_url: str = "", *, folder: Path | None = None) -> dict[str, Any]:
    """Return the Slack app's manifest, with the playbooks' own commands; `folder` is the user's."""
    playbooks = shelf.read(folder / "playbooks" if folder else None).playbooks
    return slack_manifest(known_commands(), playbooks, request_url=request_url)


def engine_url(url: str) -> str:
    """Return the database's address as the engine wants it: the same database, the driver named."""
    for short in ("postgres://", "postgresql://"):
        if url.startswith(short):
            return "postgresql+psycopg://" + url.removeprefix(short)
    return url


def _joining(engine: Durable) -> Callable[[Connection, str, str, Json, str], None]:
    def enqueue(connection: Connection, workflow: str, number: str, payload: Json, lane: str) -> None:
        engine.enqueue(connection, workflow, number, payload, lane)

    return enqueue


def paired(sample: Sample, ours: Floats, theirs: Floats) -> Measurement:
    """Return how much larger our log loss is than theirs on the sample, with its interval over whole days."""
    found = paired_log_loss(ours, theirs, sample.labels, sample.at)
    return Measurement("log_loss", found.value, len(sample), interval=(found.low, found.high))


K = TypeVar("K", SourceKind, ConnectorKind)


def _kind_of(kinds: Mapping[str, K], kind: str, name: str, what: str) -> K:
    if kind not in kinds:
        raise ConfigError(f"The {what} '{name}' is of the kind '{kind}', which does not exist. There are: {', '.join(kinds)}.")
    return kinds[kind]


def _sources(settings: Settings, found: Registries) -> dict[str, Source]:
    return {name: _kind_of(found.sources, plug.kind, name, "source").make(plug.options) for name, plug in settings.sources.items()}


def _platforms(settings: Settings, found: Registries) -> dict[str, Platform]:
    return {
        name: _kind_of(found.connectors, plug.kind, name, "platform").make(plug.options)
        for name, plug in settings.platforms.items()
    }


def _scorers(settings: Settings, found: Registries) -> dict[str, Scorer]:
    """Return the scorers by model name; several models may share one."""
    made = {
        name: _kind_of(found.connectors, plug.kind, name, "scorer").make(plug.options) for name, plug in settings.scorers.items()
    }
    return {part.name: made[part.scorer] for part in settings.models if part.scorer}  # type: ignore[misc]
