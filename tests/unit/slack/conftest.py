"""The real surface and the real delivery against the simulator; the desk is laid with fakes, the store is SQLite."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bot.charts import draw
from bot.render import Renderer
from bot.simulator import Channel, Person, Simulator, SlackApp, User, Workspace
from bot.simulator.workspace import UserGroup
from bot.slack.carrier import Carrier
from bot.slack.client import web_client
from bot.slack.command import known_commands
from bot.slack.delivery import Delivery
from bot.slack.groups import Groups
from bot.slack.manifest import manifest
from bot.slack.pacing import Pace
from bot.slack.surface import Credentials, Surface
from bot.slack.transports import Socket
from bot.store.database import open_store
from bot.store.outbox import Outbox
from tests.unit.flow.room import ROLLBACK, Room

PEOPLE = tuple(User(f"U0{name.upper()}", name) for name in ("ana", "bo", "cy"))
EVERYBODY = ("ana", "bo", "cy", "aiops")


def workspace() -> Workspace:
    commanded = {"rollback": replace(ROLLBACK, command="/back")}
    app = SlackApp.from_manifest(manifest(known_commands(), commanded))
    channels = (Channel("C0000000OPS", "ml-platform", EVERYBODY), Channel("C0000WEATHER", "weather", EVERYBODY))
    return Workspace(PEOPLE, channels, app, groups=(UserGroup("S0SRE", "sre", "Reliability", ("cy",)),))


@dataclass
class Chat:
    """A room whose news arrive in a Slack where people can click."""

    room: Room
    slack: Simulator
    surface: Surface
    enqueued: list[str] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Person:
        if name not in self.people:
            self.people[name] = Person(self.slack, name)
        return self.people[name]

    def audited(self) -> list[str]:
        with self.room.store.read() as unit:
            return [row.entry.action for row in unit.audit_rows(500)]


@pytest.fixture
def chat(sqlite_url) -> Iterator[Chat]:
    enqueued: list[str] = []

    def enqueue(_connection: Any, _workflow: str, number: str, _payload: Any, _lane: str) -> None:
        enqueued.append(number)

    store = open_store(sqlite_url, enqueue=enqueue)
    with Simulator(workspace()) as slack:
        room, render = Room(store=store), Renderer().render
        keys = Credentials(slack.app.bot_token, slack.app.app_token, slack.app.signing_secret, slack.api_url)
        room.lays(groups=Groups(web_client(keys.bot_token, keys.base_url, timeout_s=2)))
        surface = Surface(room.desk, render, keys)
        delivery = Delivery(Carrier(Outbox(store), surface.client, render, draw, pace=Pace(posts_per_s=50.0)), poll_s=0.03)
        delivery.start()
        socket = Socket(surface, ping_s=0.3)
        socket.connect()
        slack.wait_for_app()
        chat = Chat(room, slack, surface, enqueued)
        yield chat
        for somebody in chat.people.values():
            somebody.close()
        delivery.stop()
        socket.close()
        surface.close()
    store.close()
