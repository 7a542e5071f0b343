"""Execute: carry out one approved plan, step by step, and go back when a step fails.

The body only decides; whatever touches the world or the database is a journaled step, so a crash at any point goes on where it
stopped. Each effect carries the key `workflow:step` and is absolute, read back and then measured.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.actions import Change, Going, Json
from bot.core.approvals import Standing
from bot.core.audit import BOT, AuditEntry
from bot.core.errors import ActionFailed, AiopsError, NotAllowed, OutcomeUnknown, StoreUnavailable, WorldMoved
from bot.core.holds import brake
from bot.core.incidents import State
from bot.core.models import split_words
from bot.core.ports import Journal
from bot.core.runs import RunState
from bot.core.words import duration
from bot.flow import again, announce, cards, gate, together, turn
from bot.flow.brake import when_released
from bot.flow.desk import Desk
from bot.flow.hand_over import hand_over
from bot.flow.hands import hands
from bot.flow.hearing import Hearing, amid, stop_if_asked, told_to_stop
from bot.flow.verify import verify
from bot.flow.way_back import WayBack

TO_PEOPLE = " The incident stays with people."


def execute(desk: Desk, journal: Journal, number: str) -> Json:
    """Carry out the run of this number from wherever its journal says it stands; return how it ended.

    Whatever stops it, a refusal, a platform or the bot's own stumble, it never just stops: it goes back and hands over.
    """
    tried: list[Change] = []
    going_back, journal = journal, Hearing(journal, lambda: told_to_stop(desk, number))
    try:
        begun = when_released(desk, journal, "begin", lambda: _begin(desk, number))
        if begun["state"] != RunState.RUNNING.value:
            return begun
        with desk.store.read() as unit:
            changes = unit.run(number).plan.changes
        for group in together.groups(changes):
            if group[0].gate:
                gate.wait(desk, journal, number, replace(group[0], step=group[0].place), free=lambda: stop_if_asked(desk, number))
            when_released(desk, journal, f"{group[0].step}/abort?", lambda: _free_to_go_on(desk, number))
            for change in group:
                journal.step(f"{change.step}/precheck", lambda c=change: _precheck(desk, number, c))  # type: ignore[misc]
            if group[0].together:
                _carry_out_together(desk, journal, number, group, tried)
                continue
            tried.append(group[0])  # what may have been done must be undone: remembered before it is done
            _carry_out(desk, journal, number, group[0])
        journal.step("applied", lambda: _applied(desk, number))
    except StoreUnavailable:  # nothing was judged: the run goes on in its next life, and does not go back
        raise
    except WorldMoved as moved:  # somebody else acts there now: going back would undo what they did
        words = f"{moved} What somebody else has set stays as it is."
        return journal.step("end", lambda: _hand_back(desk, number, RunState.FAILED, words))
    except AiopsError as reason:
        return _go_back(desk, going_back, number, tried, str(reason))
    with desk.store.read() as unit:
        asked = unit.run(number).plan.verification.checks
    if not asked:
        return journal.step("end", lambda: _leave_to_people(desk, number))
    return _confirm(desk, journal, number, lambda why: _go_back(desk, going_back, number, tried, why))


def _leave_to_people(desk: Desk, number: str) -> Json:
    """End a run that mends nothing by itself: what it did is said, and people go on from there."""
    with desk.store.read() as unit:
        said = [entry.partition("\t")[2] for entry in unit.run(number).progress]
    return _hand_back(desk, number, RunState.SUCCEEDED, f"Done: {'; '.join(said)}.{TO_PEOPLE}")


def _confirm(desk: Desk, journal: Journal, number: str, go_back: Callable[[str], Json]) -> Json:
    """Let fresh data decide; where nobody can even look, what was done stays and people decide."""
    try:
        verdict = verify(desk, journal, number)
    except AiopsError as stumble:
        words = f"The plan was carried out, but looking whether it helped failed: {stumble}"
        return journal.step("end", lambda: _hand_back(desk, number, RunState.HANDED_OVER, words))
    if verdict["verdict"] == "critical":
        return go_back(str(verdict["reason"]))
    return verdict


def _carry_out(desk: Desk, journal: Journal, number: str, change: Change) -> None:
    key = f"{journal.id}:{change.step}"
    with suppress(OutcomeUnknown):  # reading back tells what really happened; asking again blindly might do it twice
        again.ask(
            desk,
            journal,
            number,
            change,
            apply=lambda: _apply(desk, number, change, key),
            free=lambda: stop_if_asked(desk, number),
        )
    journal.step(f"{change.step}/read back", lambda: _read_back(desk, number, change, key))
    _watch(desk, journal, number, change, key)


def _carry_out_together(desk: Desk, journal: Journal, number: str, group: list[Change], tried: list[Change]) -> None:
    """Carry out what a parallel step holds, each as it would be by itself."""

    def key(change: Change) -> str:
        return f"{journal.id}:{change.step}"

    def attempt(change: Change, tries: int) -> bool:
        with suppress(OutcomeUnknown):  # as above: reading back tells
            return again.attempt(desk, journal, number, change, (tries, lambda: _apply(desk, number, change, key(change))))
        return False

    def look(change: Change, looks: int, since: str) -> Json:
        if not looks:
            return journal.step(f"{change.step}/measure", lambda: _measure(desk, number, change, key(change)))
        return journal.step(f"{change.step}/measure/{looks}", lambda: _look_again(desk, number, change, key(change), since))

    hands = together.Hands(
        attempt=attempt,
        free=lambda change, tries: journal.step(f"{change.step}/abort?/{tries}", lambda: stop_if_asked(desk, number)),
        read_back=lambda c: journal.step(f"{c.step}/read back", lambda: _read_back(desk, number, c, key(c))),
        look=look,
    )
    together.Together(journal, hands, tried, desk.poll_s).carry_out(group)


def _watch(desk: Desk, journal: Journal, number: str, change: Change, key: str) -> None:
    """Look what the change really does, until it has ended, its time is over or somebody stops it."""
    looks = 0
    seen = first = journal.step(f"{change.step}/measure", lambda: _measure(desk, number, change, key))
    while seen.get("going"):
        looks += 1
        journal.sleep(desk.poll_s)
        seen = journal.step(f"{change.step}/measure/{looks}", lambda: _look_again(desk, number, change, key, str(first["at"])))


def _look_again(desk: Desk, number: str, change: Change, key: str, since: str) -> Json:
    stop_if_asked(desk, number)
    seen = _measure(desk, number, change, key)
    waited = (desk.clock.now() - datetime.fromisoformat(since)).total_seconds()
    if seen.get("going") and waited > change.patience_s:
        raise ActionFailed(f"'{change.step}' had not ended after {duration(timedelta(seconds=change.patience_s))}.")
    return seen


def _begin(desk: Desk, number: str) -> Json:
    """Check once more that exactly this plan was approved, then start; nothing runs on a button's word."""
    now = desk.clock.now()
    with desk.store.write() as unit:
        run = unit.run(number)
        if run.state.over:
            return {"state": run.state.value, "outcome": run.outcome}
        proposal = unit.proposal(run.proposal)
        if proposal.standing is not Standing.APPROVED or proposal.plan.hash != run.plan.hash:
            raise NotAllowed(f"Run {number} has no approval for exactly this plan, so it is not carried out.")
        if not run.abort_by and (brake(unit) or turn.must_wait(unit, run)):
            return {"held": True}
        started = replace(run, state=RunState.RUNNING, started_at=run.started_at or now, outcome="", in_line=False)
        unit.save_run(started)
        if run.state is RunState.QUEUED:
            unit.audit(AuditEntry(now, BOT, "run.started", number, run.incident, {"plan": run.plan.hash}))
        cards.progress(unit, started)
    return {"state": RunState.RUNNING.value}


def _free_to_go_on(desk: Desk, number: str) -> Json:
    """Say whether the next step has to wait, because a person holds the brake; an abort is heard all the same."""
    stop_if_asked(desk, number)
    with desk.store.read() as unit:
        return {"held": True} if brake(unit) else {}


def _precheck(desk: Desk, number: str, change: Change) -> Json:
    action, platform = hands(desk, number, change)
    action.precheck(platform, change)
    return {}


def _apply(desk: Desk, number: str, change: Change, key: str) -> Json:
    """Write down the intent, then act: an audit row stands before every effect."""
    action, platform = hands(desk, number, change)
    with desk.store.write() as unit:
        run = unit.run(number)
        unit.audit(AuditEntry(desk.clock.now(), BOT, "step.intended", key, run.incident, {"words": change.words}))
    with amid(desk, number, change):
        action.apply(platform, change, key)
    return {"key": key}


def _read_back(desk: Desk, number: str, change: Change, key: str) -> Json:
    action, platform = hands(desk, number, change)
    action.read_back(platform, change, key)
    return {}


def _measure(desk: Desk, number: str, change: Change, key: str) -> Json:
    told = _told(desk, number, change)
    if told is not None:
        return {"words": told}
    action, platform = hands(desk, number, change)
    with amid(desk, number, change):
        effect = action.measure(platform, change, key)
    if isinstance(effect, Going):
        return _going(desk, number, change, effect)
    with desk.store.write() as unit:
        run = unit.run(number)
        run = replace(run, outcome="", progress=(*run.progress, f"{change.step}\t{effect.words}"), split=effect.split or run.split)
        unit.save_run(run)
        row = unit.audit(
            AuditEntry(desk.clock.now(), BOT, "step.done", f"{number}:{change.step}", run.incident, dict(effect.measured))
        )
        cards.progress(unit, run)
        incident = unit.incident(run.incident)
        if effect.split:
            incident = unit.save_incident(replace(incident, evidence={**incident.evidence, "split": split_words(effect.split)}))
        announce.show(desk, unit, incident, row)
    return {"words": effect.words, "measured": dict(effect.measured)}


def _told(desk: Desk, number: str, change: Change) -> str | None:
    """Return what was seen after this step in an earlier life, which ended before its journal knew: it is audited once."""
    with desk.store.read() as unit:
        seen = dict(entry.split("\t", 1) for entry in unit.run(number).progress)
    return seen.get(change.step)


def _going(desk: Desk, number: str, change: Change, how_far: Going) -> Json:
    """Show how far it is in the run's message; only when there is something new to say."""
    with desk.store.write() as unit:
        run = unit.run(number)
        words = together.said(run, change, how_far.words)
        if how_far.words and run.outcome != words:
            run = replace(run, outcome=words)
            unit.save_run(run)
            cards.progress(unit, run)
    return {"going": True, "at": desk.clock.now().isoformat()}


def _applied(desk: Desk, number: str) -> Json:
    """All steps are done: from this moment of the data on, fresh rows are the new plan's."""
    now, fresh = desk.clock.now(), desk.data.now()
    with desk.store.write() as unit:
        run = unit.run(number)
        if run.fresh_since:  # told in an earlier life
            return {"fresh_since": run.fresh_since.isoformat()}
        run = replace(run, state=RunState.VERIFYING, applied_at=now, fresh_since=fresh)
        unit.save_run(run)
        incident = unit.incident(run.incident)
        saved = unit.save_incident(incident.moved(State.VERIFYING, mitigated_at=now))
        row = unit.audit(AuditEntry(now, BOT, "run.applied", number, run.incident, {"fresh_since": fresh.isoformat()}))
        cards.progress(unit, run)
        announce.show(desk, unit, saved, row)
    return {"fresh_since": fresh.isoformat()}


def _go_back(desk: Desk, journal: Journal, number: str, tried: list[Change], reason: str) -> Json:
    """Undo in reverse whatever was tried, then hand the incident back to people with what was tried and why it stopped."""
    try:
        undone = WayBack(desk, journal, number).go(tried)
    except StoreUnavailable:  # as above: it goes on going back in its next life
        raise
    except AiopsError as stuck:
        words = f"{reason} Going back failed too: {stuck} A person has to look at the platform now."
        return journal.step("end", lambda: _hand_back(desk, number, RunState.FAILED, words))
    state = RunState.COMPENSATED if tried else RunState.FAILED
    back = " ".join(dict.fromkeys(undone)) or "Nothing had been changed."
    return journal.step("end", lambda: _hand_back(desk, number, state, f"{reason} {back}"))


def _hand_back(desk: Desk, number: str, state: RunState, outcome: str) -> Json:
    with desk.store.write() as unit:
        return hand_over(desk, unit, number, state, outcome)
