"""What people do with the app: type commands, click, submit and close; and what they see when the app is too slow."""

from __future__ import annotations

from typing import Any

from bot.simulator import payloads
from bot.simulator.blocks import all_blocks, check_view, parts
from bot.simulator.channels import Conversation
from bot.simulator.errors import SlackError
from bot.simulator.inputs import VALUE_KEYS, find_element, initial_values, missing_inputs, stays_silent
from bot.simulator.messages import Message
from bot.simulator.room import Room
from bot.simulator.sockets import NotDelivered
from bot.simulator.workspace import Json, User

TROUBLE = "We had some trouble connecting. Try again?"
PICKED = tuple(VALUE_KEYS.values())


def refused(error: str, text: str) -> Json:
    """Return what a person sees instead of a result."""
    return {"ok": False, "error": error, "text": text}


async def run_command(room: Room, user: User, channel: Conversation, line: str, *, in_thread: bool) -> Json:
    """Send a slash command and show its answer.

    Returns {"ok": True}, or ok False with Slack's own sentence.
    """
    name, _, text = line.partition(" ")
    known = next((c for c in room.app.commands if c.command == name), None)
    if known is None:
        return refused("unknown_command", f"{name} is not a valid command. In Slack, all “/” words are commands.")
    if in_thread:
        return refused("not_supported_in_threads", f"{name} is not supported in threads. Sorry!")
    if channel.archived:
        return refused("is_archived", f"You cannot use {name} in an archived channel.")
    words = room.escaped(text) if known.should_escape else text
    try:
        sent = payloads.command(room, user, channel, (name, words.strip()))
        ack = await room.deliver.send("command", name, sent)
        if any(ack.body.get(key) for key in ("text", "blocks", "attachments")):
            room.replies.say(channel, user.id, ack.body)
    except NotDelivered as fault:
        return refused(fault.error, f'{name} failed with the error "{fault.error}"')
    except SlackError as fault:
        return refused(fault.code, f'{name} failed with the error "{fault.code}"')
    return {"ok": True}


async def click_message(room: Room, user: User, at: tuple[Conversation, Message], picked: Json) -> Json:
    """Send a click on an element of a message."""
    _, message = at
    blocks = all_blocks(message.doc)
    element = find_element(blocks, str(picked.get("block_id")), str(picked.get("action_id")))
    if element is None:
        return refused("element_not_found", "That button is no longer there; the message has changed.")
    if stays_silent(blocks, str(picked["block_id"])):
        return {"ok": True}
    action = _action(element, picked)
    holders = (a["id"] for a in message.doc.get("attachments") or [] if element in list(parts(a.get("blocks"))))
    inside = next(holders, None)
    values = _merged(initial_values(blocks), picked)
    sent = payloads.block_actions(room, user, action) | payloads.from_message(room, user, at, inside)
    return await _click(room, action, {**sent, "state": {"values": values}})


async def click_view(room: Room, user: User, view: Json, picked: Json) -> Json:
    """Send a click on an element of a modal or Home tab."""
    element = find_element(view["blocks"], str(picked.get("block_id")), str(picked.get("action_id")))
    if element is None:
        return refused("element_not_found", "That element is no longer there; the view has changed.")
    action = _action(element, picked)
    values = _merged(view["state"]["values"], picked)
    if element["type"] in VALUE_KEYS and element["type"] != "overflow":
        values.setdefault(action["block_id"], {})[action["action_id"]] = {
            key: action[key] for key in ("type", VALUE_KEYS[element["type"]]) if key in action
        }
    room.views.keep_state(view["id"], values)
    if stays_silent(view["blocks"], action["block_id"]):
        return {"ok": True}
    now = {**view, "state": {"values": values}}
    return await _click(room, action, payloads.block_actions(room, user, action) | payloads.from_view(room, user, now))


async def _click(room: Room, action: Json, sent: Json) -> Json:
    try:
        await room.deliver.send("interactive", f"block_actions {action['action_id']}", sent)
    except NotDelivered as fault:
        return refused(fault.error, f'{room.app.name} did not answer: "{fault.error}". Try again?')
    return {"ok": True}


def _action(element: Json, picked: Json) -> Json:
    action: Json = {"type": element["type"], "block_id": picked["block_id"], "action_id": element["action_id"]}
    for key in ("text", "value", "style", "confirm", "placeholder"):
        if key in element:
            action[key] = element[key]
    if element["type"] not in {"button", "icon_button"} and "value" in picked:
        action["value"] = picked["value"]
    return action | {key: picked[key] for key in PICKED if key != "value" and picked.get(key) is not None}


def _merged(values: Json, picked: Json) -> Json:
    given = (picked.get("state") or {}).get("values") or {}
    known = {**values}
    for block_id, actions in given.items():
        known[block_id] = {**known.get(block_id, {}), **actions}
    return known


async def submit(room: Room, user: User, view: Json, given: Json) -> Json:
    """Submit a modal and do what the app answers: errors, update, push, clear, or simply close it."""
    values = _merged(view["state"]["values"], {"state": given})
    room.views.keep_state(view["id"], values)
    if missing := missing_inputs(view["blocks"], values):
        return {"ok": False, "response_action": "errors", "errors": missing, "error": "incomplete", "text": ""}
    sent = payloads.view_submission(room, user, {**view, "state": {"values": values}})
    try:
        ack = await room.deliver.send("view", f"view_submission {view['callback_id']}", sent)
        return _answer(room, user, view, ack.body)
    except NotDelivered as fault:
        return refused(fault.error, TROUBLE)
    except SlackError as fault:
        return refused(fault.code, f"{TROUBLE} ({fault.code}: {fault.body.get('errors', '')})")


def _answer(room: Room, user: User, view: Json, body: Json) -> Json:
    action = body.get("response_action")
    if action == "errors":
        known = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
        errors = {str(k): str(v) for k, v in (body.get("errors") or {}).items() if k in known}
        if not errors:
            # Slack shows its general complaint when the app blames a block that is not an input.
            return refused("invalid_errors", TROUBLE)
        return {"ok": False, "response_action": "errors", "errors": errors, "error": "errors", "text": ""}
    if action in {"update", "push"}:
        check_view(body.get("view"), "modal")
        new = _changed(room, user, view, (action, body["view"]))
        room.show_view("view_update" if action == "update" else "view_open", user.id, new)
        return {"ok": True, "response_action": action, "view": new}
    closing = room.views.stack(user.id) if action == "clear" else [view]
    for each in reversed(closing):
        room.views.close(each["id"])
        room.show_view("view_close", user.id, each)
    left = room.views.stack(user.id)
    return {"ok": True, "response_action": action or "close", "view": left[-1] if left else None}


def _changed(room: Room, user: User, view: Json, answer: tuple[str, Json]) -> Json:
    action, new = answer
    return room.views.update(view["id"], new, None) if action == "update" else room.views.push(user.id, new)


async def close(room: Room, user: User, view: Json) -> Json:
    """Close a modal (with everything above it when it says so) and tell the app if it asked for that."""
    cleared = bool(view.get("clear_on_close"))
    closing = list(reversed(room.views.stack(user.id))) if cleared else [view]
    for each in closing:
        room.views.close(each["id"])
        room.show_view("view_close", user.id, each)
        if each.get("notify_on_close"):
            sent = payloads.view_closed(room, user, each, cleared=cleared)
            room.deliver.spawn(_told(room, f"view_closed {each['callback_id']}", sent))
    left = room.views.stack(user.id)
    return {"ok": True, "view": left[-1] if left else None}


async def _told(room: Room, name: str, sent: Json) -> None:
    try:
        await room.deliver.send("view", name, sent)
    except NotDelivered:
        return  # the person has closed the modal; the call log shows that the app did not hear of it


async def use_shortcut(room: Room, user: User, callback_id: str, at: tuple[Conversation, Message] | None) -> Json:
    """Use a global shortcut, or one on a message."""
    wanted = "message" if at else "global"
    if not any(s.callback_id == callback_id and s.type == wanted for s in room.app.shortcuts):
        return refused("unknown_shortcut", f"The app has no {wanted} shortcut {callback_id!r}.")
    told = payloads.message_action
    sent = told(room, user, callback_id, at) if at else payloads.shortcut(room, user, callback_id)
    try:
        await room.deliver.send("interactive", f"{sent['type']} {callback_id}", sent)
    except NotDelivered as fault:
        return refused(fault.error, f'{room.app.name} did not answer: "{fault.error}". Try again?')
    return {"ok": True}


async def options(room: Room, user: User, asked: Json) -> Json:
    """Ask the app for the options of an external menu; `asked` holds block_id, action_id, value and a container."""
    sent = payloads.block_suggestion(room, user, asked)
    try:
        ack = await room.deliver.send("view", f"block_suggestion {asked.get('action_id')}", sent)
    except NotDelivered as fault:
        return refused(fault.error, "The options could not be loaded.")
    found: dict[str, Any] = {key: ack.body[key] for key in ("options", "option_groups") if key in ack.body}
    return {"ok": True, **found} if found else refused("no_options", "The app answered without options.")
