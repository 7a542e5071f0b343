"""Slack on its worst days, and a bot that is killed in between: nothing is lost, and a key is one visible message."""

import logging
import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

import pytest

from bot.charts import draw
from bot.core.audit import AuditEntry
from bot.core.notices import Notice
from bot.render import Renderer
from bot.simulator import Channel, Simulator, SlackApp, User, Workspace
from bot.slack.carrier import Carrier
from bot.slack.client import web_client
from bot.slack.delivery import Delivery
from bot.slack.pacing import Pace
from bot.slack.ports import Ears
from bot.store.database import open_store, wall_clock
from bot.store.outbox import Outbox
from tests.faults.databases import POSTGRES_SLOWLY

NURSERY = multiprocessing.get_context("forkserver")
SETTLE = timedelta(seconds=2)
CLAIM = timedelta(seconds=2)
TIMEOUT_S = 1
LATE_S = 1.4  # after the client has given up, before the settle wait is over
CHANNELS = ("C0000000OPS", "C0000000TWO", "C000000TREE")
CHART = {"kind": "timeline", "title": "Brier skill", "points": [{"at": "2026-01-01T00:00:00Z", "value": 0.1}], "reference": 0.2}


def line(key: str, channel: str = "", thread: str = "", text: str = "news", chart: Mapping[str, object] | None = None) -> Notice:
    """A notice; an answer names no channel, because its thread has one."""
    channel = channel or ("" if thread else CHANNELS[0])
    data = {"emoji": ":memo:", "text": f"{text} of {key}", "by": "", "witness": ""}
    return Notice(key, channel, "line", data, thread=thread, chart=chart or {})


@dataclass(frozen=True)
class Post:
    """A database, a Slack, and what is told from one to the other."""

    url: str
    api_url: str
    token: str

    def tells(self, *notices: Notice) -> None:
        store = open_store(self.url)
        with store.write() as unit:
            for notice in notices:
                unit.announce(notice)
        store.close()

    def left(self) -> int:
        store = open_store(self.url)
        try:
            return Outbox(store).depth_and_oldest()[0]
        finally:
            store.close()

    def audited(self) -> list[str]:
        store = open_store(self.url)
        try:
            with store.read() as unit:
                return [row.entry.action for row in unit.audit_rows(1_000)]
        finally:
            store.close()

    def delivers_until_empty(self, within_s: float = 25.0, *, rechecks_s: Sequence[float] = (), audited: str = "") -> None:
        delivery = self.delivery(rechecks_s=rechecks_s)
        delivery.start()
        try:
            deadline = time.monotonic() + within_s
            while self.left() or (audited and audited not in self.audited()):
                assert time.monotonic() < deadline, f"{self.left()} messages are stuck after {within_s} s: {delivery.trouble}"
                time.sleep(0.05)
        finally:
            delivery.stop()

    def delivery(self, kill_before: str = "", *, rechecks_s: Sequence[float] = ()) -> Delivery:
        store = open_store(self.url)

        def audit(action: str, target: str, facts: Mapping[str, object]) -> None:
            with store.write() as unit:
                unit.audit(AuditEntry(wall_clock(), "aiops-bot", action, target, payload=facts))

        outbox = DeadlyOutbox(store, kill_before) if kill_before else Outbox(store, settle=SETTLE, claim=CLAIM)
        carrier = Carrier(
            outbox,
            web_client(self.token, self.api_url, timeout_s=TIMEOUT_S),
            Renderer().render,
            draw,
            ears=Ears(audit=audit),
            pace=Pace(posts_per_s=100.0),
        )
        return Delivery(carrier, poll_s=0.05, rechecks_s=rechecks_s)

    def seen(self) -> list[tuple[str, str, bool]]:
        """Every message of ours that stands in Slack: (key, channel, whether it is a reply), files as "file"."""
        client, found = web_client(self.token, self.api_url), []
        for channel in CHANNELS:
            for root in client.conversations_history(channel=channel, include_all_metadata=True, limit=999)["messages"]:
                answers = client.conversations_replies(channel=channel, ts=root["ts"], include_all_metadata=True, limit=999)
                for message in answers["messages"]:
                    told = message.get("metadata") or {}
                    key = (told.get("event_payload") or {}).get("key") or ("file" if message.get("files") else "?")
                    found.append((key, channel, message["ts"] != root["ts"]))
        return found


class DeadlyOutbox(Outbox):
    """Kills its own process with SIGKILL just before ("sending": after the mark) or just after Slack is called ("sent")."""

    def __init__(self, store, kill_before):
        super().__init__(store, settle=SETTLE, claim=CLAIM)
        self.kill_before = kill_before

    def sending(self, key, nonce, now):
        marked = super().sending(key, nonce, now)
        self._die("sending")
        return marked

    def sent(self, key, revision, ts):
        self._die("sent")
        return super().sent(key, revision, ts)

    def _die(self, moment):
        if self.kill_before == moment:
            os.kill(os.getpid(), signal.SIGKILL)


def live(post: Post, kill_before: str = "") -> None:
    """One process that delivers until it is killed."""
    logging.disable(logging.CRITICAL)
    post.delivery(kill_before).start()
    time.sleep(60)


def begin(post: Post, kill_before: str = ""):
    process = NURSERY.Process(target=live, args=(post, kill_before), daemon=True)
    process.start()
    return process


@pytest.fixture
def slack():
    channels = tuple(Channel(id_, f"c{n}", ("ana", "aiops")) for n, id_ in enumerate(CHANNELS))
    with Simulator(Workspace((User("U00000000AA", "ana"),), channels, SlackApp())) as running:
        yield running


@pytest.fixture
def post(database_url, slack) -> Post:
    return Post(database_url, slack.api_url, slack.app.bot_token)


@pytest.fixture
def light_post(sqlite_url, slack) -> Post:
    """On SQLite only: for what Slack does, not for what the database does."""
    return Post(sqlite_url, slack.api_url, slack.app.bot_token)


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("rate_limited", {"retry_after": 1, "count": 2}),
        ("server_error", {"status": 500, "count": 2}),
        ("drop_before_accept", {}),
        ("drop_after_accept", {"count": 2}),
        ("late_accept", {"delay_s": LATE_S}),
        ("slow", {"delay_s": LATE_S}),
    ],
)
def test_whatever_slack_does_to_a_post_it_is_seen_once(post, slack, kind, details):
    slack.fault(kind, "chat.postMessage", **details)
    post.tells(line("incident:1"), line("incident:1/line:2", thread="incident:1"))

    post.delivers_until_empty()

    assert sorted(post.seen()) == [("incident:1", CHANNELS[0], False), ("incident:1/line:2", CHANNELS[0], True)]


@pytest.mark.parametrize("moment", ["sending", "sent"])
def test_a_kill_between_the_mark_and_the_record_neither_loses_nor_doubles(post, moment):
    post.tells(line("incident:1"))
    victim = begin(post, kill_before=moment)
    victim.join(15)
    assert victim.exitcode == -signal.SIGKILL

    post.delivers_until_empty()

    assert post.seen() == [("incident:1", CHANNELS[0], False)]


def test_a_kill_between_the_commit_and_the_post_loses_nothing(post):
    post.tells(line("incident:1"))  # committed, and nobody has ever looked at it

    post.delivers_until_empty()

    assert post.seen() == [("incident:1", CHANNELS[0], False)]


@POSTGRES_SLOWLY
def test_random_kills_under_a_slack_that_drops_and_delays_lose_and_double_nothing(post, slack):
    random = Random(7)
    keys = []
    for number in range(1, 13):
        channel, root = CHANNELS[number % 3], f"incident:{number}"
        threads = [line(f"{root}/line:{n}", thread=root) for n in range(2)]
        post.tells(line(root, channel), *threads)
        keys += [(root, channel, False), *((one.key, channel, True) for one in threads)]
    for kind in ("drop_after_accept", "server_error", "late_accept", "rate_limited", "drop_before_accept", "slow"):
        slack.fault(kind, "chat.postMessage", delay_s=LATE_S, retry_after=1)
    for _ in range(5):
        process = begin(post)
        time.sleep(random.uniform(0.8, 2.2))
        os.kill(process.pid, signal.SIGKILL)
        process.join(5)

    post.delivers_until_empty(45)

    assert Counter(post.seen()) == Counter(keys)


@POSTGRES_SLOWLY
def test_a_message_that_lands_after_it_was_given_up_is_collapsed_and_audited(post, slack):
    slack.fault("late_accept", "chat.postMessage", delay_s=SETTLE.total_seconds() + 2.5)  # the read-back cannot see it yet
    post.tells(line("incident:1"))

    post.delivers_until_empty(rechecks_s=(1.0, 3.0, 9.0), audited="delivery.collapsed")

    assert post.seen() == [("incident:1", CHANNELS[0], False)]


@POSTGRES_SLOWLY
def test_an_outage_of_slack_loses_nothing_and_the_last_state_is_what_people_see(post, slack):
    post.tells(line("incident:1", text="opened"))
    post.delivers_until_empty()
    slack.fault("server_error", "*", count=3)
    for text in ("acknowledged", "mitigating", "resolved"):
        post.tells(line("incident:1", text=text))

    post.delivers_until_empty()

    assert post.seen() == [("incident:1", CHANNELS[0], False)]
    assert "resolved of incident:1" in slack.transcript("c0")


def test_a_channel_that_refuses_holds_up_no_other_one(post, slack):
    slack.fault("rate_limited", "chat.postMessage", count=1, retry_after=30, channel=CHANNELS[0])
    post.tells(line("incident:1", CHANNELS[0]), line("incident:2", CHANNELS[1]))
    delivery = post.delivery()
    delivery.pass_once()
    delivery.stop()

    assert post.seen() == [("incident:2", CHANNELS[1], False)]
    assert post.left() == 1


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
@pytest.mark.parametrize("kind", ["drop_after_accept", "drop_before_accept", "server_error"])
def test_a_chart_is_shown_once_whatever_happens_to_its_upload(light_post, slack, method, kind):
    slack.fault(kind, method)
    light_post.tells(line("incident:1"), line("incident:1/evidence", thread="incident:1", chart=CHART))

    light_post.delivers_until_empty()

    assert Counter(key for key, _, _ in light_post.seen()) == {"incident:1": 1, "incident:1/evidence": 1, "file": 1}
