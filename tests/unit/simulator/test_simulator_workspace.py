"""The workspace file: what it may hold, and what is said when it is wrong."""

import json
import os
import re
import signal
import subprocess
import sys

import httpx
import pytest
from small_slack import ANA, BO, OPS, Api, small_workspace

from bot.simulator import Person, Simulator, Workspace, WorkspaceError, default_workspace

MANIFEST = {
    "display_information": {"name": "aiops"},
    "features": {
        "bot_user": {"display_name": "aiops"},
        "slash_commands": [
            {"command": "/aiops", "description": "d", "usage_hint": "status", "should_escape": True, "url": "https://x"}
        ],
        "shortcuts": [{"name": "Report", "type": "global", "callback_id": "report", "description": "d"}],
    },
    "oauth_config": {"scopes": {"bot": ["commands", "chat:write"]}},
    "settings": {"event_subscriptions": {"bot_events": ["app_mention"]}, "socket_mode_enabled": True},
}
USERS = [{"id": "U1", "name": "ana"}]


def test_a_manifest_tells_commands_scopes_events_and_transport():
    app = Workspace.from_dict({"users": USERS, "channels": [], "app": {"manifest": MANIFEST, "bot_token": "xoxb-1"}}).app

    assert (app.name, app.scopes, app.bot_events, app.transport) == (
        "aiops",
        ("commands", "chat:write"),
        ("app_mention",),
        "socket",
    )
    assert (app.commands[0].usage_hint, app.commands[0].should_escape, app.bot_token) == ("status", True, "xoxb-1")
    assert app.shortcuts[0].callback_id == "report"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"users": [{"id": "U1"}], "channels": []}, "A User is incomplete"),
        ({"users": [{"id": "U1", "name": "a", "rôle": "x"}], "channels": []}, "A User has no field 'rôle'"),
        ({"users": USERS, "channels": [], "people": []}, "A Workspace has no field 'people'"),
        (
            {"users": USERS, "channels": [{"id": "C1", "name": "ops", "members": ["zoe"]}]},
            "Nobody in the workspace is called 'zoe'; known are ana, aiops.",
        ),
        ({"users": USERS * 2, "channels": []}, "The user id 'U1' is used twice"),
        ({"users": USERS, "channels": [{"id": "C1", "name": "a"}, {"id": "C1", "name": "b"}]}, "The channel id 'C1'"),
    ],
)
def test_a_wrong_workspace_is_told_in_a_sentence(data, sentence):
    with pytest.raises(WorkspaceError, match=re.escape(sentence)):
        Workspace.from_dict(data)


@pytest.mark.parametrize("content", [None, "{"])
def test_an_unreadable_file_is_named(tmp_path, content):
    path = tmp_path / "workspace.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(WorkspaceError, match=r"workspace.json cannot be read"):
        Workspace.from_json(path)


def test_no_token_stands_in_a_printed_workspace():
    app = default_workspace().app

    assert app.bot_token not in repr(app)
    assert app.signing_secret not in repr(app)


def test_everything_survives_a_restart(tmp_path):
    db = tmp_path / "slack.db"
    payload = {"event_type": "incident", "event_payload": {"id": "I1"}}
    with Simulator(small_workspace(), db=db) as slack:
        app = Api(slack)
        root = app.post("root", metadata=payload)
        app.post("reply", thread_ts=root)
        app("pins.add", channel=OPS, timestamp=root)
        app("reactions.add", channel=OPS, timestamp=root, name="eyes")
        app("chat.postEphemeral", channel=OPS, user=ANA, text="psst")
        made = app("conversations.create", name="inc-1")["channel"]["id"]
        app("conversations.invite", channel=made, users=BO)
        told = app("files.getUploadURLExternal", filename="a.png", length=1, alt_txt="alt")
        httpx.post(told["upload_url"], content=b"x")
        app("files.completeUploadExternal", files=[{"id": told["file_id"]}], channel_id=OPS)
        app("views.publish", user_id=ANA, view={"type": "home", "blocks": []})
        before = slack.transcript("ops", seen_by="ana")
        app.http.close()
    with Simulator(small_workspace(), db=db) as slack, Person(slack, "bo") as bo:
        app = Api(slack)
        thread = app("conversations.replies", channel=OPS, ts=root, include_all_metadata=True)["messages"]

        assert slack.transcript("ops", seen_by="ana") == before
        assert (thread[0]["metadata"], thread[0]["reactions"][0]["name"], thread[0]["pinned_to"]) == (payload, "eyes", [OPS])
        assert app("conversations.members", channel=made)["members"] == ["U00000000BB", "U0000000BOT"]
        assert httpx.get(f"{slack.url}/ui/files/{told['file_id']}").content == b"x"
        assert app.post("later") > thread[1]["ts"]
        assert app.error("conversations.create", name="inc-1") == "name_taken"
        assert "inc-1" in bo.screen()
        app.http.close()


def test_the_process_prints_its_url_and_survives_a_kill(tmp_path):
    workspace = tmp_path / "workspace.json"
    workspace.write_text(json.dumps({"users": USERS, "channels": [{"id": "C1", "name": "ops", "members": ["ana"]}]}))
    command = [sys.executable, "-m", "bot.simulator", "--workspace", str(workspace), "--db", str(tmp_path / "slack.db")]
    for turn, stop in enumerate((signal.SIGKILL, signal.SIGTERM)):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        with Person(process.stdout.readline().strip(), "ana") as ana:
            ana.says(f"turn {turn}", channel="ops")
            ana.sees("turn 0")
        os.kill(process.pid, stop)
        process.wait(10)
        process.stdout.close()

    assert process.returncode in {0, -signal.SIGTERM}


def test_the_process_says_what_is_wrong_with_its_workspace(tmp_path):
    told = subprocess.run(
        [sys.executable, "-m", "bot.simulator", "--workspace", str(tmp_path / "none.json")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode == 2
    assert told.stderr.startswith("The workspace file")
    assert "Traceback" not in told.stderr
