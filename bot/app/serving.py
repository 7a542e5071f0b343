"""Serving: engine, clock, delivery and Slack, started in the order in which they need each other and stopped in the other one."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from bot.app.house import House, open_house
from bot.config import Settings
from bot.core.actions import Json
from bot.core.audit import BOT, AuditEntry
from bot.core.errors import AiopsError, ConfigError
from bot.core.ports import Journal
from bot.core.words import several
from bot.engine.durable import CHECKS
from bot.flow import decide
from bot.flow.abandoned import hand_over_abandoned
from bot.flow.break_glass import remind
from bot.flow.desk import Desk
from bot.flow.execute import execute
from bot.flow.explain import explain_all
from bot.flow.forget import FORGET, Broom, forget
from bot.flow.heal import heal_all
from bot.flow.reconcile import reconcile
from bot.flow.watch import look_at_all, shards_of
from bot.scheduler import CHECK, Beat, Cadence, Scheduler
from bot.slack.carrier import Carrier
from bot.slack.client import web_client
from bot.slack.delivery import Delivery
from bot.slack.groups import PATIENCE_S, Groups
from bot.slack.pacing import POSTS_PER_S, Pace
from bot.slack.ports import Ears, Picture
from bot.slack.surface import Credentials, Surface
from bot.slack.transports import Socket, routes
from bot.store.anchors import AnchorFile
from bot.store.checkpoints import Sealer
from bot.store.keeper import SqlKeeper
from bot.store.keys import signing_key
from bot.store.outbox import Outbox
from bot.telemetry import Metrics, configure_logging, health_routes

log = logging.getLogger("bot.app")
TICK_S = 1.0
EXPIRY_S = 5.0
CHECKPOINT_S = 900.0
RECONCILE_S = 60.0
REVIEWS = "0 9 * * *"
PRUNING_S = 3_600.0
FORGETTING = "17 */6 * * *"
REST_S = 0.1
"""Between two small deletions: whoever waits for an SQLite file's lock looks for it at least so often."""
KEEP_ALIVE_S = 120
"""Longer than balancers keep an idle connection (60 or 75 s): else one closes under a click that is on its way, and it is lost."""
SETTLE = timedelta(seconds=15)
"""Well over the deadline of a call to Slack; then an unanswered post is looked for: news is late by seconds only."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How patient a living house is, in seconds; only tests are in a hurry.

    After `settle_s` a post without an answer is looked for, after `claim_s` one that its process never began is taken over. Both
    are well over the deadline of a call to Slack (10 s), and short enough that whoever restarts is level again within 30 s.
    """

    settle_s: float = 20.0
    claim_s: float = 15.0
    expiry_s: float = EXPIRY_S
    reconcile_s: float = RECONCILE_S
    posts_per_s: float = POSTS_PER_S
    ping_s: float = 5.0


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


@dataclass
class Life:
    """A house that lives: `surface` is its Slack, `socket` only in Socket Mode, `port` where health and HTTP listen."""

    house: House
    surface: Surface
    delivery: Delivery
    scheduler: Scheduler
    metrics: Metrics
    socket: Socket | None = None
    server: uvicorn.Server | None = None

    @property
    def port(self) -> int:
        """The port that was really opened."""
        return self.server.servers[0].sockets[0].getsockname()[1] if self.server and self.server.servers else 0


@contextmanager
def living(house: House, keys: Credentials, rhythm: Rhythm | None = None) -> Iterator[Life]:
    """Let the house live; on leaving, everything comes to rest and nothing is lost."""
    desk, engine, metrics, rhythm = house.desk, house.engine, Metrics(), rhythm or Rhythm()
    ears = Ears(
        audit=lambda action, target, facts: _audit(desk, action, target, facts),
        measure=lambda outcome, _seconds: metrics.slack.labels(outcome).inc(),
    )
    desk = replace(desk, groups=Groups(web_client(keys.bot_token, keys.base_url, timeout_s=PATIENCE_S)))
    surface = Surface(desk, house.renderer.render, keys, ears=ears, commands=house.registries.commands)
    outbox = Outbox(house.store, settle=timedelta(seconds=rhythm.settle_s), claim=timedelta(seconds=rhythm.claim_s))
    pace = Pace(posts_per_s=rhythm.posts_per_s)
    delivery = Delivery(Carrier(outbox, surface.client, house.renderer.render, _drawn, ears=ears, pace=pace))
    metrics.ask("aiops_engine_workflows", "Workflows by state.", "state", engine.counts)
    metrics.ask("aiops_outbox", "Messages by state.", "state", lambda: {"waiting": outbox.depth_and_oldest()[0]})
    life = Life(house, surface, delivery, _scheduler(house, rhythm), metrics)
    _register(house, metrics)
    with ExitStack() as rest:
        engine.launch()
        rest.callback(engine.stop)
        delivery.start()
        rest.callback(delivery.stop)
        rest.callback(surface.close)
        _open_doors(life, rest, rhythm)
        life.scheduler.start()
        rest.callback(life.scheduler.stop)
        yield life


def serve(settings: Settings, *, folder: Path | None = None) -> None:
    """Run until SIGTERM or SIGINT."""
    keys = credentials(settings)
    secrets = [secret for secret in (keys.bot_token, keys.app_token, keys.signing_secret) if secret]
    configure_logging(as_json=not sys.stderr.isatty(), secrets=secrets)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with open_house(settings, folder=folder) as house, living(house, keys) as life:
        how = settings.slack.transport
        log.info(
            "aiops-bot watches %s, meets Slack by %s, health at port %d", several(len(house.desk.models), "model"), how, life.port
        )
        stop.wait()
        log.info("aiops-bot comes to rest")


def _register(house: House, metrics: Metrics) -> None:
    """Name the durable workflows; their bodies are verbs of the story."""
    desk = house.desk

    def check_shard(journal: Journal, payload: Json) -> Json:
        slot = datetime.fromisoformat(str(payload["slot"]))
        shard, shards = int(str(payload["shard"])), int(str(payload["shards"]))
        with metrics.looks.labels(str(payload["cadence"])).time():
            looked = journal.step("look", lambda: {"looked": look_at_all(desk, str(payload["cadence"]), slot, shard, shards)})
        journal.step("explain", lambda: {"explained": explain_all(desk)})
        return looked

    broom = Broom(desk, SqlKeeper(house.store), house.settings.keep.keep, partial(time.sleep, REST_S))
    house.engine.register(CHECK, check_shard, queue=CHECKS)
    house.engine.register(FORGET, lambda journal, _payload: forget(broom, journal), queue=CHECKS)
    house.engine.register(decide.RUN, lambda journal, payload: execute(desk, journal, str(payload["run"])))


def _drawn(chart: Mapping[str, object]) -> Picture:
    """Draw a chart; what draws it takes most of a second to load, and most lives of the bot never need it."""
    from bot import charts  # noqa: PLC0415

    return charts.draw(chart)


def _scheduler(house: House, rhythm: Rhythm) -> Scheduler:
    desk, engine = house.desk, house.engine
    replay = house.settings.replay
    texts = sorted({watch.cadence for model in desk.models.values() for watch in model.watches})
    looks = [Cadence(text, shards_of(desk, text)) for text in texts]
    if replay.clock:
        looks = [replace(look, every_slot=True, lookback=replay.lookback) for look in looks]
    tick_s = replay.tick.total_seconds() if replay.clock else TICK_S
    scheduler = Scheduler(engine.enqueue_now, data=desk.data, wall=desk.clock, tick_s=tick_s)
    scheduler.watch(looks)
    scheduler.beat(
        [
            Beat("expire", rhythm.expiry_s, lambda _slot: _ignore(decide.expire(desk))),
            Beat("reconcile", rhythm.reconcile_s, lambda _slot: _reconcile(desk)),
            Beat("heal", rhythm.reconcile_s, lambda _slot: _ignore(heal_all(desk))),
            Beat("abandoned", rhythm.reconcile_s, lambda _slot: _ignore(hand_over_abandoned(desk, engine.over))),
            Beat("reviews", REVIEWS, lambda _slot: _ignore(remind(desk))),
            Beat("prune", PRUNING_S, lambda _slot: _ignore(engine.prune())),
            Beat("forget", FORGETTING, lambda slot: engine.enqueue_now(FORGET, f"{FORGET}:{slot.isoformat()}", {}, FORGET)),
            Beat("checkpoint", CHECKPOINT_S, lambda _slot: _seal(house)),
        ]
    )
    return scheduler


def _reconcile(desk: Desk) -> None:
    """Look whether what is served is what was decided, and explain at once what that opened."""
    reconcile(desk)
    explain_all(desk)


def _ignore(_count: int) -> None:
    """Drop a count that nobody asked for."""


def _audit(desk: Desk, action: str, target: str, facts: Mapping[str, object]) -> None:
    with desk.store.write() as unit:
        unit.audit(AuditEntry(desk.clock.now(), BOT, action, target, payload=dict(facts)))


def _seal(house: House) -> None:
    """Sign the audit log's root, also when nothing has happened: a missing heart-beat is how a deleted tail shows."""
    audit = house.settings.audit
    Sealer(house.store, signing_key(Path(audit.key)), [AnchorFile(Path(audit.checkpoints))]).seal(house.desk.clock.now())


def _open_doors(life: Life, rest: ExitStack, rhythm: Rhythm) -> None:
    """Let Slack in, by socket or by signed HTTP; health and metrics listen in both."""
    slack, surface = life.house.settings.slack, life.surface
    ready = {"database": lambda: _database(life.house), "slack": lambda: _slack(life)}
    doors = [*health_routes(life.metrics, alive=lambda: life.delivery.alive, ready=ready)]
    if slack.transport == "socket":
        life.socket = Socket(surface, ping_s=rhythm.ping_s)
    else:
        doors += routes(surface)
    app = Starlette(routes=doors)
    how = uvicorn.Config(app, host=slack.host, port=slack.port, log_level="warning", timeout_keep_alive=KEEP_ALIVE_S)
    life.server = uvicorn.Server(how)
    thread = threading.Thread(target=life.server.run, name="http", daemon=True)
    thread.start()
    rest.callback(thread.join, 10)
    rest.callback(setattr, life.server, "should_exit", True)
    while not life.server.started:
        if not thread.is_alive():
            raise ConfigError(f"Port {slack.port} on {slack.host} cannot be opened; set slack.port in aiops.yaml to a free one.")
        thread.join(0.02)
    if life.socket is not None:
        life.socket.connect()
        rest.callback(life.socket.close)


def _database(house: House) -> str:
    try:
        with house.store.read() as unit:
            unit.incidents(limit=1)
    except AiopsError as reason:
        return str(reason)
    return ""


def _slack(life: Life) -> str:
    if life.socket is not None and not life.socket.connected:
        return "Slack's socket is not connected."
    return ""
