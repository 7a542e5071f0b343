"""The way back: whatever was tried is undone in reverse; what that needs to come into effect is carried out once more.

A registry's alias can be put back at once, but its server goes on with the version that it started with. So a playbook may say of a
step (the restart) `back: again`: where something that was put back is not in effect, the step is carried out again with what stood
there before, awaited look by look, and then what was put back has to be seen. Nobody's abort cuts the way back short.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.actions import AGAIN, UNDO, Change, Going, Json
from bot.core.aliases import NotServed
from bot.core.audit import BOT, AuditEntry
from bot.core.errors import ActionFailed, OutcomeUnknown
from bot.core.ports import Journal
from bot.core.words import duration
from bot.flow import cards
from bot.flow.desk import Desk
from bot.flow.hands import hands

SERVED_WITHIN_S = 300.0
"""A restarted server takes its time until it answers."""


def planned_again(changes: list[Change], parameters: Json) -> Json:
    """Return a step's parameters for the way back: where the plan goes from one version to another, that other one again."""
    moves = [(change.after.get("version"), change.before.get("version")) for change in reversed(changes)]
    before = {after: before for after, before in moves if isinstance(after, str) and isinstance(before, str)}
    return {name: before.get(str(value), value) for name, value in parameters.items()}


@dataclass(frozen=True, slots=True)
class WayBack:
    """The way back of one run, over its own journal."""

    desk: Desk
    journal: Journal
    number: str

    def go(self, tried: list[Change]) -> list[str]:
        """Undo in reverse whatever was tried; return in words what came of it.

        Raises:
            AiopsError: it is stuck; a person has to look.
        """
        with self.desk.store.read() as unit:
            again = [change for change in unit.run(self.number).plan.back if change.step in {one.step for one in tried}]
        words: list[str] = []
        late: list[Change] = []
        for change in reversed(tried):
            try:
                words.append(self._undone(change))
            except NotServed:
                if not again:
                    raise
                late.append(change)
        if late:
            first = {one.step: one for one in tried}
            words += [self._again(change, first[change.step]) for change in again]
        return words + [self._in_effect(change) for change in late]

    def _undone(self, change: Change) -> str:
        return str(self.journal.step(f"{change.step}/undo", lambda: self._undo(change))["words"])

    def _undo(self, change: Change) -> Json:
        action, platform = hands(self.desk, self.number, change)
        words = action.undo(platform, change, self._key(change, UNDO))
        self._told(change, UNDO)
        return {"words": words}

    def _in_effect(self, change: Change) -> str:
        """Look until what was put back is in effect."""

        def look() -> Json:
            try:
                return self._undo(change)
            except NotServed as not_yet:
                return {"going": str(not_yet)}

        return str(self._awaited(f"{change.step}/in effect?", SERVED_WITHIN_S, look)["words"])

    def _again(self, change: Change, first: Change) -> str:
        """Carry a step out once more, when its first try has ended in one way or the other; return what came of it."""
        step, within_s = change.step, change.patience_s
        self._awaited(f"{step}/over?", within_s, lambda: self._over(first))
        with suppress(OutcomeUnknown):  # reading back tells
            self.journal.step(f"{step}/again", lambda: self._apply(change))
        self.journal.step(f"{step}/again/read back", lambda: self._read_back(change))
        return str(self._awaited(f"{step}/again/measure", within_s, lambda: self._measure(change))["words"])

    def _over(self, first: Change) -> Json:
        """Say how far the first try is, where it still goes on; how it ended is of no interest any more."""
        action, platform = hands(self.desk, self.number, first)
        with suppress(ActionFailed):
            seen = action.measure(platform, first, f"{self.journal.id}:{first.step}")
            if isinstance(seen, Going):
                return {"going": seen.words or f"'{first.step}' has not ended"}
        return {}

    def _apply(self, change: Change) -> Json:
        """Write down the intent and show it, then act: as on the way there."""
        action, platform = hands(self.desk, self.number, change)
        key = self._key(change, AGAIN)
        with self.desk.store.write() as unit:
            run = replace(unit.run(self.number), outcome=f"It goes back: '{change.step}' is carried out once more.")
            unit.save_run(run)
            unit.audit(AuditEntry(self.desk.clock.now(), BOT, "step.intended", key, run.incident, {"words": change.words}))
            cards.progress(unit, run)
        action.apply(platform, change, key)
        return {"key": key}

    def _read_back(self, change: Change) -> Json:
        action, platform = hands(self.desk, self.number, change)
        action.read_back(platform, change, self._key(change, AGAIN))
        return {}

    def _measure(self, change: Change) -> Json:
        action, platform = hands(self.desk, self.number, change)
        seen = action.measure(platform, change, self._key(change, AGAIN))
        if isinstance(seen, Going):
            return {"going": seen.words or f"'{change.step}' goes on"}
        self._told(change, AGAIN)
        return {"words": f"'{change.step}' was carried out once more: {seen.words.rstrip('.')}."}

    def _key(self, change: Change, suffix: str) -> str:
        return f"{self.journal.id}:{change.step}{suffix}"

    def _told(self, change: Change, suffix: str) -> None:
        """Write down that a step was put back, or carried out again; once, over all lives."""
        mark, action = (change.step, "step.undone") if suffix == UNDO else (f"{change.step}{AGAIN}", "step.again")
        with self.desk.store.write() as unit:
            run = unit.run(self.number)
            if mark not in run.undone:
                unit.save_run(replace(run, undone=(*run.undone, mark)))
                row = AuditEntry(
                    self.desk.clock.now(), BOT, action, self._key(change, suffix), run.incident, {"words": change.words}
                )
                unit.audit(row)

    def _awaited(self, name: str, within_s: float, look: Callable[[], Json]) -> Json:
        """Look, again and again, until it no longer says what is `going`; ActionFailed when its time is over."""

        def seen(since: str) -> Json:
            now = self.desk.clock.now()
            came = look()
            waited = (now - datetime.fromisoformat(since)).total_seconds() if since else 0.0
            if came.get("going") and waited > within_s:
                raise ActionFailed(f"After {duration(timedelta(seconds=within_s))} still: {str(came['going']).rstrip('.')}.")
            return {**came, "at": since or now.isoformat()}

        looks = 0
        came = self.journal.step(name, lambda: seen(""))
        while came.get("going"):
            looks += 1
            self.journal.sleep(self.desk.poll_s)
            came = self.journal.step(f"{name}/{looks}", lambda since=str(came["at"]): seen(since))  # type: ignore[misc]
        return came
