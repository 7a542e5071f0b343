"""Both ways in lead to the same listeners; over HTTP only what Slack has signed gets in, and only once."""

import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot.core.errors import ConfigError
from bot.slack.surface import Credentials, Surface
from bot.slack.transports import MOST_BYTES, PATH, Socket, routes
from tests.unit.flow.room import Room

SECRET = "s3cret"


@pytest.fixture
def door(chat):
    keys = Credentials(chat.slack.app.bot_token, "", SECRET, chat.slack.api_url)
    surface = Surface(chat.room.desk, chat.surface.render, keys)
    with TestClient(Starlette(routes=routes(surface))) as client:
        client.chat = chat
        yield client
    surface.close()


def signed(body, stamp=None, secret=SECRET):
    stamp = str(int(time.time())) if stamp is None else stamp
    digest = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
        "Content-Type": "application/x-www-form-urlencoded",
    }


def command(chat, text="whoami", trigger="t1", word="/aiops"):
    url = chat.slack.on_loop(_url(chat))
    fields = {"command": word, "text": text, "user_id": "U0ANA", "channel_id": "C0000000OPS", "team_id": "T0000000001"}
    return urlencode({**fields, "trigger_id": trigger, "response_url": url})


async def _url(chat):
    return chat.slack.room.replies.new_url("C0000000OPS", "U0ANA")


def test_a_signed_command_is_answered(door):
    body = command(door.chat)

    assert door.post(PATH, content=body, headers=signed(body)).status_code == 200
    assert door.chat.ana.sees("roles:")


def test_a_playbooks_own_command_is_answered_over_http_too(door):
    body = command(door.chat, "", word="/gone")

    assert door.post(PATH, content=body, headers=signed(body)).status_code == 200
    assert door.chat.ana.sees("No playbook answers to /gone here any more")


def test_the_same_signed_request_again_is_acknowledged_and_does_nothing(door):
    body = command(door.chat)
    answers = [door.post(PATH, content=body, headers=signed(body)).status_code for _ in range(3)]
    door.chat.ana.sees("roles:")

    assert answers == [200, 200, 200]
    assert door.chat.ana.screen().count("roles:") == 1


@pytest.mark.parametrize("stamp", ["abc", "", "-1", "²", "1e9", pytest.param(str(int(time.time()) - 310), id="310 s ago")])
def test_a_time_that_is_wrong_or_old_is_refused(door, stamp):
    body = command(door.chat)
    headers = {key: value.encode() for key, value in signed(body, stamp).items()}

    assert door.post(PATH, content=body, headers=headers).status_code == 401


def test_another_secret_is_refused(door):
    body = command(door.chat)

    assert door.post(PATH, content=body, headers=signed(body, secret="guess")).status_code == 401


def test_a_flood_is_cut_off(door):
    assert door.post(PATH, content="x" * (MOST_BYTES + 1), headers=signed("")).status_code == 413


def test_slacks_challenge_is_answered(door):
    body = json.dumps({"type": "url_verification", "challenge": "c"})
    answered = door.post(PATH, content=body, headers={**signed(body), "Content-Type": "application/json"})

    assert "c" in answered.text


def test_a_missing_secret_or_token_is_said_before_anything_starts():
    surface = Surface(Room().desk, lambda *_, **__: None, Credentials("xoxb-x"))
    with pytest.raises(ConfigError, match="SLACK_SIGNING_SECRET"):
        routes(surface)
    with pytest.raises(ConfigError, match="SLACK_APP_TOKEN"):
        Socket(surface)
    surface.close()
