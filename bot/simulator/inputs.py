"""What people type and choose: the `state.values` of views and messages, and what is missing in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.simulator.blocks import ACTING, parts
from bot.simulator.workspace import Json

# Where Slack puts the value of an element, by the element's type.
VALUE_KEYS = {
    "plain_text_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "number_input": "value",
    "rich_text_input": "rich_text_value",
    "file_input": "files",
    "static_select": "selected_option",
    "external_select": "selected_option",
    "radio_buttons": "selected_option",
    "overflow": "selected_option",
    "multi_static_select": "selected_options",
    "multi_external_select": "selected_options",
    "checkboxes": "selected_options",
    "users_select": "selected_user",
    "multi_users_select": "selected_users",
    "channels_select": "selected_channel",
    "multi_channels_select": "selected_channels",
    "conversations_select": "selected_conversation",
    "multi_conversations_select": "selected_conversations",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}
STATELESS = {"button", "overflow", "feedback_buttons", "icon_button"}
MANY = {"selected_options"}


def initial_values(blocks: list[Any]) -> Json:
    """Return `state.values` as it is before anybody typed: the initial values, else empty ones."""
    values: Json = {}
    for block, element in inputs_of(blocks):
        kind = element["type"]
        key = VALUE_KEYS[kind]
        initial = element.get("initial_" + key.removeprefix("selected_"))
        empty: Any = [] if key in MANY else None
        values.setdefault(block["block_id"], {})[element["action_id"]] = {"type": kind, key: initial or empty}
    return values


def inputs_of(blocks: list[Any]) -> Iterator[tuple[Json, Json]]:
    """Yield each block with each element in it that holds a value."""
    for block in blocks:
        for part in parts(block):
            if part is not block and part.get("type") in ACTING - STATELESS and "action_id" in part:
                yield block, part


def find_element(blocks: list[Any], block_id: str, action_id: str) -> Json | None:
    """Return the element with these ids, or None when there is none."""
    for block in blocks:
        for inner in parts(block):
            # Blocks may stand inside containers and cards, whose children carry block ids of their own.
            if inner.get("block_id") == block_id:
                return next((p for p in parts(inner) if p.get("action_id") == action_id), None)
    return None


def stays_silent(blocks: list[Any], block_id: str) -> bool:
    """Say whether Slack keeps what happens here to itself: an input without `dispatch_action` waits for the submit."""
    holding = (inner for block in blocks for inner in parts(block) if inner.get("block_id") == block_id)
    return any(block.get("type") == "input" and not block.get("dispatch_action") for block in holding)


def missing_inputs(blocks: list[Any], values: Json) -> dict[str, str]:
    """Return what Slack's own client complains about before it sends a form: block_id → sentence."""
    errors = {}
    for block, element in inputs_of(blocks):
        if block.get("type") != "input":
            continue
        given = values.get(block["block_id"], {}).get(element["action_id"], {}).get(VALUE_KEYS[element["type"]])
        if not given:
            if not block.get("optional"):
                errors[block["block_id"]] = "Please complete this required field."
        elif isinstance(given, str) and (complaint := _length(element, given)):
            errors[block["block_id"]] = complaint
    return errors


def _length(element: Json, given: str) -> str | None:
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if element["type"] != "plain_text_input" or least <= len(given) <= most:
        return None
    return f"Please enter at least {least} characters." if len(given) < least else f"Please use at most {most} characters."
