"""What Slack insists on: three seconds, one socket, signatures, retries, five answers, rate limits."""

import contextlib
import json
import time

import httpx
import pytest
from bolt_app import button, card, modal, new_app, over_http, over_socket, until
from slack_bolt import BoltResponse
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from websockets.sync.client import connect

from bot.simulator import Person, Simulator, WorkspaceError
from bot.simulator.signed_http import signature

OPS = "C0000000OPS"


@pytest.fixture
def slack():
    with Simulator(ack_timeout_s=0.3) as running:
        yield running


@pytest.fixture
def client(slack):
    return WebClient(slack.app.bot_token, base_url=slack.api_url, retry_handlers=[])


@contextlib.contextmanager
def open_sockets(slack, number=1):
    client = WebClient(base_url=slack.api_url)
    with contextlib.ExitStack() as opened:
        sockets = []
        for _ in range(number):
            url = client.apps_connections_open(app_token=slack.app.app_token)["url"]
            sockets.append(opened.enter_context(connect(url, proxy=None)))
            assert json.loads(sockets[-1].recv(2))["type"] == "hello"
        yield sockets


def test_slack_gives_an_app_three_seconds():
    with Simulator() as slack:
        app = new_app(slack)
        app.command("/aiops")(lambda: time.sleep(3.2))
        with over_socket(slack, app), Person(slack, "ana") as ana:
            started = time.monotonic()
            told = ana.says("/aiops status", channel="ops")

            assert told == '/aiops failed with the error "operation_timeout"'
            assert 2.9 < time.monotonic() - started < 3.6


@pytest.mark.parametrize("way", [over_socket, over_http])
def test_a_click_that_is_acknowledged_too_late_is_told_to_the_person(slack, way):
    app = new_app(slack)
    app.action("slow")(lambda ack: (time.sleep(0.6), ack()))
    with way(slack, app), Person(slack, "ana") as ana:
        app.client.chat_postMessage(channel=OPS, text="x", blocks=card(button("Slow", "slow")))

        assert ana.clicks("Slow") == 'aiops did not answer: "operation_timeout". Try again?'


def test_a_form_without_an_ack_stays_open(slack):
    app = new_app(slack)
    app.action("ask")(lambda ack, body, client: (ack(), client.views_open(trigger_id=body["trigger_id"], view=modal())))
    with over_socket(slack, app), Person(slack, "ana") as ana:
        app.client.chat_postMessage(channel=OPS, text="x", blocks=card(button("Ask", "ask")))
        ana.clicks("Ask")
        ana.fills("Why", "because")
        assert ana.submits() == {"": "We had some trouble connecting. Try again?"}

        ana.sees("Reason")


def test_a_command_nobody_listens_for_fails_by_the_status_over_http(slack):
    with over_http(slack, new_app(slack)), Person(slack, "ana") as ana:
        assert ana.says("/aiops status", channel="ops") == '/aiops failed with the error "http_client_error"'


def test_without_an_app_a_command_fails_at_once(slack):
    with Person(slack, "ana") as ana:
        assert ana.says("/aiops status", channel="ops") == '/aiops failed with the error "dispatch_failed"'


def test_an_unknown_command_is_said_to_be_none(slack):
    with Person(slack, "ana") as ana:
        assert ana.says("/aiop status", channel="ops").startswith("/aiop is not a valid command.")


def test_commands_are_refused_in_threads(slack, client):
    client.chat_postMessage(channel=OPS, text="root")
    with Person(slack, "ana") as ana:
        told = ana.says("/aiops status", channel="ops", in_thread="root")

        assert told == "/aiops is not supported in threads. Sorry!"


def test_a_trigger_is_good_once_and_for_three_seconds(slack):
    app, told = new_app(slack), []

    @app.action("ask")
    def ask(ack, body):
        ack()
        told.append(body["trigger_id"])

    with over_socket(slack, app), Person(slack, "ana") as ana:
        app.client.chat_postMessage(channel=OPS, text="x", blocks=card(button("Ask", "ask")))
        ana.clicks("Ask")
        app.client.views_open(trigger_id=told[0], view=modal())
        with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
            app.client.views_open(trigger_id=told[0], view=modal())
        ana.closes()
        ana.clicks("Ask")
        slack.advance(3.0)
        with pytest.raises(SlackApiError, match="expired_trigger_id"):
            app.client.views_open(trigger_id=told[1], view=modal())


def test_modals_stack_three_high_and_keep_their_hash(slack):
    app, told = new_app(slack), []
    app.action("ask")(lambda ack, body: (ack(), told.append(body["trigger_id"])))
    app.action("details")(lambda ack, body: (ack(), told.append(body["trigger_id"])))
    with over_socket(slack, app), Person(slack, "ana") as ana:
        app.client.chat_postMessage(channel=OPS, text="x", blocks=card(button("Ask", "ask")))
        ana.clicks("Ask")
        view = app.client.views_open(trigger_id=told[-1], view=modal(external_id="one"))["view"]
        newer = app.client.views_update(external_id="one", view=modal(external_id="one"), hash=view["hash"])["view"]
        with pytest.raises(SlackApiError, match="hash_conflict"):
            app.client.views_update(view_id=view["id"], view=modal(), hash=view["hash"])
        for title in ("Second", "Third"):
            ana.clicks("Details")
            pushed = app.client.views_push(trigger_id=told[-1], view=modal(title))["view"]
        ana.clicks("Details")
        with pytest.raises(SlackApiError, match="push_limit_reached"):
            app.client.views_push(trigger_id=told[-1], view=modal("Fourth"))

        assert newer["hash"] != view["hash"]
        assert pushed["root_view_id"] == view["id"]


def test_a_response_url_works_five_times(slack):
    app, urls = new_app(slack), []
    app.command("/aiops")(lambda ack, body: (ack(), urls.append(body["response_url"])))
    with over_socket(slack, app), Person(slack, "ana") as ana:
        ana.says("/aiops status", channel="ops")
        answers = [httpx.post(urls[0], json={"text": f"answer {n}"}) for n in range(6)]

        assert [answer.status_code for answer in answers] == [200] * 5 + [404]
        assert answers[5].json()["error"] == "used_url"
        ana.sees("answer 4")
        ana.does_not_see("answer 5")


def test_a_response_url_works_for_half_an_hour(slack):
    app, urls = new_app(slack), []
    app.command("/aiops")(lambda ack, body: (ack(), urls.append(body["response_url"])))
    with over_socket(slack, app), Person(slack, "ana") as ana:
        ana.says("/aiops status", channel="ops")
        slack.advance(29 * 60)
        assert httpx.post(urls[0], json={"text": "in time"}).status_code == 200
        slack.advance(60)

        assert httpx.post(urls[0], json={"text": "too late"}).json()["error"] == "expired_url"


def test_a_response_url_refuses_what_slack_refuses(slack):
    app, urls = new_app(slack), []
    app.command("/aiops")(lambda ack, body: (ack(), urls.append(body["response_url"])))
    with over_socket(slack, app), Person(slack, "ana") as ana:
        ana.says("/aiops status", channel="ops")

        assert httpx.post(urls[0], json={}).json()["error"] == "no_text"
        assert httpx.post(urls[0], json={"blocks": [{"type": "banner"}]}).json()["error"] == "invalid_blocks"
        assert httpx.post(urls[0], content=b"{").text == "invalid_payload"


def test_a_response_url_replaces_or_deletes_an_ephemeral_original(slack):
    app, urls = new_app(slack), []
    app.action("go")(lambda ack, body: (ack(), urls.append(body)))
    with over_socket(slack, app), Person(slack, "ana") as ana:
        app.client.chat_postEphemeral(channel=OPS, user=ana.id, text="x", blocks=card(button("Go", "go"), text="old"))
        ana.clicks("Go")
        assert ("message" in urls[0], urls[0]["container"]["is_ephemeral"]) == (False, True)
        httpx.post(urls[0]["response_url"], json={"replace_original": True, "text": "new"})
        ana.sees("new")
        ana.does_not_see("old", during=0)
        httpx.post(urls[0]["response_url"], json={"delete_original": True})

        ana.does_not_see("new", during=0)


def test_each_payload_goes_to_exactly_one_socket():
    heard = []
    with Simulator() as slack, open_sockets(slack, 3) as sockets, Person(slack, "ana") as ana:
        for number in range(6):
            ana.says(f"message {number}", channel="ops")
        for socket in sockets:
            for _ in range(2):
                frame = json.loads(socket.recv(2))
                socket.send(json.dumps({"envelope_id": frame["envelope_id"]}))
                heard.append(frame["payload"]["event"]["text"])

    assert sorted(heard) == [f"message {number}" for number in range(6)]


def test_an_app_has_at_most_ten_sockets(slack, client):
    with open_sockets(slack, 10), pytest.raises(SlackApiError, match="too_many_websockets"):
        client.apps_connections_open(app_token=slack.app.app_token)


def test_a_socket_address_is_good_once(slack, client):
    url = client.apps_connections_open(app_token=slack.app.app_token)["url"]
    with connect(url, proxy=None) as socket:
        socket.recv(2)
        with pytest.raises(Exception, match="403"), connect(url, proxy=None):
            pass


def test_an_event_without_an_ack_is_sent_three_more_times(slack):
    frames = []
    with open_sockets(slack) as (socket,), Person(slack, "ana") as ana:
        ana.says("listen", channel="ops")
        for wait_s in (0, 0, 60, 300):
            # Each try has to time out before the clock is pushed to the next.
            until(lambda: len(slack.calls("message")) == len(frames))
            slack.advance(wait_s)
            frames.append(json.loads(socket.recv(2)))
        until(lambda: len(slack.calls("message")) == 4)
        slack.advance(3600)
        with pytest.raises(TimeoutError):
            socket.recv(0.2)

    assert [frame["retry_attempt"] for frame in frames] == [0, 1, 2, 3]
    assert [frame["retry_reason"] for frame in frames] == ["", *["http_timeout"] * 3]
    assert len({frame["payload"]["event_id"] for frame in frames}) == 1


@pytest.mark.parametrize(("headers", "tries"), [({}, [None, "1"]), ({"X-Slack-No-Retry": "1"}, [None])])
def test_over_http_retries_carry_their_number_until_the_app_says_no(slack, headers, tries):
    app, heard = new_app(slack), []

    @app.middleware
    def refuse(req, next_):
        if req.body["type"] == "url_verification":
            return next_()
        heard.append(req.headers.get("x-slack-retry-num", [None])[0])
        return BoltResponse(status=503, headers=headers)

    with over_http(slack, app), Person(slack, "ana") as ana:
        ana.says("listen", channel="ops")
        until(lambda: len(heard) == len(tries))
        ana.does_not_see("the time that another try would need", during=0.2)

        assert heard == tries
        assert {call["status"] for call in slack.calls("message")} == {"http_service_error"}


def test_an_edited_request_fails_the_signature(slack):
    app = new_app(slack)
    app.command("/aiops")(lambda ack: ack("fine"))
    with over_http(slack, app), Person(slack, "ana") as ana:
        assert ana.says("/aiops status", channel="ops") is None
        now = str(int(time.time()))
        url = slack.room.deliver.request_url
        headers = {
            "X-Slack-Request-Timestamp": now,
            "X-Slack-Signature": signature(slack.app.signing_secret, now, "command=%2Faiops"),
            "Content-Type": "application/x-www-form-urlencoded",
        }

        assert httpx.post(url, content="command=%2Fother", headers=headers).status_code == 401
        assert httpx.post(url, content="command=%2Faiops", headers=headers).status_code == 200


def test_a_request_url_has_to_answer_the_challenge(slack):
    with pytest.raises(WorkspaceError, match="did not answer the challenge: dispatch_failed"):
        slack.deliver_to("http://127.0.0.1:9/slack/events")
    with pytest.raises(WorkspaceError, match="did not answer the challenge: http_client_error"):
        slack.deliver_to(f"{slack.url}/nowhere")
    with pytest.raises(WorkspaceError, match="must start with http"):
        slack.deliver_to("ftp://example.com")


def test_strict_rates_allow_a_burst_and_then_one_message_a_second():
    with Simulator(strict_rate=True) as slack:
        client = WebClient(slack.app.bot_token, base_url=slack.api_url, retry_handlers=[])
        for number in range(5):
            client.chat_postMessage(channel=OPS, text=str(number))
        with pytest.raises(SlackApiError, match="ratelimited") as refused:
            client.chat_postMessage(channel=OPS, text="too fast")
        assert refused.value.response.headers["Retry-After"] == "1"
        slack.advance(1)

        assert client.chat_postMessage(channel=OPS, text="patient")["ok"]


def test_strict_rates_know_slacks_tiers():
    with Simulator(strict_rate=True) as slack:
        client = WebClient(slack.app.bot_token, base_url=slack.api_url, retry_handlers=[])
        for _ in range(20):
            client.users_list()
        with pytest.raises(SlackApiError, match="ratelimited") as refused:
            client.users_list()

        assert refused.value.response.headers["Retry-After"] == "3"
        assert client.users_info(user="U00000000AA")["ok"]
