"""Forms that Slack accepts whatever the data says, and a manifest that asks for no more than is used."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bot.slack
from bot.core.errors import NotFound
from bot.simulator import SlackApp
from bot.simulator.blocks import check_view
from bot.simulator.webapi.call import METHODS
from bot.slack import modals
from bot.slack.answers import Where
from bot.slack.command import known_commands
from bot.slack.manifest import SCOPES, manifest
from tests.unit.flow.room import ROLLBACK

HERE = Where("U1", "C1", "1.2")
TEXT = st.text(max_size=5_000)


def offers(*names, text="x"):
    version = {"name": "to", "title": text, "kind": "version", "choices": [{"value": "v1", "text": text}], "default": "v1"}
    share = {"name": "share", "title": text, "kind": "share", "choices": [], "default": text}
    return [{"name": n, "title": text, "summary": text, "suggestion": text, "parameters": [version, share]} for n in names]


@given(TEXT)
@settings(max_examples=40)
def test_slack_accepts_every_form_whatever_the_texts(text):
    for view in (
        modals.remedy(HERE, 3, offers("rollback", "shift", text=text)),
        modals.reason("reject", HERE, "p1"),
        modals.saying("Incident", text),
        modals.loading(text),
    ):
        check_view(json.loads(json.dumps(view)), "modal")


def test_a_form_remembers_where_it_was_opened_and_what_for():
    view = modals.remedy(HERE, 3, offers("rollback", "shift"), "shift")

    assert modals.recalled(view) == {"channel": "C1", "thread_ts": "1.2", "number": "3", "playbook": "shift"}


def test_one_playbook_needs_no_menu():
    ids = [block.get("block_id") for block in modals.remedy(HERE, 3, offers("rollback"))["blocks"]]

    assert "playbook" not in ids
    assert "parameter:rollback:to" in ids


def test_a_forged_memory_is_no_memory():
    assert modals.recalled({"private_metadata": "{"}) == {}
    assert modals.recalled({"private_metadata": "[1]"}) == {}


def test_what_was_chosen_is_read_by_parameter():
    chosen = {"v": {"type": "static_select", "selected_option": {"value": "v2"}}}
    typed = {"v": {"type": "plain_text_input", "value": " 0.5 "}}
    view = {"state": {"values": {"parameter:a:to": chosen, "parameter:a:share": typed, "playbook": {}}}}

    assert modals.chosen_parameters(view) == {"to": "v2", "share": "0.5"}


def test_what_has_choices_is_a_menu_and_what_rests_is_said():
    one = offers("rollback")
    one[0]["parameters"][1] |= {"kind": "text", "choices": [{"value": "slow", "text": "slow"}], "default": "slow"}
    view = modals.remedy(HERE, 3, one, resting=["'restart' rests."])
    check_view(view, "modal")
    elements = [block["element"] for block in view["blocks"] if block["type"] == "input"]

    assert [element["type"] for element in elements] == ["static_select", "static_select"]
    assert "'restart' rests." in [block["text"]["text"] for block in view["blocks"] if block["type"] == "section"]


def test_a_playbook_without_anything_to_choose_says_so():
    empty = offers("rollback")
    empty[0]["parameters"][0]["choices"] = []

    with pytest.raises(NotFound, match="cannot be proposed"):
        modals.remedy(HERE, 3, empty)


@pytest.mark.parametrize("url", ["", "https://bot.example/slack/events"])
def test_the_manifest_is_one_that_an_app_can_be_made_from(url):
    made = SlackApp.from_manifest(manifest(known_commands(), request_url=url))

    assert made.transport == ("http" if url else "socket")
    assert (made.request_url, made.commands[0].should_escape) == (url, True)


def test_the_hint_names_the_subcommands():
    assert "status" in manifest(known_commands())["features"]["slash_commands"][0]["usage_hint"]


def test_every_scope_that_is_used_is_asked_for_with_a_reason():
    code = "\n".join(path.read_text(encoding="utf-8") for path in Path(bot.slack.__file__).parent.rglob("*.py"))
    called = {name for name in METHODS if re.search(rf"client\.{re.escape(name.replace('.', '_'))}\b", code)}
    needed = {METHODS[name].scope for name in called} - {None}

    assert needed >= {"chat:write", "files:write"}
    assert needed <= set(SCOPES)
    assert all(reason for reason in SCOPES.values())


@pytest.mark.parametrize("url", ["", "https://bot.example/slack/events"])
def test_the_manifest_has_the_playbooks_own_commands(url):
    made = SlackApp.from_manifest(manifest(known_commands(), {"rollback": replace(ROLLBACK, command="/back")}, request_url=url))
    own = next(c for c in made.commands if c.command == "/back")

    assert [c.command for c in made.commands] == ["/aiops", "/back"]
    assert (own.description, own.usage_hint, own.should_escape) == ("Roll back", "[MODEL or #INCIDENT]", False)
