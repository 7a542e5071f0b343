"""The carrier brings one message to Slack, so that it is neither lost nor seen twice.

A post is marked `sending` before Slack is called. A clear no is retried later; no answer at all leaves the mark, and after the
settle wait Slack's own history is read before anything is posted again. A copy that lands even later is deleted and audited.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_sdk import WebClient

from bot.slack import pictures
from bot.slack.channels import Channels
from bot.slack.client import Answer, Refused, SlackTrouble, Unanswered, Unreachable, call
from bot.slack.pacing import Pace
from bot.slack.ports import Draw, Ears, Outbox, Posting, Render, Rendered
from bot.slack.readback import Place, copies, metadata
from bot.slack.troubles import BAD_CONTENT, GONE, place, sentence

log = logging.getLogger(__name__)
CHART_ATTEMPTS = 4
LOOK_BACK = timedelta(minutes=10)


def wall_clock() -> datetime:
    """Return the time, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Carrier:
    """Posts, edits, reads back and deletes. `wait` sleeps (seconds); `trouble` lists a sentence a channel (or "slack")."""

    outbox: Outbox
    client: WebClient
    render: Render
    draw: Draw
    ears: Ears = field(default_factory=Ears)
    clock: Callable[[], datetime] = wall_clock
    pace: Pace = field(default_factory=Pace)
    channels: Channels = field(default_factory=Channels)
    wait: Callable[[float], object] = time.sleep
    trouble: dict[str, str] = field(default_factory=dict)

    def carry(self, posting: Posting) -> str:
        """Deliver one message and return what became of it.

        Raises:
            SlackTrouble: Unanswered leaves the row `sending`, so that it comes back to be looked for; all else is a clear no.
        """
        if posting.edit:
            return self._edit(posting)
        if posting.ambiguous and (found := self._found(posting)):
            ts, revision = found
            return self._finish(posting, revision, ts, "found")
        return self._post(posting)

    def _post(self, posting: Posting) -> str:
        shown = self._shown(posting)
        self._pause(self.pace.post_in_s(posting.notice.channel))
        if not self.outbox.sending(posting.key, posting.nonce, self.clock()):
            return "taken over"
        extra = {
            "thread_ts": posting.thread_ts or None,
            "metadata": metadata(posting.key, posting.nonce, posting.revision),
            "unfurl_links": False,
            "unfurl_media": False,
        }
        channel = posting.notice.channel
        answer = self._say(
            self.client.chat_postMessage, posting, shown, {"channel": self.channels.known(channel) or channel, **extra}
        )
        ts = str(answer.get("ts", ""))
        if self.channels.known(channel) != channel:
            self.channels.learn(channel, str(answer.get("channel", "")))
            self.outbox.keep(posting.key, {"channel": self.channels.known(channel)})
        if posting.thread_ts and (answer.get("message") or {}).get("thread_ts") != posting.thread_ts:
            # Slack posts a reply to a deleted message into the channel, without a word; the news stays, the auditor hears of it.
            self.ears.audit("delivery.thread_gone", posting.key, {"thread_ts": posting.thread_ts, "ts": ts})
        return self._finish(posting, posting.revision, ts, "posted")

    def _edit(self, posting: Posting) -> str:
        shown, channel = self._shown(posting), self._channel(posting)
        self._pause(self.pace.edit_in_s(posting.notice.channel))
        if not self.outbox.sending(posting.key, posting.nonce, self.clock()):
            return "taken over"
        try:
            self._say(self.client.chat_update, posting, shown, {"channel": channel, "ts": posting.ts})
        except Unanswered as trouble:  # an edit is absolute, so it may simply be made again
            raise Unreachable(trouble.code, detail=trouble.detail) from trouble
        return "edited" if self.outbox.sent(posting.key, posting.revision, posting.ts) else "taken over"

    def _finish(self, posting: Posting, revision: int, ts: str, outcome: str) -> str:
        """Show the picture and record the message, unless another copy of it was recorded first."""
        if posting.notice.chart:
            self._picture(posting, ts)
        if self.outbox.sent(posting.key, revision, ts):
            return outcome
        self.drop(posting, ts, "another copy was recorded first")
        return "collapsed"

    def _shown(self, posting: Posting) -> Rendered:
        notice = posting.notice
        return self.render(notice.template, notice.data, mention=notice.mention)

    def _say(self, method: Callable[..., Any], posting: Posting, shown: Rendered, extra: Mapping[str, object]) -> Answer:
        """Call Slack; content that it refuses is said once more without tables, then as mere text."""
        common = {"text": shown.text, "parse": "none", "link_names": False, **extra}
        for blocks in (shown.blocks, shown.simple):
            try:
                answer = call(lambda blocks=blocks: method(blocks=list(blocks), **common))  # type: ignore[misc]
            except Refused as trouble:
                if trouble.code not in BAD_CONTENT:
                    raise
                log.warning("Slack refuses the content of %s: %s", posting.key, trouble)
                self.ears.measure("refused content", 0.0)
            else:
                break
        else:
            answer = call(lambda: method(blocks=[], **common))
        self.trouble.pop(posting.notice.channel, None)
        self.trouble.pop("slack", None)
        return answer

    def _found(self, posting: Posting) -> tuple[str, int] | None:
        """Return (ts, revision) of the message that an earlier attempt made, keeping one; None when there is none."""
        found = copies(self.client, self._place(posting), posting.suspects)
        for ts, _nonce in found[1:]:
            self.drop(posting, ts, "an ambiguous send had landed twice")
        return (found[0][0], posting.suspects[found[0][1]]) if found else None

    def drop_late_copies(self, posting: Posting) -> None:
        """Delete what earlier attempts made after all, beside the message that is recorded.

        Raises:
            SlackTrouble: Slack could not be read; look again.
        """
        known = {**posting.suspects, posting.nonce: posting.revision}
        found = [ts for ts, _nonce in copies(self.client, self._place(posting), known)]
        for ts in found:
            if self.outbox.key_of(posting.notice.channel, ts) != posting.key:  # the outbox knows the channel by its own name
                self.drop(posting, ts, "an ambiguous send landed late")

    def _place(self, posting: Posting) -> Place:
        return Place(self._channel(posting), posting.thread_ts, posting.first_sending or self.clock() - LOOK_BACK)

    def _channel(self, posting: Posting) -> str:
        return self.channels.id_of(self.client, posting.notice.channel, posting.kept)

    def drop(self, posting: Posting, ts: str, why: str) -> None:
        """Delete a copy, which may be gone already, and tell the auditor."""
        channel = self._channel(posting)
        try:
            call(lambda: self.client.chat_delete(channel=channel, ts=ts))
        except Refused as trouble:
            if trouble.code not in GONE:
                raise
        self.ears.audit("delivery.collapsed", posting.key, {"ts": ts, "why": why})

    def _picture(self, posting: Posting, ts: str) -> None:
        """Show the chart under its message, once; a chart that Slack refuses is left out, the message is not."""
        where = replace(self._place(posting), thread_ts=posting.thread_ts or ts)
        try:
            if pictures.shown(self.client, where, posting.kept):
                return
            drawn = self.draw(posting.notice.chart)
            file_id = pictures.upload(self.client, f"chart-{posting.nonce}.png", drawn.png, drawn.alt)
            self.outbox.keep(posting.key, {"channel": where.channel, "file": file_id})
            pictures.show(self.client, where, file_id, drawn.title)
        except SlackTrouble as trouble:
            waits = not isinstance(trouble, Refused) or trouble.code == "ratelimited"
            if waits and posting.attempts < CHART_ATTEMPTS:  # the message stands, so the row must stay `sending`, not `failed`
                raise Unanswered(trouble.code, detail="the chart waits") from trouble
            log.warning("The chart of %s is left out: %s", posting.key, trouble)
        except Exception:  # a chart is decoration; its message is news
            log.exception("The chart of %s cannot be drawn", posting.key)

    def later(self, posting: Posting, trouble: SlackTrouble) -> str:
        """Record a clear no, and when to try again; return Slack's word for it."""
        if trouble.code in GONE:
            self.outbox.failed(posting.key, posting.nonce, f"{trouble.code}: somebody deleted the message")
            self.ears.audit("delivery.message_gone", posting.key, {"ts": posting.ts, "error": trouble.code})
            return trouble.code
        channel, wait = posting.notice.channel, backoff_s(posting.attempts, 15)
        if told := sentence(trouble.code, channel):
            self.trouble[place(trouble.code, channel)] = told
            wait = backoff_s(posting.attempts, 60, first=5)
        elif isinstance(trouble, Unreachable):
            self.trouble["slack"] = f"Slack cannot be reached ({trouble.detail[:120]}); messages wait in the outbox."
        if trouble.retry_after_s is not None:
            wait = trouble.retry_after_s
        log.warning("Slack refused %s: %s; again in %.0f s", posting.key, trouble, wait)
        self.postpone(posting, str(trouble), wait)
        return trouble.code

    def postpone(self, posting: Posting, error: str, seconds: float) -> None:
        """Let a message wait that certainly did not land."""
        self.outbox.failed(posting.key, posting.nonce, error[:300], retry_at=self.clock() + timedelta(seconds=seconds))

    def _pause(self, seconds: float) -> None:
        if seconds > 0:
            self.wait(seconds)


def backoff_s(attempts: int, most: float, *, first: float = 1.0) -> float:
    """Return how long to wait after so many attempts, doubling from `first` to `most`, in seconds."""
    return float(min(most, first * 2 ** min(10, max(0, attempts - 1))))
