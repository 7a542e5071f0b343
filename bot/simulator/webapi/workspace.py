"""auth.test, api.test, apps.connections.open, blocks.validate, team.info, usergroups.*: about the app and its workspace."""

from __future__ import annotations

from bot.simulator.blocks import check_message, check_view
from bot.simulator.errors import SlackError
from bot.simulator.webapi.call import Call, method
from bot.simulator.workspace import Json, UserGroup


@method("api.test", tier=5, token="none")  # noqa: S106  a kind, no secret
def api_test(call: Call) -> Json:
    """Return the arguments."""
    if error := call.maybe("error"):
        raise SlackError(error, args=call.args)
    return {"args": call.args}


@method("auth.test", tier=5)
def auth_test(call: Call) -> Json:
    """Say who the token belongs to."""
    workspace, app = call.room.workspace, call.room.app
    told: Json = {"url": f"https://{workspace.domain}.slack.com/", "team": workspace.team_name, "user": app.name}
    told |= {"team_id": workspace.team_id, "user_id": app.bot_user_id, "bot_id": app.bot_id}
    return told | {"is_enterprise_install": False}


@method("apps.connections.open", tier=4, token="app")  # noqa: S106  a kind, no secret
def connections_open(call: Call) -> Json:
    """Return the address of a new Socket Mode socket, good once."""
    return {"url": call.room.deliver.sockets.new_url(call.room.base_url)}


@method("blocks.validate", tier=4, token="none")  # noqa: S106  a kind, no secret
def blocks_validate(call: Call) -> Json:
    """Say what is wrong with blocks or a view, without posting anything."""
    blocks, view = call.decoded("blocks", "invalid_blocks_format"), call.decoded("view", "invalid_arguments")
    if blocks is None and view is None:
        raise SlackError("invalid_arguments")
    if blocks is not None:
        check_message(blocks)
    if view is not None:
        check_view(view, str(view.get("type", "modal")) if isinstance(view, dict) else "modal")
    return {}


@method("team.info", scope="team:read", tier=3)
def team_info(call: Call) -> Json:
    """Return the workspace."""
    workspace = call.room.workspace
    return {"team": {"id": workspace.team_id, "name": workspace.team_name, "domain": workspace.domain}}


def _group(call: Call, group: UserGroup) -> Json:
    members = [call.room.workspace.person(user).id for user in group.users]
    told: Json = {"id": group.id, "team_id": call.room.workspace.team_id, "is_usergroup": True, "date_delete": 0}
    told |= {"name": group.name or group.handle, "handle": group.handle, "user_count": len(members)}
    return told | ({"users": members} if call.flag("include_users") else {})


@method("usergroups.list", scope="usergroups:read", tier=2)
def usergroups_list(call: Call) -> Json:
    """Return the groups that can be mentioned."""
    return {"usergroups": [_group(call, group) for group in call.room.workspace.groups]}


@method("usergroups.users.list", scope="usergroups:read", tier=2)
def usergroups_users_list(call: Call) -> Json:
    """Return the members of a group."""
    wanted = call.text("usergroup")
    for group in call.room.workspace.groups:
        if group.id == wanted:
            return {"users": [call.room.workspace.person(user).id for user in group.users]}
    raise SlackError("no_such_subteam")
