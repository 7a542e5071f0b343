"""Forget: delete what is old and no longer read, so that a bot may run for years.

A durable workflow in a lane of its own: of many replicas one does it, and after a kill another goes on where this one was. Between
two small transactions everybody else gets a turn.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from bot.core.actions import Json
from bot.core.audit import BOT, AuditEntry
from bot.core.holds import Kind
from bot.core.keeping import LOOKS, Delivered, Keep, Keeper, Old, ReferenceKey
from bot.core.models import Model, Watch
from bot.core.ports import Journal, Unit
from bot.flow import meter, same_hours
from bot.flow.decide import RUN
from bot.flow.desk import Desk
from bot.flow.watch import fingerprint

FORGET = "forget"
BATCH, BLOBS = 1_000, 20
"""So many rows a transaction; of references, which are large, so many."""
STRETCH, MODELS = 50, 500
"""So many transactions or models a step: a few seconds, so that a bot that is told to stop stops."""
SPARE = 10
"""Looks beyond those that a watch reads: an old slot may be looked at again."""
EVERYTHING = 1_000_000


@dataclass(frozen=True, slots=True)
class Broom:
    """What is swept with: the database, how long things stay, and a short rest after each transaction."""

    desk: Desk
    keeper: Keeper
    keep: Keep
    rest: Callable[[], None]


def forget(broom: Broom, journal: Journal) -> Json:
    """Delete what is old; return how much went. A kill may leave a few rows uncounted, and never one of them half deleted."""
    swept: Json = {"after": "", "more": True}
    went: dict[str, int] = {"findings": 0}
    while swept["more"]:
        swept = journal.step("forget findings", partial(findings, broom, str(swept["after"])))
        went["findings"] += int(str(swept["went"]))
    for what, sweep in (("messages", messages), ("notes", notes), ("references", references)):
        went[what] = int(str(journal.step(f"forget {what}", partial(_counted, broom, sweep))["went"]))
    if any(went.values()):
        journal.step("audit", partial(_audited, broom.desk, went))
    return went


def _counted(broom: Broom, sweep: Callable[[Broom], int]) -> Json:
    return {"went": sweep(broom)}


def _audited(desk: Desk, went: Json) -> Json:
    with desk.store.write() as unit:
        row = unit.audit(AuditEntry(desk.clock.now(), BOT, "database.pruned", "database", payload=went))
    return {"seq": row.seq}


def findings(broom: Broom, after: str = "") -> Json:
    """Delete old findings of the models behind `after`, as many as one step may, and say behind which model to go on."""
    went = transactions = 0
    left = [key for key in broom.keeper.models() if key > after]
    for model in left[:MODELS]:
        for check, old in _old(broom, model):
            while transactions < STRETCH and (places := broom.keeper.old_findings(model, check, old, BATCH)):
                broom.keeper.forget_findings(model, check, places)
                went, transactions = went + len(places), transactions + 1
                broom.rest()
        if transactions == STRETCH:  # of this model there may be more
            return {"went": went, "after": after, "more": True}
        after = model
    return {"went": went, "after": after, "more": len(left) > MODELS}


def _old(broom: Broom, key: str) -> Iterator[tuple[str, Old]]:
    """Yield what is old of each check of a model: counted from now, or from where the trouble began that is still open.

    A model that nobody watches any more, and that was last looked at so long ago, is forgotten as a whole.
    """
    slots, model, keep = broom.keeper.newest_slots(key), broom.desk.models.get(key), broom.keep
    now = min([broom.desk.data.now(), *_troubles(broom.desk, key)])
    gone = model is None and max(slots.values()) < now - keep.findings
    looks = 0 if gone else max([LOOKS, *(map(_read_by, model.watches) if model else ())])
    for check in slots:
        yield check, Old(now - keep.healthy, now - keep.findings, looks)


def _read_by(watch: Watch) -> int:
    """Return how many of its own looks a watch may read at once."""
    return max(watch.persistence.n, watch.recovery.windows) + SPARE


def _troubles(desk: Desk, key: str) -> list[datetime]:
    with desk.store.read() as unit:
        return [incident.window.start for incident in unit.incidents(open_only=True, model=key, limit=EVERYTHING)]


def messages(broom: Broom) -> int:
    """Delete messages in Slack that will not change any more; each incident's first one stays, so that its thread is known."""
    before, desk = broom.desk.clock.now() - broom.keep.messages, broom.desk
    with desk.store.read() as unit:
        busy, at_work = _busy(unit), tuple(f"step:{RUN}:{run.id}:" for run in unit.runs(active=True))
    went, after = 0, -1
    while found := broom.keeper.old_messages(before, after, BATCH):
        after = found[-1].position
        settled = [told.key for told in found if _settled(told, busy, at_work)]
        went += broom.keeper.forget_messages(settled, before)
        broom.rest()
    return went


def _busy(unit: Unit) -> set[str]:
    """Return the threads in which something may still be said: the incident is open, somebody has to vote or owes a review."""
    owed = [unit.proposal(hold.subject).incident for hold in unit.holds(Kind.REVIEW)]
    asked = [proposal.incident for proposal in unit.proposals(waiting=True)]
    at_work = [run.incident for run in unit.runs(active=True)]
    open_ = [incident.id for incident in unit.incidents(open_only=True, limit=EVERYTHING)]
    return {f"incident:{number}" for number in (*owed, *asked, *at_work, *open_)}


def _settled(told: Delivered, busy: set[str], at_work: tuple[str, ...]) -> bool:
    if told.thread:
        return told.thread not in busy
    return not told.key.startswith(("incident:", *at_work))


def notes(broom: Broom) -> int:
    """Delete lines of old digests."""
    went, before = 0, broom.desk.data.now() - broom.keep.notes
    while gone := broom.keeper.forget_notes(before, BATCH):
        went += gone
        broom.rest()
    return went


def references(broom: Broom) -> int:
    """Delete references that no configuration has asked for in a long time.

    Replicas may have different configurations for a while, and one may be taken back: so it counts when somebody was last seen to
    ask, and a reference that nobody was seen to ask for yet counts from now.
    """
    keeper, now, long = broom.keeper, broom.desk.clock.now(), broom.keep.references
    known = keeper.references()
    asked = {key for model in broom.desk.models.values() for key in _asked_by(model)} & known.keys()
    seen = {key for key, at in known.items() if at is None or (key in asked and at < now - long / 4)}
    gone = sorted(key for key, at in known.items() if key not in asked and at is not None and at < now - long)
    keeper.want(sorted(seen), now)
    for first in range(0, len(gone), BLOBS):
        keeper.forget_references(gone[first : first + BLOBS])
        broom.rest()
    return len(gone)


def _asked_by(model: Model) -> Iterator[ReferenceKey]:
    """Yield the key of everything that this model is held against."""
    mark = fingerprint(model)
    yield model.key, mark
    yield from ((model.key, hours) for watch in model.watches for hours in same_hours.fingerprints(mark, watch))
    if model.metrics is not None:
        yield from meter.stored_under(model, model.metrics).values()
