"""reactions.* and pins.*: small marks on messages."""

from __future__ import annotations

import re

from bot.simulator.errors import SlackError
from bot.simulator.shapes import for_app
from bot.simulator.webapi.call import Call, method
from bot.simulator.workspace import Json


def _react(call: Call, *, add: bool) -> None:
    name = call.text("name", "invalid_name").strip(":")
    if not re.fullmatch(r"[a-z0-9_'+-]+(::skin-tone-[2-6])?", name):
        raise SlackError("invalid_name")
    channel = call.channel(member=True, live=True)
    message = call.message(channel, "timestamp", "no_item_specified")
    if not call.room.react(channel, message, name, user=call.room.app.bot_user_id, add=add):
        raise SlackError("already_reacted" if add else "no_reaction")


@method("reactions.add", scope="reactions:write", tier=3)
def add_reaction(call: Call) -> Json:
    """React to a message."""
    _react(call, add=True)
    return {}


@method("reactions.remove", scope="reactions:write", tier=2)
def remove_reaction(call: Call) -> Json:
    """Take a reaction back."""
    _react(call, add=False)
    return {}


@method("reactions.get", scope="reactions:read", tier=3)
def get_reactions(call: Call) -> Json:
    """Return a message with its reactions."""
    channel = call.channel(member=True)
    message = call.message(channel, "timestamp", "no_item_specified")
    return {"type": "message", "channel": channel.id, "message": for_app(message, call.room.messages)}


@method("pins.add", scope="pins:write", tier=2)
def add_pin(call: Call) -> Json:
    """Pin a message to its channel."""
    channel = call.channel(member=True)
    message = call.message(channel, "timestamp", "no_item_specified")
    if not call.room.messages.pin(channel.id, message.ts, call.room.app.bot_user_id):
        raise SlackError("already_pinned")
    call.room.show("changed", channel, message)
    return {}


@method("pins.remove", scope="pins:write", tier=2)
def remove_pin(call: Call) -> Json:
    """Take a pin away."""
    channel = call.channel(member=True)
    message = call.message(channel, "timestamp", "no_item_specified")
    if not call.room.messages.unpin(channel.id, message.ts):
        raise SlackError("no_pin")
    call.room.show("changed", channel, message)
    return {}


@method("pins.list", scope="pins:read", tier=2)
def list_pins(call: Call) -> Json:
    """Return the pinned messages of a channel, newest pin first."""
    channel = call.channel()
    found = [call.room.messages.get(channel.id, ts) for ts in call.room.messages.pins(channel.id)]
    shown = [for_app(message, call.room.messages) for message in found if message]
    return {"items": [{"type": "message", "channel": channel.id, "message": told} for told in shown]}
