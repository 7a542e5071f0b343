"""Everything that comes out of data is hostile: it is made harmless once, on its way in, so that no template can forget it.

Slack's mark-up needs only `&`, `<` and `>` escaped; escaped text can make no mention, no broadcast and no link. The one exception
are mentions that a *structured* field of the same notice names (`by`, `team_mention` …): the flow put them there, not the data.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

MENTION = re.compile(r"<(?:@[UW][A-Z0-9]{1,30}|!subteam\^S[A-Z0-9]{1,30}(?:\|@?[\w .-]{1,80})?)>")
PERSON = re.compile(r"[UW][A-Z0-9]{3,30}")  # Slack's own have nine and more; a shorter word is a word
# Control characters, lone surrogates, and the marks that turn the direction of reading: a name must look like what it is.
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]")
LINE_BREAKS = re.compile("\r\n|[\r\x85\u2028\u2029]")
DEEPEST = 12

Plain = Any
"""None, bool, int, float, str, or lists and dicts of them."""


def escape(text: str) -> str:
    """Return text that Slack shows as it is and never interprets as a mention, broadcast or link."""
    clean = UNPRINTABLE.sub("", LINE_BREAKS.sub("\n", text))
    return clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """Return what `escape` was given, for the places that Slack does not interpret."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def literal(text: str) -> str:
    """Return text for a `plain_text` object: no mark-up, and nothing that even looks like Slack's angle brackets."""
    return unescape(text).replace("<", "\u2039").replace(">", "\u203a")


def safe(data: Mapping[str, object]) -> dict[str, Plain]:
    """Return the data as plain, escaped JSON.

    Raises:
        TypeError: a value is neither text, number, time, list nor mapping, or is nested more than 12 deep.
    """
    allowed = frozenset(_named(data))
    cleaned: dict[str, Plain] = _safe(data, allowed, 0)
    return cleaned


def _named(value: object, key: str = "") -> Iterator[str]:
    """Yield the mentions that structured fields name."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _named(each, str(name))
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _named(each, key)
    elif isinstance(value, str):
        if (key == "by" or key.endswith("_by")) and PERSON.fullmatch(value):
            yield f"<@{value}>"
        elif key == "mention" or key.endswith("_mention"):
            yield from MENTION.findall(value)


def _restored(escaped: str, allowed: frozenset[str]) -> str:
    for mention in allowed:
        escaped = escaped.replace(escape(mention), mention)
    return escaped


def _safe(value: object, allowed: frozenset[str], depth: int) -> Plain:
    if depth > DEEPEST:
        raise TypeError(f"The data of a notice is nested more than {DEEPEST} deep.")
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        return _restored(escape(value), allowed)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {escape(str(key)): _safe(each, allowed, depth + 1) for key, each in value.items()}
    if isinstance(value, (Sequence, set, frozenset)):
        return [_safe(each, allowed, depth + 1) for each in value]
    raise TypeError(f"A {type(value).__name__} cannot be shown; give a template text, numbers, times, lists and mappings.")
