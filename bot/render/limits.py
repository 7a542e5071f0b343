"""Slack's limits, held by cutting with "…": one over-long name must not cost the whole message (`invalid_blocks`)."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.render.hostile import escape
from bot.render.parts import Block, context, mrkdwn

TEXT = 4_000  # chat.update refuses more
MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
MESSAGE_CHARACTERS = 12_000  # msg_blocks_too_long begins near 13,200 (undocumented)
TABLE_ROWS, TABLE_COLUMNS, CELL = 100, 20, 300
HALF_TOKEN = re.compile(r"(?:&[a-z]{0,3}|<[^<>\n]*)$")
FENCE = "```"


def clip(text: str, most: int) -> str:
    """Return text of at most `most` characters; never cut inside an entity, a mention, a date or an open code block."""
    if len(text) <= most:
        return text
    cut = HALF_TOKEN.sub("", text[: most - 1])
    if cut.count(FENCE) % 2:
        return HALF_TOKEN.sub("", cut[: most - 5]).rstrip("`") + "\n…" + FENCE
    return cut + "…"


def fitting(blocks: Sequence[Block | None], *, most: int = MESSAGE_BLOCKS) -> list[Block]:
    """Return blocks that Slack accepts: cut to its limits, one table, no empty parts."""
    kept = [_cut(block) for block in blocks if block]
    kept = _one_table(kept)
    if len(kept) > most:
        last = [kept[-1]] if kept[-1]["type"] == "actions" else []
        left_out = context(f"… and {len(kept) - most + 1 + len(last)} more parts that do not fit here.")
        kept = [*kept[: most - 1 - len(last)], *([left_out] if left_out else []), *last]
    return _within(kept) if most == MESSAGE_BLOCKS else kept


def simple(blocks: Sequence[Block]) -> list[Block]:
    """Return the same without tables: for modals, and for workspaces that refuse the block."""
    return _within([as_section(block) if block["type"] == "table" else block for block in blocks])


def as_section(block: Block) -> Block:
    """Return a table as a paragraph in a typewriter's columns."""
    rows = [[str(cell.get("text", "")) for cell in row] for row in block["rows"]]
    widths = [min(28, max(len(row[i]) for row in rows)) for i in range(len(rows[0]))]
    lines = ["  ".join(cell[:width].ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    body = escape("\n".join(lines).replace("`", "'"))
    return {"type": "section", "text": mrkdwn(clip(f"{FENCE}{body}{FENCE}", 3_000))}


def characters(value: Any) -> int:
    """Return how many characters a reader would see."""
    if isinstance(value, Mapping):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(characters(each) for key, each in value.items() if key != "text" or not isinstance(each, str))
    return sum(characters(each) for each in value) if isinstance(value, (list, tuple)) else 0


def _one_table(blocks: list[Block]) -> list[Block]:
    seen = 0
    kept = []
    for block in blocks:
        seen += block["type"] == "table"
        kept.append(as_section(block) if block["type"] == "table" and seen > 1 else block)
    return kept


def _within(blocks: list[Block]) -> list[Block]:
    """Shorten the longest texts, step by step, until the whole message fits."""
    for cap in (1_500, 700, 300, 120, 60):
        if characters(blocks) <= MESSAGE_CHARACTERS:
            break
        blocks = [_capped(block, cap) for block in blocks]
    return blocks


def _capped(value: Any, cap: int) -> Any:
    if isinstance(value, dict):
        if isinstance(value.get("rows"), list):
            return {**value, "rows": [[_capped(cell, min(cap, 60)) for cell in row] for row in value["rows"][: cap // 20 + 2]]}
        return {
            key: clip(each, cap) if key == "text" and isinstance(each, str) else _capped(each, cap) for key, each in value.items()
        }
    return [_capped(each, cap) for each in value] if isinstance(value, list) else value


def _worded(text: Any, most: int) -> Any:
    """Return a text object within its limit; Slack refuses an empty one."""
    if isinstance(text, dict) and isinstance(text.get("text"), str):
        return {**text, "text": clip(text["text"], most) or "–"}
    return text


def _section(block: Block) -> Block:
    cut = dict(block)
    if "text" in cut:
        cut["text"] = _worded(cut["text"], 3_000)
    if "fields" in cut:
        cut["fields"] = [_worded(field, 2_000) for field in cut["fields"][:10]]
    if "accessory" in cut:
        cut["accessory"] = _element(cut["accessory"])
    return cut


def _element(element: Any) -> Any:
    if not isinstance(element, dict) or element.get("type") != "button":
        return element
    cut = {**element, "text": _worded(element.get("text"), 75)}
    cut["action_id"] = str(cut.get("action_id", ""))[:255] or "none"
    if "value" in cut:
        cut["value"] = str(cut["value"])[:2_000] or "–"
    if "confirm" in cut:
        limits = {"title": 100, "text": 300, "confirm": 30, "deny": 30}
        cut["confirm"] = {key: _worded(each, limits.get(key, 30)) for key, each in cut["confirm"].items()}
    return cut


def _table(block: Block) -> Block:
    rows = [[_worded(cell, CELL) for cell in row[:TABLE_COLUMNS]] for row in block["rows"][:TABLE_ROWS]]
    return {**block, "rows": rows, "column_settings": block.get("column_settings", [])[:TABLE_COLUMNS]}


CUTS: Mapping[str, Callable[[Block], Block]] = {
    "section": _section,
    "header": lambda b: {**b, "text": _worded(b["text"], 150)},
    "context": lambda b: {**b, "elements": [_worded(e, 2_000) for e in b["elements"][:10]]},
    "actions": lambda b: {**b, "elements": [_element(e) for e in b["elements"][:25]]},
    "table": _table,
}


def _cut(block: Block) -> Block:
    return CUTS.get(str(block.get("type")), dict)(block)
