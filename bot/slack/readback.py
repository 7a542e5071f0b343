"""Reading back: after a call without an answer, Slack's own history says whether the message is there."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_sdk import WebClient

from bot.slack.client import Refused, call

EVENT = "aiops_notice"
PAGE = 200
MOST_PAGES = 50
SLACK_CLOCK_S = 120.0  # Slack's clock stamps the message, ours the attempt


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message is looked for: a channel, or a thread in it, and since when (UTC)."""

    channel: str
    thread_ts: str
    since: datetime


def metadata(key: str, nonce: str, revision: int) -> dict[str, object]:
    """Return what a posted message carries, so that it can be found again."""
    return {"event_type": EVENT, "event_payload": {"key": key, "nonce": nonce, "revision": revision}}


def copies(client: WebClient, place: Place, nonces: Mapping[str, int]) -> list[tuple[str, str]]:
    """Return (ts, nonce) of every message that one of these attempts made, the oldest first.

    Raises:
        SlackTrouble: Slack could not be read; nothing is known yet.
    """
    found = []
    for message in messages(client, place):
        told = message.get("metadata") or {}
        nonce = str((told.get("event_payload") or {}).get("nonce", ""))
        if told.get("event_type") == EVENT and nonce in nonces:
            found.append((str(message["ts"]), nonce))
    return sorted(found, key=lambda one: float(one[0]))


def file_shared(client: WebClient, place: Place, file_id: str) -> bool:
    """Return whether a message there shows this file."""
    return any(str(file.get("id")) == file_id for message in messages(client, place) for file in message.get("files") or [])


def messages(client: WebClient, place: Place) -> Iterator[Mapping[str, Any]]:
    """Yield every message of the place since then, page by page. A thread that is gone falls back to the channel."""
    oldest = f"{max(0.0, place.since.timestamp() - SLACK_CLOCK_S):.6f}"
    if place.thread_ts:
        try:
            yield from _pages(
                lambda cursor: client.conversations_replies(
                    channel=place.channel, ts=place.thread_ts, oldest=oldest, include_all_metadata=True, limit=PAGE, cursor=cursor
                )
            )
        except Refused as trouble:
            if trouble.code not in ("thread_not_found", "message_not_found"):
                raise
    yield from _pages(
        lambda cursor: client.conversations_history(
            channel=place.channel, oldest=oldest, include_all_metadata=True, limit=PAGE, cursor=cursor
        )
    )


def _pages(ask: Callable[[str | None], Any]) -> Iterator[Mapping[str, Any]]:
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page, here = None, cursor
        page = call(lambda here=here: ask(here))  # type: ignore[misc]
        yield from page.get("messages") or []
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
        if not cursor:
            return
