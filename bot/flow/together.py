"""Together: the steps that a parallel one holds begin one right after the other and are all awaited, look by look.

No threads: the journal answers by position, so what is done must come in the same order in every life, whatever ends first. What
takes long goes on by itself on its platform; only beginning, reading back and counting traffic are done one after the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import TypeVar

from bot.core.actions import Change, Json
from bot.core.errors import ActionFailed, NotAllowed, WorldMoved
from bot.core.models import Model
from bot.core.ports import Journal
from bot.core.runs import Run

T = TypeVar("T")


def groups(changes: Sequence[Change]) -> list[list[Change]]:
    """Return the changes in order: each by itself, and those that a parallel step holds as one group."""
    found = (list(held) for _, held in groupby(changes, key=lambda change: change.together))
    return [group for held in found for group in ([held] if held[0].together else [[change] for change in held])]


def refuse_conflicts(model: Model, changes: Sequence[Change]) -> None:
    """Raise NotAllowed where two parallel steps start from a state of the same platform: each would undo the other's work."""
    for group in groups(changes):
        first: dict[str, Change] = {}
        for change in (change for change in group if change.before):
            other = first.setdefault(model.platform(change.on), change)
            if other is not change:
                raise NotAllowed(
                    f"'{other.step}' and '{change.step}' are parallel and both change what plays '{change.on}' for {model.name}; "
                    "let one follow the other."
                )


def said(run: Run, change: Change, words: str) -> str:
    """Return how far a step is, for the run's message; the others of a parallel one keep their lines."""
    if not change.together:
        return words
    others = tuple(f"{c.step}: " for c in run.plan.changes if c.together == change.together and c.step != change.step)
    kept = [line for line in run.outcome.split("\n") if line.startswith(others)]
    return "\n".join(sorted([*kept, f"{change.step}: {words}"]))


@dataclass(frozen=True, slots=True)
class Hands:
    """How one change is carried out, each as journaled steps.

    `attempt` applies it for the n-th time and returns whether it was refused but may be asked for again; `free` raises when the run
    is to stop; `look` (the n-th, since when) says whether it still goes on.
    """

    attempt: Callable[[Change, int], bool | None]
    free: Callable[[Change, int], object]
    read_back: Callable[[Change], Json | None]
    look: Callable[[Change, int, str], Json]


@dataclass
class Together:
    """One parallel step being carried out; `tried` is told of every change before it is begun."""

    journal: Journal
    hands: Hands
    tried: list[Change]
    poll_s: float
    failed: list[ActionFailed] = field(default_factory=list)

    def carry_out(self, changes: Sequence[Change]) -> None:
        """Begin all, then await all that began. Once one has failed no other begins, and those at work come to their end.

        Raises:
            ActionFailed: one or several failed; WorldMoved where somebody else acts there.
        """
        standing = [change for change in self._begun(changes) if self._well(change)]
        self._await(standing)
        if self.failed:
            kind = next((type(one) for one in self.failed if isinstance(one, WorldMoved)), type(self.failed[0]))
            raise kind(" ".join(dict.fromkeys(str(one) for one in self.failed)))

    def _begun(self, changes: Sequence[Change]) -> list[Change]:
        """Begin them; what was refused and may be asked for again waits until every other one has begun."""
        begun: list[Change] = []
        waiting, tries = list(changes), 1
        while waiting:
            refused: list[Change] = []
            for change in waiting:
                if tries == 1:
                    self.tried.append(change)
                again = self._noting(partial(self.hands.attempt, change, tries), None)
                if again is None:
                    return begun
                (refused if again else begun).append(change)
            waiting = refused
            if waiting:
                self.journal.sleep(max(change.pause_s for change in waiting))
                self.hands.free(waiting[0], tries)
                tries += 1
        return begun

    def _await(self, changes: Sequence[Change]) -> None:
        """Look at all of them, again and again, until none goes on."""
        going, looks = [(change, "") for change in changes], 0
        while going := [(change, at) for change, since in going if (at := self._since(change, looks, since))]:
            looks += 1
            self.journal.sleep(self.poll_s)

    def _since(self, change: Change, looks: int, since: str) -> str:
        """Return since when it goes on; empty when it has ended, well or not."""
        ended: Json = {}
        seen = self._noting(partial(self.hands.look, change, looks, since), ended)
        return (since or str(seen["at"])) if seen.get("going") else ""

    def _well(self, change: Change) -> bool:
        """Return whether the platform says what was set."""
        return self._noting(partial(self.hands.read_back, change), None) is not None

    def _noting(self, do: Callable[[], T], otherwise: T) -> T:
        """Do it; a failure is kept for later, when the others have ended. An abort is none, and is heard at once."""
        try:
            return do()
        except ActionFailed as reason:
            self.failed.append(reason)
            return otherwise
