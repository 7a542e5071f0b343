"""What templates are made of: functions that return Block Kit blocks. `None` and empty lists make no block at all."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.render.hostile import literal, unescape

Block = dict[str, Any]


def mrkdwn(text: object) -> Block:
    """Return a text object with mark-up; `verbatim`, so that Slack makes no link out of what merely looks like one."""
    return {"type": "mrkdwn", "text": str(text), "verbatim": True}


def plain(text: object) -> Block:
    """Return a text object without mark-up."""
    return {"type": "plain_text", "text": literal(str(text)), "emoji": True}


def header(text: object) -> Block:
    """Return a headline."""
    return {"type": "header", "text": plain(text)}


def section(text: object, button: Mapping[str, str] | None = None) -> Block | None:
    """Return a paragraph, with a button at its side where one is given."""
    if not str(text).strip():
        return None
    side = {"accessory": _button(button, {})} if button else {}
    return {"type": "section", "text": mrkdwn(text), **side}


def fields(*pairs: Sequence[object]) -> Block | None:
    """Return (title, value) pairs in two columns; pairs without a value are left out."""
    told = [mrkdwn(f"*{title}*\n{value}") for title, value in pairs if str(value or "").strip()]
    return {"type": "section", "fields": told} if told else None


def context(*texts: object) -> Block | None:
    """Return small grey text."""
    told = [mrkdwn(text) for text in texts if str(text or "").strip()]
    return {"type": "context", "elements": told} if told else None


def divider() -> Block:
    """Return a line."""
    return {"type": "divider"}


def actions(buttons: Sequence[Mapping[str, str]], **confirm: Mapping[str, str]) -> Block | None:
    """Return a row of buttons; a keyword named like an action gives its confirm dialog: title, text, yes, no."""
    return {"type": "actions", "elements": [_button(b, confirm) for b in buttons]} if buttons else None


def _button(button: Mapping[str, str], confirm: Mapping[str, Mapping[str, str]]) -> Block:
    made: Block = {
        "type": "button",
        "action_id": unescape(button["action"]),
        "text": plain(button["text"]),
        "value": unescape(button["value"]),
    }
    if button.get("style") in ("primary", "danger"):
        made["style"] = button["style"]
    if asked := confirm.get(button["action"]):
        made["confirm"] = {
            "title": plain(asked["title"]),
            "text": mrkdwn(asked["text"]),
            "confirm": plain(asked.get("yes", "Yes")),
            "deny": plain(asked.get("no", "Not yet")),
        }
    return made


def table(head: Sequence[object], rows: Sequence[Sequence[object]], align: str = "") -> Block | None:
    """Return a table; `align` holds one letter a column, r for right. Without rows there is none."""
    if not rows:
        return None
    cells = [[{"type": "raw_text", "text": literal(str(cell)) or "–"} for cell in row] for row in (head, *rows)]
    sides = {"r": "right", "c": "center"}
    return {"type": "table", "rows": cells, "column_settings": [{"align": sides.get(a, "left")} for a in align or "l" * len(head)]}


PARTS = {
    "header": header,
    "section": section,
    "fields": fields,
    "context": context,
    "divider": divider,
    "actions": actions,
    "table_of": table,
}
