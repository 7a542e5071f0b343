"""users.*: who is who."""

from __future__ import annotations

from bot.simulator.errors import SlackError
from bot.simulator.webapi.call import Call, method
from bot.simulator.webapi.conversations import paged
from bot.simulator.workspace import Json, User


def _shape(call: Call, user: User) -> Json:
    email = {"email": user.email} if user.email and "users:read.email" in call.room.app.scopes else {}
    names = {"real_name": user.real_name or user.name, "display_name": user.name, "title": user.title}
    told: Json = {"id": user.id, "team_id": call.room.workspace.team_id, "name": user.name, "deleted": False}
    told |= {"color": user.color, "real_name": names["real_name"], "tz": user.tz, "tz_offset": 0}
    return told | {"profile": names | email, "is_bot": user.is_bot, "is_admin": False, "is_app_user": False}


@method("users.info", scope="users:read", tier=4)
def info(call: Call) -> Json:
    """Return one person."""
    return {"user": _shape(call, call.user())}


@method("users.list", scope="users:read", tier=2)
def everyone(call: Call) -> Json:
    """Return the members of the workspace, page by page."""
    found, cursor = paged(call, [_shape(call, user) for user in call.room.workspace.people])
    return {"members": found, "response_metadata": {"next_cursor": cursor}}


@method("users.lookupByEmail", scope="users:read.email", tier=3)
def lookup_by_email(call: Call) -> Json:
    """Return the person with this e-mail address."""
    email = call.text("email", "users_not_found").lower()
    for user in call.room.workspace.users:
        if user.email.lower() == email:
            return {"user": _shape(call, user)}
    raise SlackError("users_not_found")
