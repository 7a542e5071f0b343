"""Delivery: the loop that empties the outbox. A channel that is slow, archived or forbidden never holds up another one."""

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from bot.core.errors import AiopsError
from bot.slack.carrier import Carrier, backoff_s
from bot.slack.client import SlackTrouble, Unanswered
from bot.slack.ports import Posting

log = logging.getLogger(__name__)
WORKERS = 8
POLL_S = 0.2
AWAY_S = 1.0
RECHECKS_S = (15.0, 45.0)
RECHECK_AGAIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Recheck:
    """A second look for copies that land late; `due_s` is monotonic."""

    due_s: float
    posting: Posting


class Delivery:
    """Hands every due message to the carrier, one a channel at a time. `start` and `stop`, or `pass_once` by hand.

    `poll_s` is the pause when nothing is due; `rechecks_s` when a formerly ambiguous post is looked for again, in seconds.
    """

    def __init__(self, carrier: Carrier, *, poll_s: float = POLL_S, rechecks_s: Sequence[float] = RECHECKS_S) -> None:
        self._stopping = threading.Event()
        self._carrier = replace(carrier, wait=self._stopping.wait)
        self._poll_s, self._rechecks_s = poll_s, rechecks_s
        self._rechecks: list[Recheck] = []
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(WORKERS, "delivery")
        self._busy: set[Future[None]] = set()
        self._thread = threading.Thread(target=self._loop, name="outbox", daemon=True)

    @property
    def trouble(self) -> dict[str, str]:
        """What keeps messages from arriving now: one sentence a channel, or under "slack"."""
        return dict(self._carrier.trouble)

    @property
    def alive(self) -> bool:
        """Whether the loop runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Run the loop in a thread of its own."""
        self._thread.start()

    def stop(self, timeout_s: float = 15.0) -> None:
        """Stop after the messages in flight."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def pass_once(self) -> int:
        """Send what is due now, wait for it, and return how many messages that were."""
        started = self._hand_out()
        self._recheck()
        for future in self._busy:
            future.result()
        return started

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                started = self._hand_out()
                self._recheck()
            except Exception:  # the outermost loop: news must go on
                log.exception("The delivery loop stumbled and goes on")
                started = 0
                self._stopping.wait(AWAY_S)
            self._stopping.wait(0.02 if started else self._poll_s)

    def _hand_out(self) -> int:
        self._busy = {future for future in self._busy if not future.done()}
        free = WORKERS - len(self._busy)
        if free <= 0:
            return 0
        try:
            due = self._carrier.outbox.due(self._carrier.clock(), free)
        except AiopsError as reason:  # the database is away; what it holds is not
            log.warning("The outbox cannot be read: %s", reason)
            self._stopping.wait(AWAY_S)
            return 0
        self._busy |= {self._pool.submit(self._safely, posting) for posting in due}
        return len(due)

    def _safely(self, posting: Posting) -> None:
        """Deliver one message; whatever goes wrong with it stays with it."""
        started = time.monotonic()
        try:
            outcome = self._one(posting)
        except AiopsError as reason:  # the row keeps its mark and comes back
            outcome = "not recorded"
            log.warning("Delivery of %s could not be recorded: %s", posting.key, reason)
        self._carrier.ears.measure(outcome, time.monotonic() - started)

    def _one(self, posting: Posting) -> str:
        try:
            outcome = self._carrier.carry(posting)
        except Unanswered as trouble:  # comes back after the settle wait, to be looked for
            log.warning("Slack did not answer for %s: %s", posting.key, trouble)
            return "unanswered"
        except SlackTrouble as trouble:
            return self._carrier.later(posting, trouble)
        except AiopsError:
            raise
        except Exception as error:  # one bad message must not stop all others
            log.exception("Delivery of %s is broken", posting.key)
            self._carrier.postpone(posting, f"broken: {type(error).__name__}", backoff_s(posting.attempts, 60))
            return "broken"
        if posting.suspects:
            self._look_again(posting)
        return outcome

    def _look_again(self, posting: Posting) -> None:
        now = time.monotonic()
        with self._lock:
            self._rechecks += [Recheck(now + wait, posting) for wait in self._rechecks_s]

    def _recheck(self) -> None:
        """Look once more for copies of posts that had been ambiguous; in a worker, because reading takes its time."""
        now = time.monotonic()
        with self._lock:
            due = [one for one in self._rechecks if one.due_s <= now]
            self._rechecks = [one for one in self._rechecks if one.due_s > now]
        self._busy |= {self._pool.submit(self._look, one) for one in due}

    def _look(self, one: Recheck) -> None:
        try:
            self._carrier.drop_late_copies(one.posting)
        except (SlackTrouble, AiopsError) as trouble:
            log.warning("Late copies of %s could not be looked for: %s", one.posting.key, trouble)
            with self._lock:
                self._rechecks.append(replace(one, due_s=time.monotonic() + RECHECK_AGAIN_S))
