"""views.*: modals and the Home tab."""

from __future__ import annotations

from bot.simulator.blocks import check_view
from bot.simulator.errors import SlackError
from bot.simulator.webapi.call import Call, method
from bot.simulator.workspace import Json


def _view(call: Call, kind: str) -> Json:
    view = call.decoded("view", "invalid_arguments")
    check_view(view, kind)
    clean: Json = {key: value for key, value in view.items() if value is not None}
    return clean


@method("views.open", tier=4)
def open_view(call: Call) -> Json:
    """Open a modal in front of the person whose click gave the trigger id."""
    view = _view(call, "modal")
    user = call.room.views.take_trigger(call.text("trigger_id", "invalid_trigger_id"))
    opened = call.room.views.open(user, view)
    call.room.show_view("view_open", user, opened)
    return {"view": opened}


@method("views.push", tier=4)
def push(call: Call) -> Json:
    """Open a modal above the one in which the click was made."""
    view = _view(call, "modal")
    user = call.room.views.take_trigger(call.text("trigger_id", "invalid_trigger_id"))
    pushed = call.room.views.push(user, view)
    call.room.show_view("view_open", user, pushed)
    return {"view": pushed}


@method("views.update", tier=4)
def update(call: Call) -> Json:
    """Put a new content into an open view, named by id or external id."""
    views = call.room.views
    external = call.maybe("external_id")
    found = views.by_external_id(external) if external else views.get(call.text("view_id"))
    if found is None:
        raise SlackError("not_found")
    updated = views.update(found["id"], _view(call, found["type"]), call.maybe("hash"))
    owner = views.owner(found["id"])
    call.room.show_view("home" if found["type"] == "home" else "view_update", str(owner), updated)
    return {"view": updated}


@method("views.publish", tier=4)
def publish(call: Call) -> Json:
    """Put a content into somebody's Home tab."""
    user = call.user("user_id")
    published = call.room.views.publish(user.id, _view(call, "home"), call.maybe("hash"))
    call.room.show_view("home", user.id, published)
    return {"view": published}
