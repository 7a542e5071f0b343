"""How a call can end, told apart by what is known about its effect."""

import pytest

from bot.demo.ports import free_port
from bot.simulator import Simulator
from bot.slack.channels import Channels
from bot.slack.client import Refused, Unanswered, Unreachable, call, web_client


@pytest.fixture(scope="module")
def slack():
    with Simulator() as running:
        yield running


@pytest.fixture
def client(slack):
    return web_client(slack.app.bot_token, slack.api_url, timeout_s=1)


def posts(client, **more):
    return call(lambda: client.chat_postMessage(**{"channel": "C0000000OPS", "text": "hi", **more}))


@pytest.mark.parametrize(
    ("kind", "details", "trouble"),
    [
        ("rate_limited", {"retry_after": 7}, Refused),
        ("server_error", {"status": 500}, Unanswered),
        ("server_error", {"status": 503}, Unanswered),
        ("drop_before_accept", {}, Unanswered),
        ("drop_after_accept", {}, Unanswered),
        ("slow", {"delay_s": 1.3}, Unanswered),
    ],
)
def test_a_fault_is_told_by_its_effect(slack, client, kind, details, trouble):
    slack.fault(kind, "chat.postMessage", **details)

    with pytest.raises(trouble):
        posts(client)


def test_a_dropped_connection_is_never_repeated_by_the_client(slack, client):
    before = len(slack.calls("chat.postMessage"))
    slack.fault("drop_after_accept", "chat.postMessage")
    with pytest.raises(Unanswered):
        posts(client)

    assert len(slack.calls("chat.postMessage")) == before + 1


def test_how_long_slack_wants_to_be_left_alone_is_heard(slack, client):
    slack.fault("rate_limited", "chat.postMessage", retry_after=7)
    with pytest.raises(Refused) as trouble:
        posts(client)

    assert (trouble.value.code, trouble.value.retry_after_s) == ("ratelimited", 7.0)


def test_a_clear_no_carries_slacks_own_word_and_its_reasons(client):
    with pytest.raises(Refused, match=r"invalid_blocks .*unsupported type: nonsense") as trouble:
        posts(client, blocks=[{"type": "nonsense"}])

    assert trouble.value.code == "invalid_blocks"


def test_where_nobody_listens_nothing_was_sent():
    with pytest.raises(Unreachable):
        posts(web_client("xoxb-x", f"http://127.0.0.1:{free_port()}/api"))


def test_a_channels_id_is_found_by_its_name_and_asked_for_once(slack, client):
    channels, before = Channels(), len(slack.calls("conversations.list"))
    found = [channels.id_of(client, name) for name in ("#ops", "ops", "C0000000OPS")]

    assert found == ["C0000000OPS"] * 3
    assert len(slack.calls("conversations.list")) == before + 1


def test_a_channel_that_is_not_there_is_refused(client):
    with pytest.raises(Refused, match="channel_not_found"):
        Channels().id_of(client, "#nowhere")
