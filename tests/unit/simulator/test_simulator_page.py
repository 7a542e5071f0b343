"""The page's own API: what people see and may do, and what is kept from them and from strangers."""

import json
import time
from contextlib import contextmanager

import httpx
import pytest
from small_slack import ANA, BO, OPS, QUIET, SECRET, Api, small_workspace
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from bot.simulator import Person, Simulator, WorkspaceError

HEADERS = {"X-Simulator-Page": "1"}
BLOCKS = [{"type": "section", "block_id": "s", "text": {"type": "mrkdwn", "text": "x"}}]


@pytest.fixture
def fresh():
    with Simulator(small_workspace()) as running:
        yield running


@pytest.fixture
def page(fresh):
    with httpx.Client(base_url=fresh.url, headers=HEADERS, trust_env=False) as client:
        yield client


@pytest.fixture
def app(fresh):
    client = Api(fresh)
    yield client
    client.http.close()


def channel(page, user, channel_id=OPS):
    state = page.get("/ui/state", params={"user": user}).json()
    return next((c for c in state["channels"] if c["id"] == channel_id), None)


@contextmanager
def listen(slack, user):
    with connect(f"{slack.url.replace('http', 'ws')}/ui/live?user={user}", proxy=None) as socket:
        assert json.loads(socket.recv(2)) == {"type": "joined"}
        yield socket


def heard(socket, kind):
    while True:
        event = json.loads(socket.recv(2))
        if event["type"] == kind:
            return event


def test_the_state_tells_people_channels_commands_and_the_bot(page):
    state = page.get("/ui/state", params={"user": ANA}).json()

    assert state["me"]["title"] == "ML engineer"
    assert [user["name"] for user in state["users"]] == ["ana", "bo", "aiops"]
    assert state["commands"] == [{"command": "/aiops", "usage_hint": "status", "description": "models"}]
    assert state["bot"] == {"user_id": "U0000000BOT", "name": "aiops", "connected": False, "transport": "none"}


def test_a_private_channel_is_seen_by_its_members_only(page):
    assert channel(page, ANA, SECRET)["is_private"]
    assert channel(page, BO, SECRET) is None
    assert page.get(f"/ui/channels/{SECRET}/messages", params={"user": BO}).status_code == 404


def test_unread_messages_are_counted_until_they_are_read(page, app):
    app.post("one")
    last = app.post("two, <@U00000000BB>")
    assert (channel(page, BO)["unread"], channel(page, BO)["mention"]) == (2, True)
    page.post("/ui/read", json={"user": BO, "channel": OPS, "ts": last})

    assert (channel(page, BO)["unread"], channel(page, BO)["mention"]) == (0, False)
    assert (channel(page, ANA)["unread"], channel(page, ANA)["mention"]) == (2, False)


def test_a_group_calls_its_members(page, app):
    app.post("<!subteam^S1|@oncall> look")

    assert channel(page, ANA)["mention"]


def test_ones_own_message_is_not_unread(page):
    page.post("/ui/message", json={"user": ANA, "channel": OPS, "text": "mine"})

    assert channel(page, ANA)["unread"] == 0


def test_what_is_typed_is_escaped_and_names_become_mentions(page):
    text = "<b> & @bo, @oncall, #ops, me@bo.example, <@U00000000AA>, @nobody, @here"
    page.post("/ui/message", json={"user": ANA, "channel": OPS, "text": text})
    shown = page.get(f"/ui/channels/{OPS}/messages", params={"user": ANA}).json()["messages"][0]["text"]

    assert shown == (
        "&lt;b&gt; &amp; <@U00000000BB>, <!subteam^S1|@oncall>, <#C0000000OPS|ops>, me@bo.example, <@U00000000AA>, @nobody, <!here>"
    )


@pytest.mark.parametrize(
    ("place", "text", "error"),
    [(OPS, "  ", "Write something first."), (QUIET, "hi", "#quiet is not joined by you yet.")],
)
def test_nothing_is_written_where_one_may_not(page, place, text, error):
    answer = page.post("/ui/message", json={"user": BO, "channel": place, "text": text}).json()

    assert (answer["ok"], answer["text"]) == (False, error)


def test_a_message_has_every_key_the_page_needs(page, app):
    root = app.post("root", blocks=BLOCKS)
    app.post("reply", thread_ts=root)
    app("pins.add", channel=OPS, timestamp=root)
    page.post("/ui/reaction", json={"user": ANA, "channel": OPS, "ts": root, "name": "eyes", "add": True})
    shown = page.get(f"/ui/channels/{OPS}/messages", params={"user": ANA}).json()["messages"][0]

    assert {k: shown[k] for k in ("app", "ephemeral", "pinned", "reply_count", "attachments", "files")} == {
        "app": True,
        "ephemeral": False,
        "pinned": True,
        "reply_count": 1,
        "attachments": [],
        "files": [],
    }
    assert shown["reactions"] == [{"name": "eyes", "users": [ANA], "count": 1}]


def test_pages_of_a_channel_go_back_in_time(page, app):
    sent = [app.post(str(number)) for number in range(5)]
    newest = page.get(f"/ui/channels/{OPS}/messages", params={"user": ANA, "limit": 2}).json()
    older = page.get(f"/ui/channels/{OPS}/messages", params={"user": ANA, "limit": 9, "before": sent[3]}).json()

    assert ([m["ts"] for m in newest["messages"]], newest["has_more"]) == (sent[3:], True)
    assert ([m["ts"] for m in older["messages"]], older["has_more"]) == (sent[:3], False)


def test_an_ephemeral_reaches_the_live_page_of_its_person_only(fresh, app):
    with listen(fresh, ANA) as ana, listen(fresh, BO) as bo:
        app("chat.postEphemeral", channel=OPS, user=ANA, text="psst")
        app.post("aloud")

        assert heard(ana, "ephemeral")["message"]["text"] == "psst"
        assert json.loads(bo.recv(2))["type"] == "call"
        assert heard(bo, "message")["message"]["text"] == "aloud"


def test_the_live_page_hears_edits_deletions_threads_and_channels(fresh, page, app):
    with listen(fresh, ANA) as socket:
        root = app.post("root")
        app.post("reply", thread_ts=root)
        assert heard(socket, "changed")["message"]["reply_count"] == 1
        app("chat.update", channel=OPS, ts=root, text="edited")
        assert heard(socket, "changed")["message"]["text"] == "edited"
        gone = app.post("gone")
        app("chat.delete", channel=OPS, ts=gone)
        assert heard(socket, "deleted")["ts"] == gone
        app("conversations.create", name="inc-7")
        assert heard(socket, "channel")["channel"]["name"] == "inc-7"
        page.post("/ui/banner", json={"text": "Day 3", "progress": 0.5})
        assert heard(socket, "banner") == {"type": "banner", "text": "Day 3", "progress": 0.5}
        app("views.publish", user_id=ANA, view={"type": "home", "blocks": BLOCKS})
        assert heard(socket, "home")["view"]["type"] == "home"


def test_the_banner_stays_in_the_state_until_it_is_taken_away(page):
    page.post("/ui/banner", json={"text": "Day 3", "progress": 0.5})
    assert page.get("/ui/state", params={"user": ANA}).json()["banner"] == {"text": "Day 3", "progress": 0.5}
    page.post("/ui/banner", json={})

    assert page.get("/ui/state", params={"user": ANA}).json()["banner"] is None


def test_the_call_log_shows_calls_without_tokens(page, app):
    app.http.post("/api/auth.test", data={"token": app.slack.app.bot_token})
    app("chat.postMessage", channel=OPS, blocks=[{"type": "banner"}])
    calls = page.get("/ui/calls", params={"user": ANA}).json()["calls"]

    assert [(call["name"], call["status"]) for call in calls] == [
        ("auth.test", "ok"),
        ("chat.postMessage", "invalid_blocks"),
    ]
    assert app.slack.app.bot_token not in str(calls)
    assert [call["id"] for call in page.get("/ui/calls", params={"after": calls[0]["id"]}).json()["calls"]] == [2]


def test_faults_are_listed_until_they_hit(page, app):
    page.post("/ui/faults", json={"kind": "rate_limited", "method": "chat.postMessage", "count": 2})
    assert app.error("chat.postMessage", channel=OPS, text="x") == "ratelimited"
    assert page.get("/ui/faults").json()["faults"][0]["count"] == 1
    page.post("/ui/faults", json={"clear": True})

    assert page.get("/ui/faults").json()["faults"] == []


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("/ui/message", {"user": "U404", "channel": OPS, "text": "x"}, 404, "no person with the id 'U404'"),
        ("/ui/message", {"user": ANA, "channel": "C404", "text": "x"}, 404, "sees no channel with the id 'C404'"),
        ("/ui/click", {"user": ANA, "channel": OPS, "message_ts": "1"}, 404, "ana sees no message '1' in ops"),
        ("/ui/view/submit", {"user": ANA, "view_id": "V404"}, 404, "ana has no open view 'V404'"),
        ("/ui/faults", {"kind": "gremlin"}, 400, "There is no fault 'gremlin'"),
        ("/ui/clock", {"advance_s": "soon"}, 400, "could not convert"),
    ],
)
def test_a_wrong_request_is_told_in_a_sentence(page, path, body, status, text):
    answer = page.post(path, json=body)

    assert answer.status_code == status
    assert text in answer.json()["text"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"'])
def test_a_body_that_is_no_object_is_refused(page, body):
    assert page.post("/ui/message", content=body).status_code == 400


def test_a_click_on_what_is_gone_says_so(page, app):
    ts = app.post("x", blocks=BLOCKS)
    at = {"user": ANA, "channel": OPS, "message_ts": ts, "block_id": "s", "action_id": "approve"}

    assert page.post("/ui/click", json=at).json()["text"] == "That button is no longer there; the message has changed."


def test_somebody_elses_ephemeral_and_view_cannot_be_used(page, app):
    ts = app("chat.postEphemeral", channel=OPS, user=ANA, text="psst", blocks=BLOCKS)["message_ts"]
    view = app("views.publish", user_id=ANA, view={"type": "home", "blocks": BLOCKS})["view"]

    assert page.post("/ui/click", json={"user": BO, "channel": OPS, "message_ts": ts}).status_code == 404
    assert page.post("/ui/view/click", json={"user": BO, "view_id": view["id"]}).status_code == 404


def test_a_forged_form_without_the_pages_header_is_refused(fresh):
    answer = httpx.post(f"{fresh.url}/ui/message", json={"user": ANA, "channel": OPS, "text": "forged"})

    assert answer.status_code == 403
    assert "forged" not in fresh.transcript("ops")


def test_a_foreign_host_name_is_refused(fresh):
    assert httpx.get(f"{fresh.url}/ui/people", headers={"Host": "evil.example"}).status_code == 400


def test_a_foreign_page_may_not_listen(fresh):
    url = f"{fresh.url.replace('http', 'ws')}/ui/live?user={ANA}"
    with pytest.raises(InvalidStatus, match="403"), connect(url, origin="https://evil.example", proxy=None):
        pass


def test_nobody_may_listen_as_a_stranger(fresh):
    with pytest.raises(InvalidStatus, match="403"), listen(fresh, "U404"):
        pass


def test_a_file_that_is_no_picture_is_a_download(page, app):
    told = app("files.getUploadURLExternal", filename="a.html", length=1)
    httpx.post(told["upload_url"], content=b"<script>")
    app("files.completeUploadExternal", files=[{"id": told["file_id"]}])
    answer = page.get(f"/ui/files/{told['file_id']}")

    assert answer.headers["content-disposition"] == "attachment"
    assert page.get("/ui/files/F404").status_code == 404


def test_it_listens_on_loopback_only(fresh):
    assert fresh.url.startswith("http://127.0.0.1:")


def test_a_port_that_is_taken_is_named(fresh):
    port = int(fresh.url.rpartition(":")[2])
    with pytest.raises(WorkspaceError, match=f"Port {port} on 127.0.0.1 cannot be used"):
        Simulator(port=port).start()


def test_a_stopped_simulator_says_so():
    slack = Simulator()

    with pytest.raises(WorkspaceError, match="is not running"):
        slack.transcript("ops")


def test_an_app_that_never_comes_is_named(fresh):
    with pytest.raises(WorkspaceError, match=r"No app connected .* within 0.05 s"):
        fresh.wait_for_app(within=0.05)


def test_a_person_who_waits_in_vain_shows_what_is_on_the_screen(fresh, app):
    root = app.post("root")
    app.post("below", thread_ts=root)
    with Person(fresh, "ana") as ana:
        started = time.monotonic()
        with pytest.raises(AssertionError) as missing:
            ana.sees("never said", within=0.2)

        assert time.monotonic() - started < 2
        assert "ana does not see 'never said' within 0.2 s." in str(missing.value)
        assert "#ops\naiops: root\n  │ aiops: below" in str(missing.value)


def test_a_person_who_should_not_see_something_does(fresh, app):
    app.post("secret plan")
    with Person(fresh, "bo") as bo, pytest.raises(AssertionError, match="bo should not see 'secret plan' but does"):
        bo.does_not_see("secret plan")


def test_nobody_by_that_name_is_named(fresh):
    with pytest.raises(WorkspaceError, match=r"Nobody is called 'zoe'; known are ana, bo."):
        Person(fresh, "zoe")


def test_a_person_sees_fallback_text_tables_and_alt_text(fresh, app):
    rows = [[{"type": "raw_text", "text": "psi"}, {"type": "raw_number", "value": 0.41}]]
    image = {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "rising line"}
    app.post("the fallback", blocks=[{"type": "table", "rows": rows}, image])
    with Person(fresh, "ana") as ana:
        for text in ("the fallback", "psi", "0.41", "rising line"):
            ana.sees(text, within=0)
        ana.sees("psi", channel="ops")
        ana.does_not_see("psi", channel="quiet", during=0)


def test_a_dismissed_confirm_dialog_sends_nothing(fresh, app):
    texts = {"title": "Sure?", "text": "It moves traffic.", "confirm": "Yes", "deny": "No"}
    confirm = {key: {"type": "plain_text", "text": text} for key, text in texts.items()}
    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}, "confirm": confirm}
    app.post("x", blocks=[{"type": "actions", "elements": [button]}])
    with Person(fresh, "ana") as ana:
        assert ana.clicks("Go", confirming=False) is None
        assert fresh.calls("block_actions go") == []
        assert ana.clicks("Go") == 'aiops did not answer: "dispatch_failed". Try again?'
