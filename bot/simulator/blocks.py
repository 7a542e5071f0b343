"""Block Kit: what Slack accepts and what it refuses.

`check_message` and `check_view` return the problems in Slack's own words; an empty list means accepted.
The limits are those of Slack's reference as of 2026; where practice and reference differ, practice wins.
"""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator
from typing import Any

from bot.simulator.elements import (
    ACCESSORIES,
    ACTIONS,
    BUTTON,
    FEEDBACK,
    IMAGE,
    INPUTS,
    RICH_TEXT,
    SLACK_FILE,
    URL_SOURCE,
    words,
)
from bot.simulator.errors import SlackError
from bot.simulator.rules import Rule, finite, flag, kinds, link, many, needs_one, one_of, problem, string, thing, whole
from bot.simulator.workspace import Json

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
VIEW_BYTES = 250_000
MARKDOWN_CHARS = 12_000
MESSAGE_CHARS = 13_200  # undocumented: where `msg_blocks_too_long` begins
CHARTS = 2
DATA_TABLE_CHARS = 10_000
ACTING = {*ACTIONS, *INPUTS, *FEEDBACK}

_ID: dict[str, Rule] = {"block_id": string(255)}
_RAW: dict[str, Rule] = {
    "raw_text": thing({"text": string(13_200, 0)}),
    "raw_number": thing({"value": finite}, {"text": string(255)}),
}
_COLUMN = thing({}, {"align": one_of("left", "center", "right"), "is_wrapped": flag})


def _rectangular(value: Any, pointer: str, problems: list[str]) -> None:
    rows = value.get("rows") if isinstance(value.get("rows"), list) else []
    widths = {len(row) for row in rows if isinstance(row, list)}
    if len(widths) > 1:
        problems.append(problem("all rows must have the same number of cells", f"{pointer}/rows"))
    header = rows[0] if rows and isinstance(rows[0], list) else []
    if value.get("type") == "data_table" and any(isinstance(c, dict) and c.get("type") == "rich_text" for c in header):
        problems.append(problem("rich_text is not allowed in the header row", f"{pointer}/rows/0"))


def _points(value: Any, pointer: str, problems: list[str]) -> None:
    names = [s.get("name") for s in value.get("series") or [] if isinstance(s, dict)]
    if len(names) != len(set(map(str, names))):
        problems.append(problem("series names must be unique", f"{pointer}/series"))


_POINT = thing({"label": string(20), "value": finite})
_AXIS = thing({"categories": many(string(20), 1, 20)}, {"x_label": string(50), "y_label": string(50)})
_SERIES = many(thing({"name": string(20), "data": many(_POINT, 1, 20)}), 1, 6)
_PLOT = thing({"series": _SERIES, "axis_config": _AXIS}, {}, _points)
_CHART = kinds({"pie": thing({"segments": many(_POINT, 1, 6)}), "line": _PLOT, "bar": _PLOT, "area": _PLOT})
_CARD = thing(
    {},
    {
        **_ID,
        "hero_image": kinds({"image": IMAGE}),
        "icon": kinds({"image": IMAGE}),
        "title": words(150),
        "subtitle": words(150),
        "body": words(200),
        "actions": many(kinds({"button": BUTTON}), 1, 2),
    },
    needs_one("hero_image", "title", "actions", "body"),
)
_TASK = thing(
    {"task_id": string(255), "title": string(255), "status": one_of("pending", "in_progress", "complete", "error")},
    {
        **_ID,
        "details": kinds({"rich_text": RICH_TEXT}),
        "output": kinds({"rich_text": RICH_TEXT}),
        "sources": many(kinds(URL_SOURCE), 1, 100),
    },
)
_EVERYWHERE: dict[str, Rule] = {
    "section": thing(
        {},
        {
            **_ID,
            "text": words(3000),
            "fields": many(words(2000), 1, 10),
            "accessory": kinds(ACCESSORIES),
            "expand": flag,
        },
        needs_one("text", "fields"),
    ),
    "header": thing({"text": words(150, plain=True)}, {**_ID, "level": whole(1, 6)}),
    "divider": thing({}, _ID),
    "context": thing(
        {
            "elements": many(
                kinds(
                    {
                        "image": IMAGE,
                        "mrkdwn": thing({"text": string(3000)}, {"verbatim": flag}),
                        "plain_text": thing({"text": string(3000)}, {"emoji": flag}),
                    }
                ),
                1,
                10,
            )
        },
        _ID,
    ),
    "actions": thing({"elements": many(kinds(ACTIONS), 1, 25)}, _ID),
    "image": thing(
        {"alt_text": string(2000)},
        {**_ID, "image_url": link(), "slack_file": SLACK_FILE, "title": words(2000, plain=True)},
        needs_one("image_url", "slack_file"),
    ),
    "input": thing(
        {"label": words(2000, plain=True), "element": kinds(INPUTS)},
        {**_ID, "hint": words(2000, plain=True), "optional": flag, "dispatch_action": flag},
    ),
    "rich_text": RICH_TEXT,
    "video": thing(
        {"alt_text": string(2000), "title": words(200, plain=True), "thumbnail_url": link(), "video_url": link()},
        {
            **_ID,
            "title_url": link(),
            "description": words(200, plain=True),
            "author_name": string(50),
            "provider_name": string(255),
            "provider_icon_url": link(),
        },
    ),
    "card": _CARD,
}
_WIDE: dict[str, Rule] = {
    "carousel": thing({"elements": many(kinds({"card": _CARD}), 1, 10)}, _ID),
    "table": thing(
        {"rows": many(many(kinds({**_RAW, "rich_text": RICH_TEXT}), 1, 20), 1, 100)},
        {**_ID, "column_settings": many(lambda v, p, f: None if v is None else _COLUMN(v, p, f), 0, 20)},
        _rectangular,
    ),
    "data_table": thing(
        {"caption": string(255), "rows": many(many(kinds({**_RAW, "rich_text": RICH_TEXT}), 1, 20), 2, 101)},
        {**_ID, "page_size": whole(1, 100), "row_header_column_index": whole(0, 19)},
        _rectangular,
    ),
}
_MESSAGE_ONLY: dict[str, Rule] = {
    "data_visualization": thing({"title": string(50), "chart": _CHART}, _ID),
    "markdown": thing({"text": string(MARKDOWN_CHARS)}, _ID),
    "plan": thing({"title": string(255)}, {**_ID, "tasks": many(kinds({"task_card": _TASK}), 0, 50)}),
    "task_card": _TASK,
    "context_actions": thing({"elements": many(kinds(FEEDBACK), 1, 5)}, _ID),
}
_CONTAINER = thing(
    {"child_blocks": many(kinds({**_EVERYWHERE, **_WIDE, **_MESSAGE_ONLY}), 1, 10)},
    {
        **_ID,
        "title": words(150, plain=True),
        "rich_text_title": kinds({"rich_text": RICH_TEXT}),
        "subtitle": words(150),
        "width": one_of("narrow", "standard", "wide", "full"),
        "icon": kinds({"image": IMAGE}),
        "is_collapsible": flag,
        "default_collapsed": flag,
        "has_header_divider": flag,
    },
    needs_one("title", "rich_text_title"),
)
_ALERT = thing({"text": words(200)}, {**_ID, "level": one_of("default", "info", "warning", "error", "success")})
SURFACES: dict[str, Rule] = {
    "message": kinds({**_EVERYWHERE, **_WIDE, **_MESSAGE_ONLY, "container": _CONTAINER}),
    "modal": kinds({**_EVERYWHERE, "alert": _ALERT}),
    "home": kinds({**_EVERYWHERE, **_WIDE}),
}


def parts(value: Any) -> Iterator[Json]:
    """Yield every object inside a piece of JSON, outermost first."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from parts(each)
    elif isinstance(value, list):
        for each in value:
            yield from parts(each)


def all_blocks(message: Json) -> list[Any]:
    """Return the blocks of a message and of its attachments."""
    inside = [block for each in message.get("attachments") or [] for block in each.get("blocks") or []]
    return [*(message.get("blocks") or []), *inside]


def _doubles(blocks: list[Any]) -> list[str]:
    found, seen = [], set()
    for index, block in enumerate(b for b in blocks if isinstance(b, dict)):
        name = block.get("block_id")
        if name is not None and str(name) in seen:
            found.append(problem(f"`block_id` {name} already exists", f"/blocks/{index}/block_id"))
        seen.add(str(name))
        actions = [p["action_id"] for p in parts(block) if isinstance(p.get("action_id"), str)]
        twice = sorted({a for a in actions if actions.count(a) > 1})
        found += [problem(f"`action_id` {a} already exists for block_id", f"/blocks/{index}") for a in twice]
    return found


def _totals(blocks: list[Any]) -> list[str]:
    kinds_of = [str(p.get("type")) for p in parts(blocks)]
    found = []
    if kinds_of.count("data_visualization") > CHARTS:
        found.append(problem(f"no more than {CHARTS} data_visualization blocks allowed", "/blocks"))
    if kinds_of.count("plan") > 1:
        found.append(problem("no more than 1 plan block allowed", "/blocks"))
    markdown = [len(str(p.get("text", ""))) for p in parts(blocks) if p.get("type") == "markdown"]
    if sum(markdown) > MARKDOWN_CHARS:
        found.append(problem(f"markdown blocks must be less than {MARKDOWN_CHARS + 1} characters in all", "/blocks"))
    for index, block in enumerate(blocks):
        if isinstance(block, dict) and block.get("type") == "data_table" and characters(block) > DATA_TABLE_CHARS:
            found.append(problem(f"must be less than {DATA_TABLE_CHARS + 1} characters", f"/blocks/{index}/rows"))
    return found


def characters(blocks: Any) -> int:
    """Return how many characters a reader would see in these blocks."""
    return sum(len(p["text"]) for p in parts(blocks) if isinstance(p.get("text"), str))


def _problems(blocks: Any, surface: str, most: int) -> list[str]:
    found: list[str] = []
    many(SURFACES[surface], 0, most)(blocks, "/blocks", found)
    return found or (_doubles(blocks) + _totals(blocks))


def check_message(blocks: Any, code: str = "invalid_blocks") -> None:
    """Raise what Slack answers to these blocks of a message, if it refuses them.

    Raises:
        SlackError: `code` with `response_metadata.messages`, `invalid_blocks_format`, `msg_blocks_too_long`, or
            `invalid_attachments` (only_one_table_allowed).
    """
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    if found := _problems(blocks, "message", MESSAGE_BLOCKS):
        raise refusal(code, found)
    if sum(p.get("type") in {"table", "data_table"} for p in parts(blocks)) > 1:
        raise refusal("invalid_attachments", ["[ERROR] only_one_table_allowed"])
    if characters(blocks) > MESSAGE_CHARS:
        raise SlackError("msg_blocks_too_long")


def check_view(view: Any, kind: str) -> None:
    """Raise what Slack answers to this modal or Home tab (`kind` "modal" or "home"), if it refuses it."""
    if not isinstance(view, dict):
        raise SlackError("invalid_arguments", response_metadata={"messages": ["[ERROR] must provide an object"]})
    found: list[str] = []
    _VIEWS[kind](view, "/view", found)
    if view.get("type") != kind:
        found.append(problem(f"unsupported type: {view.get('type')}", "/view/type"))
    found += [p.replace("/blocks", "/view/blocks") for p in _problems(view.get("blocks"), kind, VIEW_BLOCKS)]
    inputs = any(isinstance(b, dict) and b.get("type") == "input" for b in view.get("blocks") or [])
    if kind == "modal" and inputs and not view.get("submit"):
        found.append(problem("missing required field: submit", "/view"))
    if found:
        raise refusal("invalid_arguments", found)
    if len(json.dumps(view)) > VIEW_BYTES:
        raise SlackError("view_too_large")


def _anything(_value: Any, _pointer: str, _problems: list[str]) -> None:
    """The blocks of a view are checked on their own."""


_VIEW_PARTS: dict[str, Rule] = {
    "private_metadata": string(3000, 0),
    "callback_id": string(255, 0),
    "external_id": string(255, 0),
}
_VIEWS = {
    "home": thing({"blocks": _anything}, _VIEW_PARTS),
    "modal": thing(
        {"title": words(24, plain=True), "blocks": _anything},
        {
            **_VIEW_PARTS,
            "close": words(24, plain=True),
            "submit": words(24, plain=True),
            "clear_on_close": flag,
            "notify_on_close": flag,
            "submit_disabled": flag,
        },
    ),
}


def refusal(code: str, messages: list[str]) -> SlackError:
    """Return an error with the list of what is wrong, as Slack sends it."""
    return SlackError(code, errors=messages, response_metadata={"messages": messages})


def with_ids(blocks: list[Any]) -> list[Any]:
    """Return a copy in which every block has a block_id and every element that acts an action_id."""
    named = copy.deepcopy(blocks)
    taken = {block.get("block_id") for block in named}
    free = (name for number in itertools.count() if (name := f"b{number}") not in taken)
    for block in named:
        block["block_id"] = block.get("block_id") or next(free)
        elements = [p for p in parts(block) if p is not block and p.get("type") in ACTING]
        for index, element in enumerate(elements):
            element.setdefault("action_id", f"{block['block_id']}.{index}")
    return named
