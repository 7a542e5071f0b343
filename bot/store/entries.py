"""What an audit entry becomes before it is numbered: the one form in which it can be hashed, stored and hashed again alike."""

import json
from collections.abc import Mapping
from dataclasses import replace

from bot.core.actions import canonical
from bot.core.audit import AuditEntry
from bot.core.windows import utc


def settled(entry: AuditEntry) -> AuditEntry:
    """Return the entry in UTC, its payload as plain JSON without floats, its texts without what a database refuses.

    Floats become text: other languages print them differently, and an auditor's script must reach the same bytes.
    """
    payload: Mapping[str, object] = json.loads(canonical(_whole(entry.payload)))
    return replace(
        entry, at=utc(entry.at), actor=clean(entry.actor), action=clean(entry.action), target=clean(entry.target), payload=payload
    )


def clean(text: str) -> str:
    """Return the text without NUL and lone surrogates, which PostgreSQL or UTF-8 refuse."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _whole(value: object) -> object:
    if isinstance(value, Mapping):
        return {clean(str(key)): _whole(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_whole(one) for one in value]
    if isinstance(value, (set, frozenset)):
        return sorted(clean(str(one)) for one in value)
    if value is None or isinstance(value, (bool, int)):
        return value
    return clean(repr(value) if isinstance(value, float) else str(value))
