"""Stand-ins for platforms: they answer as a well-behaved one would, and write down what they were asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.core.actions import Action, Change, Effect, Going, Json, Platform
from bot.core.errors import ActionFailed
from bot.core.jobs import Job, Stage
from bot.core.models import Split, servable, split_words
from bot.core.notices import Notice, Posted

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
A_SECOND = 400
"""So many requests come in a second: enough to tell any share within a few seconds."""


@dataclass(frozen=True, slots=True)
class Call:
    """One thing that a platform was asked: in which step of the run, in words, with which key; `times` in a row."""

    step: str
    platform: str
    words: str
    key: str = ""
    times: int = 1


@dataclass
class Ledger:
    """Everything that was asked, in order, and the time that passes only when somebody waits."""

    step: str = ""
    calls: list[Call] = field(default_factory=list)
    seconds: float = 0.0

    def now(self) -> datetime:
        """Return the time of the rehearsal, UTC."""
        return BEGIN + timedelta(seconds=self.seconds)

    def passes(self, seconds: float) -> None:
        """Let time pass at once."""
        self.seconds += seconds

    def writes(self, platform: str, words: str, key: str = "") -> None:
        """Write a call down; the same one again is counted."""
        last = self.calls[-1] if self.calls else None
        if last is not None and (last.step, last.platform, last.words, last.key) == (self.step, platform, words, key):
            self.calls[-1] = replace(last, times=last.times + 1)
        else:
            self.calls.append(Call(self.step, platform, words, key))


class Splitter:
    """A traffic splitter that does what it is told; requests come at a steady rate and go where the weights say."""

    grain = 10_000

    def __init__(self, name: str, ledger: Ledger, split: Split) -> None:
        self.name = name
        self._ledger = ledger
        self._split = dict(split)
        self._counts = dict.fromkeys(split, 0.0)
        self._since = 0.0

    def split(self, target: str) -> Split:
        """Return what was set last."""
        self._ledger.writes(self.name, f"ask what {target} serves")
        return dict(self._split)

    def set_split(self, target: str, split: Split, key: str) -> None:
        """Serve this split from now on."""
        self._count()
        self._split = servable(target, split, self._split)
        self._ledger.writes(self.name, f"serve {target} as {split_words(self._split)}", key)

    def requests(self, target: str) -> Mapping[str, int]:
        """Return how many requests each version has answered."""
        self._count()
        self._ledger.writes(self.name, f"count {target}'s requests")
        return {version: round(n) for version, n in self._counts.items()}

    def _count(self) -> None:
        passed, self._since = self._ledger.seconds - self._since, self._ledger.seconds
        for version, share in self._split.items():
            self._counts[version] += share * passed * A_SECOND


class Jobs:
    """Carries out any job at its second look; `order` is the real platform's where there is one, so that its orders are checked."""

    def __init__(self, name: str, ledger: Ledger, order: Callable[[str, Json], str] | None = None) -> None:
        self.name = name
        self._ledger = ledger
        self._order = order
        self._looks: dict[str, int] = {}

    def order(self, job: str, parameters: Json) -> str:
        """Return in words what would be started."""
        if self._order is not None:
            return self._order(job, parameters)
        return f"{job} with {', '.join(f'{name} = {value}' for name, value in parameters.items())}"

    def start(self, job: str, parameters: Json, key: str) -> None:
        """Start it, once a key."""
        self._ledger.writes(self.name, f"start {self.order(job, parameters)}", key)
        self._looks.setdefault(key, 0)

    def job(self, job: str, key: str) -> Job:
        """Return that it runs, then that it has succeeded."""
        self._ledger.writes(self.name, f"ask how {job} stands", key)
        if key not in self._looks:
            return Job(Stage.ABSENT)
        self._looks[key] += 1
        return Job(Stage.RUNNING, "at work") if self._looks[key] <= 2 else Job(Stage.SUCCEEDED, "done")

    def cancel(self, job: str, key: str) -> None:
        """Stop it."""
        self._ledger.writes(self.name, f"stop {job}", key)


class Own:
    """What the bot does by itself: every message is taken at once, and there is nothing to see."""

    def __init__(self, name: str, ledger: Ledger, teams: Sequence[str]) -> None:
        self.name = name
        self._ledger = ledger
        self._teams = teams
        self._done = set[str]()

    def teams(self) -> Sequence[str]:
        """Return the teams that can be told."""
        return self._teams

    def tell(self, team: str, words: str, key: str) -> None:
        """Write down what would be posted."""
        self._ledger.writes(self.name, f"post to {team}: {words}", key)
        self._done.add(key)

    def told(self, key: str) -> Posted | None:
        """Return that Slack has taken it."""
        return Posted(Notice(key, "", "told", {}), "sent") if key in self._done else None

    def take_back(self, key: str) -> None:
        """Write down that the message would say that it no longer holds."""
        self._ledger.writes(self.name, "say in the message that it no longer holds", key)

    def look_around(self, key: str) -> None:
        """Write down that it would look."""
        self._ledger.writes(self.name, "run every check on the newest data, and write what is seen into the thread", key)
        self._done.add(key)

    def seen(self, key: str) -> str:
        """Return what a real look would count."""
        return "what every check says" if key in self._done else ""


@dataclass(frozen=True)
class Failing(Action):
    """An action that does everything, and fails at its end in one step: to show the way back."""

    action: Action
    step: str

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name of the action that fails."""
        return self.action.name

    def plan(self, platform: Platform, target: str, parameters: Json, *, step: str, before: Json | None) -> Change:
        """Plan as it does."""
        return self.action.plan(platform, target, parameters, step=step, before=before)

    def precheck(self, platform: Platform, change: Change) -> None:
        """Check as it does."""
        self.action.precheck(platform, change)

    def apply(self, platform: Platform, change: Change, key: str) -> None:
        """Apply as it does."""
        self.action.apply(platform, change, key)

    def read_back(self, platform: Platform, change: Change, key: str) -> None:
        """Read back as it does."""
        self.action.read_back(platform, change, key)

    def measure(self, platform: Platform, change: Change, key: str) -> Effect | Going:
        """Fail in this one step."""
        if change.step == self.step:
            raise ActionFailed(f"'{self.step}' fails here because the rehearsal asks for it.")
        return self.action.measure(platform, change, key)

    def blast(self, changes: list[Change]) -> str:  # type: ignore[override]
        """Say what it touches."""
        return self.action.blast(changes)

    def undo(self, platform: Platform, change: Change, key: str) -> str:
        """Go back as it does."""
        return self.action.undo(platform, change, key)
