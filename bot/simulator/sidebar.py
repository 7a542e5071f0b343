"""What a person's sidebar shows: channels with unread counts and mentions, and who else is here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.simulator.workspace import Json, Workspace

if TYPE_CHECKING:
    from bot.simulator.channels import Conversation
    from bot.simulator.room import Room


def sidebar_entry(room: Room, channel: Conversation, user: str) -> Json:
    """Return one channel as the page lists it for this person."""
    unread = room.messages.after(channel.id, room.channels.read_until(channel.id, user), user)
    member = room.channels.is_member(channel.id, user)
    called = mentions_of(room.workspace, user)
    texts = [str(message.doc) for message in unread]
    entry: Json = {"id": channel.id, "name": room.app.name if channel.is_im else channel.name, "topic": channel.topic}
    entry |= {"is_im": channel.is_im, "is_member": member, "is_private": channel.kind == "group"}
    entry |= {"members": room.channels.members(channel.id)}
    entry |= {"is_archived": channel.archived, "last_ts": room.messages.last_ts(channel.id)}
    entry |= {"unread": len(unread) if member else 0}
    return entry | {"mention": member and any(mark in text for text in texts for mark in called)}


def mentions_of(workspace: Workspace, user: str) -> list[str]:
    """Return the mark-up that calls this person, by name or by group."""
    groups = [g for g in workspace.groups if any(workspace.person(u).id == user for u in g.users)]
    return [f"<@{user}>", "<!here>", "<!channel>", *(f"<!subteam^{group.id}" for group in groups)]


def whole_state(room: Room, user: str) -> Json:
    """Return everything the page needs to draw itself for this person."""
    workspace, app = room.workspace, room.app
    people = [{k: getattr(u, k) for k in ("id", "name", "real_name", "title", "color", "is_bot")} for u in workspace.people]
    visible = [channel for channel in room.channels.all() if room.channels.may_see(channel, user)]
    return {
        "team": {"id": workspace.team_id, "name": workspace.team_name, "domain": workspace.domain},
        "me": next((person for person in people if person["id"] == user), None),
        "users": people,
        "channels": [sidebar_entry(room, channel, user) for channel in visible],
        "groups": [{"id": group.id, "handle": group.handle, "name": group.name} for group in workspace.groups],
        "bot": bot_state(room),
        "commands": [{"command": c.command, "usage_hint": c.usage_hint, "description": c.description} for c in app.commands],
        "shortcuts": [{"callback_id": s.callback_id, "name": s.name, "type": s.type} for s in app.shortcuts],
        "clock": {"now": room.clock.now()},
        "banner": room.banner,
    }


def bot_state(room: Room) -> Json:
    """Return whether and how the app is connected."""
    transport = room.deliver.transport if room.deliver.reachable else "none"
    told: Json = {"user_id": room.app.bot_user_id, "name": room.app.name}
    return told | {"connected": room.deliver.reachable, "transport": transport}
