"""The brake: while a person holds it, no run starts and none begins its next step; watching and telling go on.

What is in the middle of a step ends that step, and going back is never held: it only undoes what the bot itself has changed. The
brake is a row in the database, so it holds on every replica and over every restart, and only a person releases it.
"""

from collections.abc import Callable

from bot.core.actions import Json
from bot.core.approvals import Principal, Who
from bot.core.audit import BOT, AuditEntry, AuditRow
from bot.core.errors import Conflict, NotAllowed
from bot.core.holds import Hold, Kind
from bot.core.notices import Notice
from bot.core.ports import Journal, Unit
from bot.flow import cards
from bot.flow.desk import Desk
from bot.flow.membership import known, refuse_unless

SLOWEST = 4.0
"""A run that waits looks less often with time, at least once in so many polls: days of waiting must not fill its journal."""


def pause(desk: Desk, *, by: Principal, reason: str = "") -> Hold:
    """Hold everything that acts; the cards of what waits and of what runs say so from now on.

    Raises:
        NotAllowed: this person may not.
        Conflict: somebody has paused it already.
    """
    _may(desk, by)
    hold = Hold(Kind.PAUSE, "", by.id, desk.clock.now(), reason.strip())
    with desk.store.write() as unit:
        if not unit.hold(hold):
            raise Conflict(f"It is paused already, {unit.holds(Kind.PAUSE)[0].words}.")
        row = unit.audit(AuditEntry(hold.at, by.id, "bot.paused", BOT, payload={"reason": hold.reason}))
        why = f" ({hold.reason})" if hold.reason else ""
        words = f"Paused{why}: no run starts and none begins its next step until somebody types /aiops resume."
        _tell(desk, unit, row, ":octagonal_sign:", words)
    return hold


def resume(desk: Desk, *, by: Principal) -> Hold:
    """Release the brake and return what was held: runs go on by themselves, a proposal that has its votes waits for one more press.

    Raises:
        NotAllowed: this person may not.
        Conflict: nothing is paused.
    """
    _may(desk, by)
    now = desk.clock.now()
    with desk.store.write() as unit:
        hold = unit.lift(Kind.PAUSE, "")
        if hold is None:
            raise Conflict("It is not paused, so nothing was changed.")
        row = unit.audit(AuditEntry(now, by.id, "bot.resumed", BOT, payload={"paused_by": hold.by, "reason": hold.reason}))
        _tell(
            desk,
            unit,
            row,
            ":arrow_forward:",
            "Resumed: runs go on where they were; what has all its approvals needs Approve once more.",
        )
    return hold


def _may(desk: Desk, by: Principal) -> None:
    asked = [Who(desk.brake)] if desk.brake else [policy.who for _, policy in desk.every_policy]
    if not any(asked):
        raise NotAllowed("Nobody may pause or resume: no policy lets anybody approve, and `brake:` in aiops.yaml names no role.")
    refuse_unless(known(desk, by, *asked), asked, "pause and resume")


def _tell(desk: Desk, unit: Unit, row: AuditRow, emoji: str, words: str) -> None:
    """Say it where everybody reads, and on every card that it changes."""
    data = {"emoji": emoji, "text": words, "by": row.entry.actor, "witness": row.witness}
    unit.announce(Notice(f"brake:{row.seq}", desk.digest_channel, "line", data))
    for proposal in unit.proposals(waiting=True):
        cards.card(desk, unit, proposal)
    for run in unit.runs(active=True):
        cards.progress(unit, run)


def when_released(desk: Desk, journal: Journal, name: str, do: Callable[[], Json]) -> Json:
    """Do a step; while it says that it is `held`, wait durably and do it again. An abort is heard by the step itself."""
    looks = 0
    came = journal.step(name, do)
    while came.get("held"):
        looks += 1
        journal.sleep(desk.poll_s * min(1 + looks / 20, SLOWEST))
        came = journal.step(f"{name}/{looks}", do)
    return came
