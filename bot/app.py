"""The front door: the only file that knows every room.

`registries` finds the plug-ins, `open_house` lays the desk and connects the rooms, `serve` lets the house live until it is told to
stop. Nothing is decided here.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

import uvicorn
from sqlalchemy import Connection
from starlette.applications import Starlette

from bot import actions, charts, checks, connectors, shelf, sources
from bot.config import Phonebook, Settings, load_settings
from bot.core.actions import Action, Json, Platform
from bot.core.audit import AuditEntry
from bot.core.checks import Check, Measurement
from bot.core.errors import ConfigError
from bot.core.ports import Clock, ConnectorKind, Journal, Scorer, Source, SourceKind, Store
from bot.core.profiles import Floats
from bot.core.readings import Sample
from bot.core.registry import discover
from bot.core.windows import utc
from bot.engine.durable import CHECKS, Durable, Pace
from bot.flow import decide
from bot.flow.desk import Desk
from bot.flow.execute import execute
from bot.flow.explain import explain_all
from bot.flow.watch import look_at_all
from bot.render import Renderer
from bot.scheduler import CHECK, Beat, Cadence, Scheduler
from bot.slack.carrier import Carrier
from bot.slack.command import Command, known_commands
from bot.slack.delivery import Delivery
from bot.slack.manifest import manifest as slack_manifest
from bot.slack.ports import Ears
from bot.slack.surface import Credentials, Surface
from bot.slack.transports import Socket, routes
from bot.stats.performance import paired_log_loss
from bot.store.database import SqlStore, open_store
from bot.store.outbox import Outbox
from bot.store.schema import upgrade

log = logging.getLogger("bot.app")
SHARDS = 1
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
        """Let go of the database."""
        self.store.close()


def open_house(settings: Settings, *, folder: Path | None = None) -> House:
    """Connect the rooms; the database is brought to its version first.

    Args:
        settings: the configuration.
        folder: the user's own folder, with `playbooks/` and `templates/` of theirs; the working directory by default.

    Raises:
        ConfigError: something in the configuration names what is not there.
    """
    found, folder = registries(), folder or Path.cwd()
    url = settings.database_url
    upgrade(url)
    engine = Durable(engine_url(url), pace=Pace(poll_s=REPLAY_POLL_S) if settings.replay.clock else None)
    engine.prepare()
    store = open_store(url, enqueue=_joining(engine))
    wall = WallClock()
    models = settings.models_with(found.checks)
    playbooks = shelf.read(folder / "playbooks", actions=found.actions)
    for problem in playbooks.wrong:
        log.error("A playbook stays off the shelf: %s", problem)
    desk = Desk(
        clock=wall,
        data=data_clock(settings) or wall,
        store=store,
        directory=Phonebook(settings),
        models=models,
        sources=_sources(settings, found),
        platforms=_platforms(settings, found),
        scorers=_scorers(settings, found),
        checks=found.checks,
        actions=found.actions,
        playbooks=playbooks.playbooks,
        policies=settings.policies(),
        expand=shelf.expand,
        paired=paired,
        digest_channel=settings.slack.digest or settings.slack.channel,
        poll_s=settings.poll.total_seconds(),
    )
    return House(settings, found, desk, store, engine, Renderer(folder / "templates"))


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


def manifest(request_url: str = "") -> dict[str, Any]:
    """Return the Slack app's manifest, with every installed command."""
    return slack_manifest(known_commands(), request_url=request_url)


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


def credentials(settings: Settings, environment: Mapping[str, str] = os.environ) -> Credentials:
    """Return what Slack gave the app, from the environment.

    Raises:
        ConfigError: a token that the transport needs is not set.
    """
    needed = {"socket": ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"), "http": ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET")}
    for name in needed[settings.slack.transport]:
        if not environment.get(name):
            raise ConfigError(f"{name} is not set. Create the app from `aiops slack manifest`, install it, and set its tokens.")
    return Credentials(
        bot_token=environment["SLACK_BOT_TOKEN"],
        app_token=environment.get("SLACK_APP_TOKEN", ""),
        signing_secret=environment.get("SLACK_SIGNING_SECRET", ""),
        **({"base_url": settings.slack.base_url} if settings.slack.base_url else {}),
    )


@contextmanager
def living(house: House, keys: Credentials) -> Iterator[Surface]:
    """Let the house live: engine, clock, delivery and Slack; on leaving, everything comes to rest and nothing is lost."""
    desk, engine = house.desk, house.engine
    ears = Ears(audit=lambda action, target, facts: _audit(desk, action, target, facts))
    surface = Surface(desk, house.renderer.render, keys, ears=ears, commands=house.registries.commands)
    carrier = Carrier(Outbox(house.store), surface.client, house.renderer.render, charts.draw, ears=ears)
    delivery = Delivery(carrier)
    scheduler = _scheduler(house)
    _register(house)
    with ExitStack() as rest:
        engine.launch()
        rest.callback(engine.stop)
        delivery.start()
        rest.callback(delivery.stop)
        rest.callback(surface.close)
        _open_doors(house, surface, rest)
        scheduler.start()
        rest.callback(scheduler.stop)
        yield surface


def serve(settings: Settings, *, folder: Path | None = None) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with open_house(settings, folder=folder) as house, living(house, credentials(settings)):
        log.info("aiops-bot watches %d models; Slack by %s", len(house.desk.models), settings.slack.transport)
        stop.wait()


def _register(house: House) -> None:
    """Name the durable workflows; their bodies are verbs of the story."""
    desk = house.desk

    def check_shard(journal: Journal, payload: Json) -> Json:
        slot = datetime.fromisoformat(str(payload["slot"]))
        shard, shards = int(str(payload["shard"])), int(str(payload["shards"]))
        looked = journal.step("look", lambda: {"looked": look_at_all(desk, str(payload["cadence"]), slot, shard, shards)})
        journal.step("explain", lambda: {"explained": explain_all(desk)})
        return looked

    house.engine.register(CHECK, check_shard, queue=CHECKS)
    house.engine.register(decide.RUN, lambda journal, payload: execute(desk, journal, str(payload["run"])))


def _scheduler(house: House) -> Scheduler:
    desk, engine = house.desk, house.engine
    replay = house.settings.replay
    texts = sorted({watch.cadence for model in desk.models.values() for watch in model.watches})
    looks = [Cadence(text, SHARDS) for text in texts]
    if replay.clock:
        looks = [replace(look, every_slot=True, lookback=replay.lookback) for look in looks]
    tick_s = replay.tick.total_seconds() if replay.clock else TICK_S
    scheduler = Scheduler(engine.enqueue_now, data=desk.data, wall=desk.clock, tick_s=tick_s)
    scheduler.watch(looks)
    scheduler.beat(
        [
            Beat("expire", EXPIRY_S, lambda _slot: _ignore(decide.expire(desk))),
            Beat("prune", 3_600.0, lambda _slot: _ignore(engine.prune())),
        ]
    )
    return scheduler


def _ignore(_count: int) -> None:
    """Drop a count that nobody asked for."""


def _audit(desk: Desk, action: str, target: str, facts: Mapping[str, object]) -> None:
    with desk.store.write() as unit:
        unit.audit(AuditEntry(desk.clock.now(), "aiops-bot", action, target, payload=dict(facts)))


def _open_doors(house: House, surface: Surface, rest: ExitStack) -> None:
    """Let Slack in, by socket or by signed HTTP."""
    slack = house.settings.slack
    if slack.transport == "socket":
        socket = Socket(surface)
        socket.connect()
        rest.callback(socket.close)
        return
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=routes(surface)), host=slack.host, port=slack.port, log_level="warning")
    )
    thread = threading.Thread(target=server.run, name="http", daemon=True)
    thread.start()
    rest.callback(thread.join, 10)
    rest.callback(setattr, server, "should_exit", True)
