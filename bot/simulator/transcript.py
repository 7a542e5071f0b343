"""A channel as chat text: what a reader sees, threads indented, buttons in brackets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.simulator.blocks import parts
from bot.simulator.channels import Conversation
from bot.simulator.messages import Message
from bot.simulator.shapes import for_page
from bot.simulator.workspace import Json

if TYPE_CHECKING:
    from bot.simulator.room import Room

_TITLES = ("title", "subtitle", "body", "label", "caption", "alt_text", "alt_txt", "hint", "placeholder")


def seen_text(shown: Any) -> str:
    """Return every text that a reader sees in a message, modal or Home tab, one a line."""
    lines: list[str] = []
    for part in parts(shown):
        if isinstance(part.get("text"), str):
            mark = "[{}]" if part.get("type") == "button" else "{}"
            lines.append(mark.format(part["text"]))
        lines += [part[key] for key in _TITLES if isinstance(part.get(key), str)]
        if part.get("type") == "raw_number":
            lines.append(str(part.get("text") or part["value"]))
        if part.get("type") == "user":
            lines.append(f"<@{part.get('user_id')}>")
        if isinstance(part.get("initial_value"), str):
            lines.append(part["initial_value"])
    return "\n".join(dict.fromkeys(line for line in lines if line))


def buttons_in(shown: Any) -> list[Json]:
    """Return the buttons of a message or view, first one first."""
    return [part for part in parts(shown) if part.get("type") == "button"]


def message_lines(message: Json, names: dict[str, str], *, indent: str = "") -> list[str]:
    """Return a message of the page's API as lines of chat."""
    name = names.get(message["user"], message["user"])
    only = " (only you)" if message["ephemeral"] else ""
    edited = " (edited)" if message.get("edited") else ""
    texts = seen_text(message.get("blocks")) or message.get("text") or ""
    attached = seen_text(message.get("attachments"))
    files = [f"[file {file['name']}: {file.get('alt_txt') or 'no description'}]" for file in message.get("files", [])]
    body = "\n".join(part for part in (texts, attached, *files) if part)
    for user, called in names.items():
        body = body.replace(f"<@{user}>", f"@{called}")
    pressed = {button["text"]["text"] for button in buttons_in([message.get("blocks"), message.get("attachments")])}
    told = [line for line in body.splitlines() if line not in pressed]
    labels = " ".join(f"[{label}]" for label in sorted(pressed))
    reactions = " ".join(f":{r['name']}: {r['count']}" for r in message.get("reactions", []))
    lines = [f"{indent}{name}{only}{edited}: {told[0] if told else ''}", *(f"{indent}    {line}" for line in told[1:])]
    return lines + [f"{indent}    {extra}" for extra in (labels, reactions) if extra]


def transcript(room: Room, channel: Conversation, user: str) -> str:
    """Return a channel with its threads as text.

    Args:
        room: where it was said.
        channel: which channel.
        user: whose ephemerals are included; "*" leaves them all out.
    """
    names = {person.id: person.name for person in room.workspace.people}

    def lines(message: Message, indent: str = "") -> list[str]:
        return message_lines(for_page(message, room.messages, room.app), names, indent=indent)

    told = [f"#{channel.name}"]
    for message in room.messages.top_level(channel.id, user, limit=1_000):
        told += lines(message)
        for reply in [] if message.is_reply else room.messages.replies(channel.id, message.ts, user):
            told += lines(reply, "  │ ")
    return "\n".join(told)
