"""Again: a step that was refused is asked for once more, only where reading back shows that nothing of it has happened.

A refusal is an answer: the platform said no. What was cut off is no answer and may still arrive, so it is never asked for again.
Each try carries the same key, so that even a refusal that was none has one effect.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from bot.core.actions import Action, Change, Json, Platform
from bot.core.audit import BOT, AuditEntry
from bot.core.errors import ActionFailed, OutcomeUnknown, WorldMoved
from bot.core.ports import Journal
from bot.core.words import duration
from bot.flow import cards
from bot.flow.desk import Desk


def ask(desk: Desk, journal: Journal, number: str, change: Change, *, apply: Callable[[], Json], free: Callable[[], Json]) -> None:
    """Apply a change, as often as its plan allows; `free` raises when the run is to stop.

    Raises:
        OutcomeUnknown: the call was cut off; reading back tells.
        WorldMoved: somebody else acts there now.
        ActionFailed: it was refused for the last time, or more than nothing came of it.
    """
    tries = 1
    while attempt(desk, journal, number, change, (tries, apply)):
        journal.sleep(change.pause_s)
        journal.step(f"{change.step}/abort?/{tries}", free)
        tries += 1


def attempt(desk: Desk, journal: Journal, number: str, change: Change, nth: tuple[int, Callable[[], Json]]) -> bool:
    """Apply a change for the n-th time; return whether it was refused, nothing has happened and it may be asked for again."""
    tries, apply = nth
    refused = _tried(journal, change, tries, apply)
    if refused is None:
        return False
    asked = change, f"{journal.id}:{change.step}"
    journal.step(f"{change.step}/refused/{tries}", partial(_refused, desk, number, asked, (str(refused), tries)))
    return True


def _tried(journal: Journal, change: Change, tries: int, apply: Callable[[], Json]) -> ActionFailed | None:
    """Return the refusal after which it may be asked for again; None when it was not refused."""
    try:
        journal.step(f"{change.step}/apply" if tries == 1 else f"{change.step}/apply/{tries}", apply)
    except (OutcomeUnknown, WorldMoved):
        raise
    except ActionFailed as refused:
        if tries > change.retries:
            raise
        return refused
    return None


def _refused(desk: Desk, number: str, asked: tuple[Change, str], refusal: tuple[str, int]) -> Json:
    """Make sure that nothing has happened, then say in the run's message that it is tried again."""
    (change, key), (why, tries) = asked, refusal
    with desk.store.read() as unit:
        model = desk.model(unit.run(number).model_key)
    _nothing_happened(desk.actions[change.action], desk.platform(model, change.on), asked, why)
    left = change.retries + 1 - tries
    again = f"{left} more {'try' if left == 1 else 'tries'}, the next in {duration(timedelta(seconds=change.pause_s))}"
    words = f"'{change.step}' was refused and nothing has changed: {why} {again}."
    with desk.store.write() as unit:
        run = unit.run(number)
        if run.outcome != words:  # else told in an earlier life
            run = replace(run, outcome=words)
            unit.save_run(run)
            unit.audit(AuditEntry(desk.clock.now(), BOT, "step.refused", key, run.incident, {"why": why, "left": left}))
            cards.progress(unit, run)
    return {}


def _nothing_happened(action: Action, platform: Platform, asked: tuple[Change, str], why: str) -> None:
    """Raise ActionFailed unless the platform answers, stands where it stood, and knows nothing of the change."""
    try:
        action.precheck(platform, asked[0])
        known = _known(action, platform, *asked)
    except WorldMoved:
        raise
    except ActionFailed as silent:
        raise ActionFailed(f"{why} It is not tried again, because nobody can say what came of it: {silent}") from None
    if known:
        raise ActionFailed(f"{why} It is not tried again, because {platform.name} says by now that something came of it.")


def _known(action: Action, platform: Platform, change: Change, key: str) -> bool:
    try:
        action.read_back(platform, change, key)
    except OutcomeUnknown:
        raise
    except ActionFailed:
        return False
    return True
