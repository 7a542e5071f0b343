"""A journal in memory that can die and come back: the engine's promises without the engine."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.core.actions import Json
from bot.core.errors import AiopsError, OutcomeUnknown, StoreUnavailable
from bot.core.ports import Journal, never


class Killed(BaseException):
    """The process is gone at this point; nobody may catch it, as nobody catches SIGKILL."""


@dataclass
class FakeJournal(Journal):
    """Remembers like the real one: answers by position and name, errors as class and sentence, everything as JSON.

    `kill_before` and `kill_after` name a step: there `Killed` is raised, once. The effect of `kill_after`'s step is done then but
    not remembered, which is the worst moment. Go on with `restarted()`: same memory, a new life.
    """

    id: str = "pb:1"
    kill_before: str = ""
    kill_after: str = ""
    passes: Callable[[float], None] = lambda _seconds: None
    memory: list[tuple[str, str]] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    _position: int = 0

    def step(self, name: str, do: Callable[[], Json]) -> Json:
        remembered = self._recall(name)
        if remembered is None:
            self._dies_at("before", name)
            remembered = _outcome(name, do)  # of a database that is away the caller hears as of a death: nothing is remembered
            self.done.append(name)
            self._dies_at("after", name)
            self.memory.append((name, remembered))
        self._position += 1
        return _answer(json.loads(remembered))

    def sleep(self, seconds: float, cut_short: Callable[[], bool] = never) -> None:
        if self._recall("sleep") is None:
            self._dies_at("before", "sleep")
            if not cut_short():
                self.slept.append(seconds)
                self.passes(seconds)
            self.memory.append(("sleep", "{}"))
        self._position += 1

    def restarted(self, *, kill_before: str = "", kill_after: str = "") -> "FakeJournal":
        """Return the journal as the next process finds it."""
        return FakeJournal(self.id, kill_before, kill_after, self.passes, self.memory, self.done, self.slept)

    def _recall(self, name: str) -> str | None:
        if self._position == len(self.memory):
            return None
        earlier, remembered = self.memory[self._position]
        if earlier != name:
            raise AssertionError(f"{self.id}: step {self._position} was '{earlier}' in an earlier life and is '{name}' now.")
        return remembered

    def _dies_at(self, moment: str, name: str) -> None:
        if getattr(self, f"kill_{moment}") == name:
            setattr(self, f"kill_{moment}", "")
            raise Killed(f"{moment} '{name}'")


def _outcome(name: str, do: Callable[[], Json]) -> str:
    try:
        return json.dumps({"result": dict(do())}, allow_nan=False)
    except StoreUnavailable as away:
        raise Killed(str(away)) from away
    except AiopsError as error:
        return json.dumps({"error": type(error).__name__, "sentence": str(error)})
    except Exception as error:  # noqa: BLE001  # as the real one: a bug inside a step is an outcome nobody knows
        sentence = f"Step '{name}' broke with {type(error).__name__}; read back what it did before doing it again."
        return json.dumps({"error": OutcomeUnknown.__name__, "sentence": sentence})


def _answer(outcome: dict[str, object]) -> Json:
    if "error" in outcome:
        raise _class(str(outcome["error"]), AiopsError)(outcome["sentence"])
    result = outcome["result"]
    assert isinstance(result, dict)
    return result


def _class(name: str, start: type[AiopsError]) -> type[AiopsError]:
    found = [start]
    for kind in found:
        if kind.__name__ == name:
            return kind
        found.extend(kind.__subclasses__())
    return OutcomeUnknown
