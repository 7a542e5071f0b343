"""The Web API answers as Slack does: each refusal has its case, each method its result."""

import json

import httpx
import pytest
from small_slack import ANA, BO, OPS, QUIET, SECRET

BLOCK = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}}
HOME = {"type": "home", "blocks": [BLOCK]}
MODAL = {"type": "modal", "title": {"type": "plain_text", "text": "t"}, "blocks": [BLOCK]}
GONE = "1234567890.000001"

REFUSALS = [
    ("chat.postMessage", {"text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"channel": "C404", "text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"channel": SECRET, "text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"channel": QUIET, "text": "x"}, "not_in_channel"),
    ("chat.postMessage", {"channel": OPS}, "no_text"),
    ("chat.postMessage", {"channel": OPS, "text": " "}, "no_text"),
    ("chat.postMessage", {"channel": OPS, "blocks": "[{"}, "invalid_blocks_format"),
    ("chat.postMessage", {"channel": OPS, "blocks": [{"type": "banner"}]}, "invalid_blocks"),
    ("chat.postMessage", {"channel": OPS, "text": "x", "attachments": "x"}, "invalid_attachments"),
    ("chat.postMessage", {"channel": OPS, "text": "x", "attachments": [{}] * 101}, "too_many_attachments"),
    ("chat.postMessage", {"channel": OPS, "attachments": [{"blocks": [{"type": "x"}]}]}, "invalid_attachments"),
    ("chat.postMessage", {"channel": OPS, "text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
    ("chat.postMessage", {"channel": OPS, "text": "x", "metadata": "{"}, "invalid_metadata_format"),
    ("chat.postMessage", {"channel": OPS, "text": "x", "metadata": {"event_type": "e"}}, "invalid_metadata_schema"),
    (
        "chat.postMessage",
        {"channel": OPS, "text": "x", "metadata": {"event_type": "e", "event_payload": {"k": "v" * 9000}}},
        "metadata_too_large",
    ),
    ("chat.postMessage", {"channel": OPS, "text": "x", "username": "Root"}, "missing_scope"),
    (
        "chat.postMessage",
        {"channel": OPS, "blocks": [{"type": "image", "alt_text": "a", "slack_file": {"id": "F404"}}]},
        "invalid_blocks",
    ),
    ("chat.postEphemeral", {"channel": OPS, "text": "x"}, "user_not_found"),
    ("chat.postEphemeral", {"channel": OPS, "text": "x", "user": "U404"}, "user_not_found"),
    ("chat.postEphemeral", {"channel": OPS, "text": "x" * 40_001, "user": ANA}, "msg_too_long"),
    ("chat.update", {"channel": OPS, "ts": GONE, "text": "x"}, "message_not_found"),
    ("chat.update", {"channel": OPS, "text": "x"}, "message_not_found"),
    ("chat.delete", {"channel": OPS, "ts": GONE}, "message_not_found"),
    ("chat.getPermalink", {"channel": OPS, "message_ts": GONE}, "message_not_found"),
    ("conversations.create", {}, "invalid_name_required"),
    ("conversations.create", {"name": "ops"}, "name_taken"),
    ("conversations.create", {"name": "Bad Name"}, "invalid_name_specials"),
    ("conversations.create", {"name": "--"}, "invalid_name_punctuation"),
    ("conversations.create", {"name": "x" * 81}, "invalid_name_maxlength"),
    ("conversations.invite", {"channel": OPS, "users": ANA}, "already_in_channel"),
    ("conversations.invite", {"channel": OPS, "users": "U404"}, "user_not_found"),
    ("conversations.invite", {"channel": OPS}, "no_user"),
    ("conversations.invite", {"channel": OPS, "users": "U0000000BOT"}, "cant_invite_self"),
    ("conversations.invite", {"channel": QUIET, "users": BO}, "not_in_channel"),
    ("conversations.join", {"channel": "C404"}, "channel_not_found"),
    ("conversations.info", {"channel": SECRET}, "channel_not_found"),
    ("conversations.list", {"types": "secret_channel"}, "invalid_types"),
    ("conversations.list", {"cursor": "%%"}, "invalid_cursor"),
    ("conversations.list", {"limit": "many"}, "invalid_limit"),
    ("conversations.list", {"limit": 1001}, "invalid_limit"),
    ("conversations.members", {"channel": "C404"}, "channel_not_found"),
    ("conversations.history", {"channel": QUIET}, "not_in_channel"),
    ("conversations.history", {"channel": OPS, "oldest": "soon"}, "invalid_ts_oldest"),
    ("conversations.history", {"channel": OPS, "latest": "soon"}, "invalid_ts_latest"),
    ("conversations.replies", {"channel": OPS, "ts": GONE}, "thread_not_found"),
    ("conversations.setTopic", {"channel": OPS, "topic": "x" * 251}, "too_long"),
    ("conversations.archive", {"channel": "C0000000GEN"}, "cant_archive_general"),
    ("conversations.open", {}, "users_list_not_supplied"),
    ("conversations.open", {"users": f"{ANA},{BO}"}, "too_many_users"),
    ("conversations.open", {"users": "U404"}, "user_not_found"),
    ("users.info", {"user": "U404"}, "user_not_found"),
    ("users.lookupByEmail", {"email": "nobody@example.com"}, "users_not_found"),
    ("usergroups.users.list", {"usergroup": "S404"}, "no_such_subteam"),
    ("views.open", {"trigger_id": "1.x", "view": MODAL}, "invalid_trigger_id"),
    ("views.open", {"trigger_id": "1.x", "view": "{"}, "invalid_arguments"),
    ("views.open", {"trigger_id": "1.x", "view": HOME}, "invalid_arguments"),
    ("views.update", {"view_id": "V404", "view": MODAL}, "not_found"),
    ("views.publish", {"user_id": "U404", "view": HOME}, "user_not_found"),
    ("views.publish", {"user_id": ANA, "view": MODAL}, "invalid_arguments"),
    ("reactions.add", {"channel": OPS, "name": "eyes", "timestamp": GONE}, "message_not_found"),
    ("reactions.add", {"channel": OPS, "name": "eyes"}, "no_item_specified"),
    ("reactions.add", {"channel": OPS, "name": "no emoji!", "timestamp": GONE}, "invalid_name"),
    ("pins.add", {"channel": OPS}, "no_item_specified"),
    ("pins.add", {"channel": OPS, "timestamp": GONE}, "message_not_found"),
    ("bookmarks.add", {"channel_id": OPS, "title": "t", "type": "file"}, "invalid_bookmark_type"),
    ("bookmarks.add", {"channel_id": OPS, "title": "t", "type": "link", "link": "x"}, "invalid_link"),
    ("files.getUploadURLExternal", {"filename": "a.png"}, "missing_argument"),
    ("files.getUploadURLExternal", {"filename": "a.png", "length": 0}, "file_upload_size_restricted"),
    ("files.getUploadURLExternal", {"filename": "a.png", "length": "long"}, "invalid_arguments"),
    ("files.getUploadURLExternal", {"filename": "a", "length": 1, "alt_txt": "x" * 1001}, "alt_txt_too_large"),
    ("files.completeUploadExternal", {"files": []}, "invalid_arguments"),
    ("files.completeUploadExternal", {"files": [{"id": "F404"}]}, "file_not_found"),
    ("files.completeUploadExternal", {"files": [{"id": "F1"}], "channel_id": "C404"}, "channel_not_found"),
    ("files.completeUploadExternal", {"files": [{"id": "F1"}], "channel_id": QUIET}, "not_in_channel"),
    ("files.info", {"file": "F404"}, "file_not_found"),
    ("blocks.validate", {}, "invalid_arguments"),
    ("blocks.validate", {"blocks": [{"type": "banner"}]}, "invalid_blocks"),
    ("api.test", {"error": "my_error"}, "my_error"),
    ("chat.fly", {}, "unknown_method"),
]


@pytest.mark.parametrize(("method", "args", "error"), REFUSALS)
def test_each_refusal_has_slacks_own_code(api, method, args, error):
    assert api.error(method, **args) == error


def test_an_unknown_token_is_refused(api):
    assert api("auth.test", token="xoxb-stolen")["error"] == "invalid_auth"


def test_no_token_is_refused(api):
    assert api.http.post("/api/auth.test").json()["error"] == "not_authed"


@pytest.mark.parametrize(("method", "token"), [("auth.test", "app_token"), ("apps.connections.open", "bot_token")])
def test_the_wrong_kind_of_token_is_refused(api, method, token):
    assert api(method, token=getattr(api.slack.app, token))["error"] == "not_allowed_token_type"


@pytest.mark.parametrize(
    ("scope", "method", "args"),
    [
        ("chat:write", "chat.postMessage", {"channel": OPS, "text": "x"}),
        ("channels:history", "conversations.history", {"channel": OPS}),
        ("channels:read", "conversations.list", {}),
        ("channels:manage", "conversations.create", {"name": "new"}),
        ("groups:write", "conversations.create", {"name": "new", "is_private": True}),
        ("channels:join", "conversations.join", {"channel": QUIET}),
        ("users:read", "users.info", {"user": ANA}),
        ("users:read.email", "users.lookupByEmail", {"email": "ana@example.com"}),
        ("usergroups:read", "usergroups.list", {}),
        ("reactions:write", "reactions.add", {"channel": OPS, "name": "x", "timestamp": "1"}),
        ("pins:write", "pins.add", {"channel": OPS, "timestamp": "1"}),
        ("bookmarks:write", "bookmarks.add", {"channel_id": OPS}),
        ("files:write", "files.getUploadURLExternal", {"filename": "a", "length": 1}),
        ("im:write", "conversations.open", {"users": ANA}),
    ],
)
def test_a_missing_scope_names_what_is_needed(with_scopes, scope, method, args):
    answer = with_scopes(scope)(method, **args)

    assert (answer["error"], answer["needed"]) == ("missing_scope", scope)
    assert scope not in answer["provided"].split(",")


def test_json_form_and_get_say_the_same(api):
    headers = {"Authorization": f"Bearer {api.slack.app.bot_token}"}
    form = api.http.post("/api/conversations.info", data={"channel": OPS, "team_id": "T1"}, headers=headers).json()
    got = api.http.get("/api/conversations.info", params={"channel": OPS}, headers=headers).json()

    assert form == got == api("conversations.info", channel=OPS)


def test_blocks_of_a_form_come_as_json_text(api):
    form = {"channel": OPS, "blocks": json.dumps([BLOCK]), "token": api.slack.app.bot_token}
    posted = api.http.post("/api/chat.postMessage", data=form).json()

    assert posted["message"]["blocks"][0]["text"]["text"] == "x"


def test_a_refused_block_is_told_with_its_place(api):
    answer = api("chat.postMessage", channel=OPS, blocks=[BLOCK, {"type": "header", "text": "x"}])

    assert answer["response_metadata"]["messages"] == ["[ERROR] must provide an object [json-pointer:/blocks/1/text]"]


def test_a_text_is_cut_at_40000_characters(api):
    posted = api("chat.postMessage", channel=OPS, text="x" * 40_001)

    assert len(posted["message"]["text"]) == 40_000


def test_an_edit_of_more_than_4000_characters_is_too_long(api):
    ts = api.post()

    assert api.error("chat.update", channel=OPS, ts=ts, text="x" * 4001) == "msg_too_long"
    assert api.error("chat.update", channel=OPS, ts=ts, text="x" * 4000) == "ok"


def test_somebody_elses_message_can_neither_be_edited_nor_deleted(api):
    page = httpx.post(
        f"{api.slack.url}/ui/message",
        json={"user": ANA, "channel": OPS, "text": "mine"},
        headers={"X-Simulator-Page": "1"},
    ).json()

    assert api.error("chat.update", channel=OPS, ts=page["ts"], text="yours") == "cant_update_message"
    assert api.error("chat.delete", channel=OPS, ts=page["ts"]) == "cant_delete_message"


def test_an_ephemeral_cannot_be_edited(api):
    ts = api("chat.postEphemeral", channel=OPS, user=ANA, text="psst")["message_ts"]

    assert api.error("chat.update", channel=OPS, ts=ts, text="x") == "message_not_found"


def test_an_ephemeral_needs_its_reader_in_the_channel(api):
    made = api("conversations.create", name="only-the-app")["channel"]["id"]

    assert api.error("chat.postEphemeral", channel=made, user=ANA, text="x") == "user_not_in_channel"


def test_an_edit_with_text_takes_the_blocks_away_and_keeps_the_metadata(api):
    kept = {"event_type": "incident", "event_payload": {"id": "I1"}}
    ts = api.post("old", blocks=[BLOCK], metadata=kept)
    told = api("chat.update", channel=OPS, ts=ts, text="new")["message"]

    assert (told["text"], told.get("blocks"), told["metadata"]) == ("new", None, kept)
    assert told["edited"]["user"] == "U0000000BOT"


def test_an_edit_replaces_or_removes_metadata(api):
    ts = api.post("x", metadata={"event_type": "a", "event_payload": {}})
    changed = api("chat.update", channel=OPS, ts=ts, text="x", metadata={"event_type": "b", "event_payload": {}})
    removed = api("chat.update", channel=OPS, ts=ts, text="x", metadata={})

    assert changed["message"]["metadata"]["event_type"] == "b"
    assert "metadata" not in removed["message"]


def test_metadata_is_told_only_to_who_asks(api):
    ts = api.post("x", metadata={"event_type": "a", "event_payload": {"k": 1}})
    plain = api("conversations.history", channel=OPS, latest=ts, oldest=ts, inclusive=True)["messages"][0]
    asked = api("conversations.history", channel=OPS, latest=ts, oldest=ts, inclusive=True, include_all_metadata=True)["messages"][
        0
    ]

    assert "metadata" not in plain
    assert asked["metadata"] == {"event_type": "a", "event_payload": {"k": 1}}


def test_metadata_is_not_told_without_its_scope(with_scopes):
    api = with_scopes("metadata.message:read")
    api.post("x", metadata={"event_type": "a", "event_payload": {}})
    told = api("conversations.history", channel=OPS, include_all_metadata=True)["messages"][0]

    assert "metadata" not in told


def test_replies_stand_in_the_thread_and_not_in_the_history(api):
    root = api.post("root")
    reply = api.post("reply", thread_ts=root)
    history = [m["ts"] for m in api("conversations.history", channel=OPS)["messages"]]
    thread = api("conversations.replies", channel=OPS, ts=root)["messages"]

    assert (root in history, reply in history) == (True, False)
    assert [m["ts"] for m in thread] == [root, reply]
    assert (thread[0]["reply_count"], thread[0]["latest_reply"], thread[1]["thread_ts"]) == (1, reply, root)


def test_a_broadcast_reply_stands_in_both(api):
    root = api.post("root")
    reply = api.post("reply", thread_ts=root, reply_broadcast=True)

    assert reply in [m["ts"] for m in api("conversations.history", channel=OPS)["messages"]]


def test_a_reply_to_a_message_that_is_gone_is_posted_into_the_channel(api):
    root = api.post("root")
    api("chat.delete", channel=OPS, ts=root)
    posted = api("chat.postMessage", channel=OPS, text="late", thread_ts=root)

    assert posted["ok"]
    assert "thread_ts" not in posted["message"]
    assert posted["ts"] in [m["ts"] for m in api("conversations.history", channel=OPS)["messages"]]


def test_a_deleted_root_with_replies_leaves_a_tombstone(api):
    root = api.post("root")
    api.post("reply", thread_ts=root)
    api("chat.delete", channel=OPS, ts=root)
    left = api("conversations.replies", channel=OPS, ts=root)["messages"]

    assert (left[0]["subtype"], left[1]["text"]) == ("tombstone", "reply")
    assert api.error("chat.update", channel=OPS, ts=root, text="x") == "cant_update_message"


def test_history_comes_in_pages_newest_first(api):
    channel = api("conversations.create", name="pages")["channel"]["id"]
    sent = [api.post(str(number), channel=channel) for number in range(5)]
    first = api("conversations.history", channel=channel, limit=3)
    cursor = first["response_metadata"]["next_cursor"]
    second = api("conversations.history", channel=channel, limit=3, cursor=cursor)

    assert [m["ts"] for m in first["messages"] + second["messages"]] == sent[::-1]
    assert (first["has_more"], second["has_more"]) == (True, False)


def test_history_can_be_asked_from_a_time_on(api):
    first, second, third = (api.post(text) for text in "abc")
    told = api("conversations.history", channel=OPS, oldest=first)["messages"]

    assert [m["ts"] for m in told] == [third, second]


def test_posting_to_a_person_opens_the_direct_message(api):
    posted = api("chat.postMessage", channel=BO, text="hello bo")

    assert posted["channel"] == api("conversations.open", users=BO)["channel"]["id"]
    assert posted["channel"].startswith("D")


def test_a_channel_may_be_named_by_its_name_when_posting(api):
    assert api("chat.postMessage", channel="#ops", text="x")["channel"] == OPS


def test_a_channel_is_created_filled_named_and_archived(api):
    made = api("conversations.create", name="inc-1")["channel"]["id"]
    assert api.error("conversations.invite", channel=made, users=f"{ANA},{BO}") == "ok"
    assert api.error("conversations.setTopic", channel=made, topic="SEV1") == "ok"
    assert set(api("conversations.members", channel=made)["members"]) == {ANA, BO, "U0000000BOT"}
    assert api("conversations.info", channel=made)["channel"]["topic"]["value"] == "SEV1"
    assert api.error("conversations.archive", channel=made) == "ok"

    assert api.error("conversations.archive", channel=made) == "already_archived"
    assert api.error("chat.postMessage", channel=made, text="x") == "is_archived"
    assert api.error("conversations.join", channel=made) == "is_archived"


def test_joining_makes_posting_possible(with_scopes):
    api = with_scopes()
    assert api.error("chat.postMessage", channel=QUIET, text="x") == "not_in_channel"
    assert api.error("conversations.join", channel=QUIET) == "ok"

    assert api.error("chat.postMessage", channel=QUIET, text="x") == "ok"
    assert api("conversations.join", channel=QUIET)["warning"] == "already_in_channel"


def test_a_private_channel_is_joined_by_nobody_and_listed_to_members_only(api):
    listed = api("conversations.list", types="public_channel,private_channel", exclude_archived=True)["channels"]

    assert api.error("conversations.join", channel=SECRET) == "channel_not_found"
    assert SECRET not in [channel["id"] for channel in listed]


def test_a_message_is_pinned_and_reacted_to_once(api):
    ts = api.post()
    assert api.error("pins.add", channel=OPS, timestamp=ts) == "ok"
    assert api.error("reactions.add", channel=OPS, timestamp=ts, name="eyes") == "ok"

    assert api.error("pins.add", channel=OPS, timestamp=ts) == "already_pinned"
    assert api.error("reactions.add", channel=OPS, timestamp=ts, name="eyes") == "already_reacted"
    assert api("pins.list", channel=OPS)["items"][0]["message"]["ts"] == ts
    assert api("reactions.get", channel=OPS, timestamp=ts)["message"]["reactions"][0]["count"] == 1


def test_pins_and_reactions_are_taken_back_once(api):
    ts = api.post()
    api("pins.add", channel=OPS, timestamp=ts)
    api("reactions.add", channel=OPS, timestamp=ts, name="eyes")
    assert api.error("pins.remove", channel=OPS, timestamp=ts) == "ok"
    assert api.error("reactions.remove", channel=OPS, timestamp=ts, name="eyes") == "ok"

    assert api.error("pins.remove", channel=OPS, timestamp=ts) == "no_pin"
    assert api.error("reactions.remove", channel=OPS, timestamp=ts, name="eyes") == "no_reaction"


def test_bookmarks_are_listed(api):
    api("bookmarks.add", channel_id=OPS, title="Runbook", type="link", link="https://example.com")

    assert api("bookmarks.list", channel_id=OPS)["bookmarks"][-1]["title"] == "Runbook"


def test_people_and_groups_are_told(api):
    group = api("usergroups.list", include_users=True)["usergroups"][0]

    assert api("users.info", user=ANA)["user"]["profile"]["title"] == "ML engineer"
    assert api("users.lookupByEmail", email="ANA@example.com")["user"]["id"] == ANA
    assert [user["id"] for user in api("users.list", limit=2)["members"]] == [ANA, BO]
    assert group["users"] == api("usergroups.users.list", usergroup="S1")["users"] == [ANA, BO]


def test_a_permalink_names_message_and_thread(api):
    root = api.post("root")
    reply = api.post("reply", thread_ts=root)
    link = api("chat.getPermalink", channel=OPS, message_ts=reply)["permalink"]

    assert link == (f"https://blue-jay.slack.com/archives/{OPS}/p{reply.replace('.', '')}?thread_ts={root}&cid={OPS}")


def test_home_is_published_and_guarded_by_its_hash(api):
    first = api("views.publish", user_id=ANA, view=HOME)["view"]
    second = api("views.publish", user_id=ANA, view=HOME, hash=first["hash"])["view"]

    assert second["id"] == first["id"]
    assert api.error("views.publish", user_id=ANA, view=HOME, hash=first["hash"]) == "hash_conflict"


def test_blocks_validate_needs_no_token(api):
    assert api("blocks.validate", token="", blocks=[BLOCK])["ok"]
    assert api("blocks.validate", token="", view=MODAL)["ok"]


def test_a_file_is_announced_sent_and_shared_with_its_alt_text(api):
    png = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + (640).to_bytes(4) + (480).to_bytes(4)
    told = api("files.getUploadURLExternal", filename="drift.png", length=len(png), alt_txt="PSI by day")
    assert httpx.post(told["upload_url"], content=png).status_code == 200
    root = api.post("root")
    files = [{"id": told["file_id"], "title": "Drift"}]
    assert api.error("files.completeUploadExternal", files=files, channel_id=OPS, thread_ts=root) == "ok"
    shared = api("conversations.replies", channel=OPS, ts=root)["messages"][1]["files"][0]
    headers = {"Authorization": f"Bearer {api.slack.app.bot_token}"}

    assert (shared["alt_txt"], shared["title"], shared["mimetype"]) == ("PSI by day", "Drift", "image/png")
    assert (shared["original_w"], shared["original_h"]) == (640, 480)
    assert httpx.get(shared["url_private"], headers=headers).content == png
    assert httpx.get(shared["url_private"]).status_code == 404
    assert api("files.info", file=told["file_id"])["file"]["id"] == told["file_id"]


def test_a_file_may_come_as_a_form_and_only_once(api):
    told = api("files.getUploadURLExternal", filename="a.txt", length=2)

    assert httpx.post(told["upload_url"], files={"file": b"hi"}).text == "OK - 2"
    assert httpx.post(told["upload_url"], content=b"again").status_code == 404


def test_an_image_block_shows_an_uploaded_file(api):
    told = api("files.getUploadURLExternal", filename="a.png", length=1)
    httpx.post(told["upload_url"], content=b"x")
    api("files.completeUploadExternal", files=[{"id": told["file_id"]}])
    block = {"type": "image", "alt_text": "a", "slack_file": {"id": told["file_id"]}}

    assert api.error("chat.postMessage", channel=OPS, blocks=[block]) == "ok"
