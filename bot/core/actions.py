"""What a playbook does to a platform, and the plan that people approve.

The contract of an action: `plan → precheck → apply(key) → read_back → measure → undo(snapshot)`. Nothing is believed because an API
said 200: after `apply` the platform is read back, then what it really does is measured. What takes hours is measured look by look.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Protocol, runtime_checkable

Json = Mapping[str, object]

ARROW = " → "
"""Between from and to in a change's words."""


UNDO = ":undo"
"""What the key of going back adds to the key of the change."""

AGAIN = ":again"
"""What the key adds where a step is carried out once more on the way back."""


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a plan, frozen: from → to, and the words for it. `before` is the snapshot that `undo` goes back to.

    `on` is the part that the platform plays for the model ("serving", "trainer"). After `patience_s` what still goes on has failed.
    Refused, and nothing of it done, it is asked for `retries` times more, `pause_s` apart. With a `gate`, what a person has to look
    at, the run waits for one before it, `gate_s` at most. Neighbours with the same name in `together` begin together and are all
    awaited; they have their gate in common.
    """

    step: str
    action: str
    target: str
    before: Json
    after: Json
    words: str
    hold_s: float = 0.0
    measure_share_within: float = 0.0
    on: str = "serving"
    patience_s: float = 0.0
    retries: int = 0
    pause_s: float = 0.0
    gate: str = ""
    gate_s: float = 0.0
    together: str = ""

    @property
    def place(self) -> str:
        """What a run that waits before it says that it waits before."""
        return self.together or self.step


@dataclass(frozen=True, slots=True)
class Verification:
    """What must be seen on fresh data before the incident may close: these checks, this many rows, within this long.

    No checks: the playbook mends nothing by itself, so its end leaves the incident to people.
    """

    checks: tuple[str, ...] = ()
    least_rows: int = 0
    within_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Exactly what will be done. Its hash is what is approved: other content is another plan.

    Runs whose plans share a `lock` never overlap, whatever their models. `back` is carried out once more on the way back, each only
    if the step of its name was tried, and only where what was put back is not in effect without it.
    """

    playbook: str
    playbook_hash: str
    model: str
    environment: str
    changes: tuple[Change, ...]
    verification: Verification
    parameters: Json = field(default_factory=dict)
    lock: str = ""
    back: tuple[Change, ...] = ()

    @property
    def hash(self) -> str:
        """SHA-256 over the canonical JSON of the whole plan, hex."""
        told = asdict(self)
        for part, later in ((told, "lock"), (told, "back"), *((change, "together") for change in told["changes"])):
            if not part[later]:  # plans approved before there was such a thing keep their hash
                del part[later]
        return hashlib.sha256(canonical(told).encode()).hexdigest()

    @property
    def words(self) -> str:
        """From → to, in one line: where the first change starts and where the last one leads."""
        if len(self.changes) == 1:
            return self.changes[0].words
        start, end = self.changes[0].words.partition(ARROW)[0], self.changes[-1].words.rpartition(ARROW)[2]
        return f"{start}{ARROW}{end} in {len(self.changes)} steps"


def canonical(value: object) -> str:
    """Return JSON with sorted keys and no spaces: equal values, equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=str)


@dataclass(frozen=True, slots=True)
class Effect:
    """What was seen after a change, in words for the card and numbers for the audit; `split` is the traffic that it set, if any."""

    words: str
    measured: Json = field(default_factory=dict)
    split: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Going:
    """It has not ended yet: how far it is, in words for the card."""

    words: str = ""


class Platform(Protocol):
    """Whatever an action talks to; each action names the port that it needs in its own file."""

    name: str


@runtime_checkable
class Action(Protocol):
    """One kind of change to one kind of platform. `key` (`workflow:step`) stays the same over retries and restarts."""

    name: str

    def plan(self, platform: Platform, target: str, parameters: Json, *, step: str, before: Json | None) -> Change:
        """Return the change without making it; `before` continues from an earlier change of the same plan."""
        ...

    def precheck(self, platform: Platform, change: Change) -> None:
        """Raise WorldMoved unless the platform stands at `change.before` (or already at `change.after`)."""
        ...

    def apply(self, platform: Platform, change: Change, key: str) -> None:
        """Make the change; absolute, so that a second call with the same key changes nothing. May raise OutcomeUnknown."""
        ...

    def read_back(self, platform: Platform, change: Change, key: str) -> None:
        """Raise ActionFailed unless the platform now says `change.after`."""
        ...

    def measure(self, platform: Platform, change: Change, key: str) -> Effect | Going:
        """Look what it really does, for `change.hold_s`; raise ActionFailed when that is not `change.after`.

        What is still `Going` is looked at again, until `change.patience_s` is over.
        """
        ...

    def blast(self, changes: Sequence[Change]) -> str:
        """Return what these changes of one plan, all of this action, touch if they go wrong; for those who approve."""
        ...

    def undo(self, platform: Platform, change: Change, key: str) -> str:
        """Go back to `change.before`, read that back and say in a sentence what it came to; `key` is that of `apply` + `UNDO`."""
        ...
