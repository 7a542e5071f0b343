"""The models under watch, their versions, and how traffic is split between them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core import own
from bot.core.checks import Threshold
from bot.core.errors import ActionFailed, NotFound
from bot.core.lines import FalseAlarms, Learn
from bot.core.metrics import Metrics
from bot.core.readings import BINARY, TOP
from bot.core.seasons import Season, Slot
from bot.core.windows import Window

PAGE, RECORD = "page", "record"


@dataclass(frozen=True, slots=True)
class Feature:
    """An input column: its kind ("numeric" or "categorical"), its importance (share, 0 to 1) and the team that feeds it."""

    name: str
    kind: str
    importance: float = 0.0
    team: str = ""


@dataclass(frozen=True, slots=True)
class LogColumns:
    """What the prediction log calls the things that every log has; empty text where it has no such column.

    `score` is what the model said: of a regression the predicted number. `prediction` is the class that was decided on. `group` is
    what the items of one ranking share: the id of the query or the session.
    """

    time: str = "time"
    request: str = "request_id"
    version: str = "version"
    score: str = "score"
    label: str = "label"
    label_time: str = "label_time"
    latency_ms: str = "latency_ms"
    error: str = "error"
    prediction: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Persistence:
    """How often in a row of recent windows a finding must be bad before it counts: `k` of the last `n`."""

    k: int = 2
    n: int = 3


@dataclass(frozen=True, slots=True)
class Recovery:
    """When an incident's finding counts as recovered: healthy in that many windows in a row, and back under a lower line.

    `windows` 0 asks for as many as persistence looks at; `under` is the lower line as a share of the warning line.
    """

    windows: int = 0
    under: float = 1.0


@dataclass(frozen=True, slots=True)
class Watch:
    """One rhythm of looking: at every slot of `cadence` (cron text, UTC) these checks judge the window of this length.

    The window ends `lag` before the slot. Labels are the reason: those of the last hours are not only few but biased (a delayed
    flight's label comes later), so judging them would read as a change that is not there.
    `step` is the shortest time between two looks (0 where nobody said: as if without pause). Windows of fewer than `least_rows`
    rows are not judged, except for the quality of the data: silence must stay loud. With a `season` a window is held against the
    reference's same hours, not against all of it.
    """

    name: str
    cadence: str
    window: timedelta
    checks: tuple[str, ...]
    lag: timedelta = timedelta(0)
    persistence: Persistence = field(default_factory=Persistence)
    step: timedelta = timedelta(0)
    least_rows: int = 0
    recovery: Recovery = field(default_factory=Recovery)
    season: Season | None = None

    def judged_at(self, slot: datetime) -> Window:
        """Return the window that is judged at this slot."""
        return Window.ending(slot - self.lag, self.window)

    def hours_of(self, window: Window) -> Slot | None:
        """Return the hours of the season that a window is held against; None where it is all of the reference."""
        return self.season.slot(window) if self.season is not None else None


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a model: by which watch, at which slot of its cadence."""

    watch: Watch
    slot: datetime


@dataclass(frozen=True, slots=True)
class Model:
    """One model in one environment: what is watched and how often, where its log lies, who owns it.

    `thresholds` override a check's own, keyed "check" or "check.subject"; `primary` names the performance subject that may open an
    incident, the others are evidence. `learned` and `false_alarms` ask for measured lines (`bot.core.lines`). `reference_source` is
    where the reference lies when it is not in the log (a training set). In `mode` "record" all is measured and kept, but what would
    have opened an incident becomes a line of the digest.
    `segments` are columns of categories: every check also looks at each of their levels; what it finds there is evidence and wakes
    nobody, unless `segments_page` says so.
    `task` is what it predicts: "binary", "multiclass", "regression" or "ranking", of which `top` items a group count.
    `metrics` says who else measures how its serving does. `connectors` say which platform plays which other part
    for it ("trainer": "nightly-jobs").
    """

    name: str
    environment: str
    team: str
    source: str
    serving: str
    reference: Window
    watches: tuple[Watch, ...]
    features: tuple[Feature, ...] = ()
    columns: LogColumns = field(default_factory=LogColumns)
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    primary: str = "calibration_gap"
    tier: str = "standard"
    reference_source: str = ""
    segments: tuple[str, ...] = ()
    segments_page: bool = False
    learned: Mapping[str, Learn] = field(default_factory=dict)
    false_alarms: FalseAlarms | None = None
    mode: str = PAGE
    task: str = BINARY
    metrics: Metrics | None = None
    connectors: Mapping[str, str] = field(default_factory=dict)
    top: int = TOP

    def platform(self, part: str) -> str:
        """Return the name of the platform that plays this part for the model; empty where none does."""
        if part == own.PART:
            return own.NAME
        return self.serving if part == "serving" else self.connectors.get(part, "")

    @property
    def key(self) -> str:
        """Its name across environments."""
        return f"{self.name}@{self.environment}"

    def watch_of(self, check: str) -> Watch:
        """Return the watch that runs this check, or raise NotFound."""
        for watch in self.watches:
            if check in watch.checks:
                return watch
        raise NotFound(f"No watch of {self.key} runs the check '{check}'; add it to one of them in aiops.yaml.")

    def feature(self, name: str) -> Feature | None:
        """Return the feature of this name, if the model has one."""
        return next((f for f in self.features if f.name == name), None)

    def importance(self, subject: str) -> float:
        """Return the importance of a feature; other subjects have none."""
        feature = self.feature(subject)
        return feature.importance if feature else 0.0


Split = Mapping[str, float]
"""Share of traffic by version; shares are in [0, 1] and add up to 1."""


def split_words(split: Split) -> str:
    """Return a split as people say it, largest first: "v7 90 % · v6 10 %"."""
    served = sorted(((share, version) for version, share in split.items() if share > 0), reverse=True)
    return " · ".join(f"{version} {share:.0%}".replace("%", " %") for share, version in served) or "nothing served"


def same_split(one: Split, other: Split, tolerance: float = 1e-6) -> bool:
    """Return whether both serve the same shares; a version that is absent has share 0."""
    return all(abs(one.get(v, 0.0) - other.get(v, 0.0)) <= tolerance for v in {*one, *other})


def whole_steps(split: Split, steps: int) -> dict[str, int]:
    """Return the shares in whole steps that add up to `steps`; the largest takes what rounding left, and nothing stays nothing."""
    whole = {version: round(share * steps) for version, share in split.items()}
    if any(whole.values()):
        largest = max(whole, key=lambda version: whole[version])
        whole[largest] += steps - sum(whole.values())
    return whole


def servable(target: str, split: Split, versions: Iterable[str]) -> dict[str, float]:
    """Return a share for every version, 0 where the split names none.

    Raises:
        ActionFailed: it names a stranger, or the shares are not between 0 and 1 with the sum 1: what splitters take and do not do.
    """
    known = tuple(versions)
    stranger = next((version for version in split if version not in known), None)
    if stranger is not None:
        raise ActionFailed(f"There is no version '{stranger}' of {target} at the splitter; known: {', '.join(known)}.")
    shares = {version: float(split.get(version, 0.0)) for version in known}
    if not all(0.0 <= share <= 1.0 for share in shares.values()) or abs(sum(shares.values()) - 1.0) > 1e-6:
        raise ActionFailed(f"The shares of {target} must lie between 0 and 1 and add up to 1.")
    return shares


def live_version(split: Split) -> str:
    """Return the version that gets most of the traffic; empty text where nothing says so."""
    return max(sorted(split), key=lambda version: split[version], default="")
