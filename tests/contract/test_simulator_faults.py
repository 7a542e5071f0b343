"""Slack on a bad day: what the real clients meet when the simulator is told to fail."""

import time

import pytest
from bolt_app import button, card, new_app, over_http, over_socket, until
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler, RateLimitErrorRetryHandler

from bot.simulator import Person, Simulator, WorkspaceError

OPS = "C0000000OPS"


@pytest.fixture(scope="module")
def slack():
    with Simulator(ack_timeout_s=0.4) as running:
        yield running


@pytest.fixture
def client(slack):
    return WebClient(slack.app.bot_token, base_url=slack.api_url, retry_handlers=[], timeout=2)


def count(slack, text):
    return slack.transcript("ops").count(text)


def test_too_many_requests_says_when_to_come_back(slack, client):
    slack.fault("rate_limited", "chat.postMessage", retry_after=7)
    with pytest.raises(SlackApiError) as refused:
        client.chat_postMessage(channel=OPS, text="first")

    assert (refused.value.response.status_code, refused.value.response["error"]) == (429, "ratelimited")
    assert refused.value.response.headers["Retry-After"] == "7"
    assert count(slack, "first") == 0
    assert client.chat_postMessage(channel=OPS, text="second")["ok"]


def test_a_patient_client_gets_through(slack):
    handlers = [RateLimitErrorRetryHandler(max_retry_count=2)]
    patient = WebClient(slack.app.bot_token, base_url=slack.api_url, retry_handlers=handlers)
    slack.fault("rate_limited", "chat.postMessage", retry_after=0, count=2)

    assert patient.chat_postMessage(channel=OPS, text="patient")["ok"]


@pytest.mark.parametrize("status", [500, 503])
def test_a_broken_server_answers_with_its_status(slack, client, status):
    slack.fault("server_error", "chat.postMessage", status=status)
    with pytest.raises(SlackApiError) as refused:
        client.chat_postMessage(channel=OPS, text=f"broken {status}")

    assert refused.value.response.status_code == status
    assert count(slack, f"broken {status}") == 0


def test_a_connection_dropped_after_the_message_was_stored_looks_like_a_failure(slack, client):
    slack.fault("drop_after_accept", "chat.postMessage")
    with pytest.raises(OSError, match="reset"):
        client.chat_postMessage(channel=OPS, text="ambiguous")

    assert count(slack, "ambiguous") == 1


def test_the_default_client_then_sends_twice(slack):
    handlers = [ConnectionErrorRetryHandler(max_retry_count=1)]
    eager = WebClient(slack.app.bot_token, base_url=slack.api_url, retry_handlers=handlers)
    slack.fault("drop_after_accept", "chat.postMessage")
    eager.chat_postMessage(channel=OPS, text="doubled")

    assert count(slack, "doubled") == 2


def test_a_connection_dropped_before_leaves_nothing(slack, client):
    slack.fault("drop_before_accept", "chat.postMessage")
    with pytest.raises(OSError, match="reset"):
        client.chat_postMessage(channel=OPS, text="never came")

    assert count(slack, "never came") == 0


def test_a_late_accept_stores_after_the_client_gave_up(slack):
    hasty = WebClient(slack.app.bot_token, base_url=slack.api_url, retry_handlers=[], timeout=0.2)
    hasty.timeout = 0.2
    slack.fault("late_accept", "chat.postMessage", delay_s=0.5)
    with pytest.raises(TimeoutError):
        hasty.chat_postMessage(channel=OPS, text="afterwards")
    assert count(slack, "afterwards") == 0

    until(lambda: count(slack, "afterwards") == 1)


def test_a_slow_answer_comes_in_the_end(slack, client):
    slack.fault("slow", "chat.postMessage", delay_s=0.3)
    started = time.monotonic()
    client.chat_postMessage(channel=OPS, text="slowly")

    assert time.monotonic() - started >= 0.3


def test_a_fault_hits_its_method_and_channel_only(slack, client):
    slack.fault("server_error", "chat.postMessage", channel="C0000000GEN")
    assert client.chat_postMessage(channel=OPS, text="spared")["ok"]
    with pytest.raises(SlackApiError, match="internal_error"):
        client.chat_postMessage(channel="C0000000GEN", text="hit")


def test_an_unknown_fault_is_named(slack):
    with pytest.raises(WorkspaceError, match="There is no fault 'gremlin'; known are rate_limited"):
        slack.fault("gremlin")


@pytest.mark.parametrize("way", [over_socket, over_http])
def test_a_doubled_delivery_reaches_the_listener_twice(way):
    with Simulator() as slack:
        app, heard = new_app(slack), []

        @app.action("go")
        def clicked(ack, body):
            ack()
            heard.append(body["actions"][0]["action_ts"])

        with way(slack, app), Person(slack, "ana") as ana:
            app.client.chat_postMessage(channel=OPS, text="x", blocks=card(button("Go", "go")))
            slack.fault("duplicate_delivery")
            ana.clicks("Go")
            until(lambda: len(heard) == 2)

            assert heard[0] == heard[1]


def test_the_app_comes_back_after_a_disconnect_and_after_a_killed_socket():
    with Simulator() as slack:
        app = new_app(slack)
        app.command("/aiops")(lambda ack, body: ack(f"heard {body['text']}"))
        with over_socket(slack, app) as handler, Person(slack, "ana") as ana:
            for turn, fault in enumerate(("disconnect", "kill_socket")):
                slack.fault(fault)
                if fault == "kill_socket":
                    assert ana.says("/aiops lost", channel="ops") == '/aiops failed with the error "dispatch_failed"'
                    handler.client.connect_to_new_endpoint()
                slack.wait_for_app()
                assert ana.says(f"/aiops turn {turn}", channel="ops") is None
                ana.sees(f"heard turn {turn}")


def test_a_warning_leaves_the_socket_open():
    with Simulator() as slack, over_socket(slack, new_app(slack)):
        slack.fault("disconnect", reason="warning")

        assert slack.room.deliver.reachable
