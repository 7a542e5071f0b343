"""A small world for the story: a clock that a test moves, a log that says what a test wants, versions with known scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from bot.core.approvals import Principal
from bot.core.checks import Check, Family, Measured, Measurement, NotMeasured, Threshold
from bot.core.errors import SourceUnavailable
from bot.core.models import Model
from bot.core.profiles import Floats, Profiles
from bot.core.readings import Outcomes, Reading, Sample
from bot.core.windows import Window

MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass
class FakeClock:
    """Time that stands still until a test moves it."""

    at: datetime = MORNING

    def now(self) -> datetime:
        return self.at

    def passes(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class FakeLog:
    """A prediction log: how big the gap (give or take `band`), the drift, the missing share are; `down` makes it unreadable."""

    name: str = "log"
    gap: float = 0.0
    band: float = 0.02
    drift: float = 0.0
    missing: float = 0.0
    rows: int = 10_000
    labelled: int | None = None
    down: str = ""
    windows: list[Window] = field(default_factory=list)

    def reading(
        self, model: Model, window: Window, like: Profiles | None = None, *, as_of: datetime | None = None, whole_rows: bool = True
    ) -> Reading:
        if self.down:
            raise SourceUnavailable(self.down)
        self.windows.append(window)
        n = self.rows if self.labelled is None else self.labelled
        outcomes = Outcomes(np.full(n, self.gap), np.zeros(n, bool), np.full(n, "v3"), np.zeros(n, np.int64), self.rows - n)
        return Reading(
            window,
            self.rows,
            kinds={"drift": str(self.drift), "missing": str(self.missing), "band": str(self.band)},
            outcomes=outcomes,
        )

    def sample(self, model: Model, window: Window, limit: int, version: str | None = None) -> Sample:
        n = min(limit, self.rows)
        return Sample({}, np.full(n, self.gap), np.zeros(n, bool), np.full(n, "v3"), np.zeros(n, np.int64))


@dataclass
class FakeVersions:
    """Versions that can score again: each has one gap on every row."""

    gaps: dict[str, float] = field(default_factory=lambda: {"v1": 0.08, "v2": 0.02, "v3": 0.15})
    down: str = ""

    def versions(self, target: str) -> Sequence[str]:
        return list(self.gaps)

    def score(self, target: str, version: str, sample: Sample) -> Floats:
        if self.down:
            raise SourceUnavailable(self.down)
        return np.full(len(sample), self.gaps[version])


def gap_of(_reference: Reading, current: Reading) -> Iterator[Measured]:
    """The mean score, which in this world is the calibration gap, because nothing ever comes true."""
    if current.outcomes is None or len(current.outcomes) < 100:
        yield NotMeasured("calibration_gap", f"{len(current.outcomes or ())} of 100 labels")
        return
    gap = float(current.outcomes.scores.mean())
    band = float(current.kinds.get("band", 0.02))
    yield Measurement("calibration_gap", gap, len(current.outcomes), reference=0.0, interval=(gap - band, gap + band))


def missing_of(_reference: Reading, current: Reading) -> Iterator[Measured]:
    """The missing share that the log was told to have."""
    yield Measurement("temp", float(current.kinds["missing"]), current.rows, reference=0.0)


def drift_of(_reference: Reading, current: Reading) -> Iterator[Measured]:
    """The drift that the log was told to have."""
    yield Measurement("temp", float(current.kinds["drift"]), current.rows, reference=0.0)


def slow_of(_reference: Reading, current: Reading) -> Iterator[Measured]:
    """Nothing is ever slow here."""
    yield Measurement("p95", 20.0, current.rows, reference=20.0)


CHECKS = {
    "performance": Check(
        "performance",
        Family.PERFORMANCE,
        "",
        gap_of,
        Threshold(0.05, 0.10, least_rows=500, null=0.0),
        labels={"calibration_gap": "calibration gap"},
        units={"calibration_gap": "points"},
    ),
    "missing": Check("missing", Family.DATA_QUALITY, "share", missing_of, Threshold(0.2, 0.5)),
    "psi": Check("psi", Family.DRIFT, "nats", drift_of, Threshold(0.1, 0.25), label="PSI"),
    "latency": Check("latency", Family.OPERATIONS, "ms", slow_of, Threshold(100, 200)),
}


def paired(_sample: Sample, ours: Floats, theirs: Floats) -> Measurement:
    """How much larger our gap is, with a band of ±0.01."""
    gain = float(np.mean(ours) - np.mean(theirs))
    return Measurement("gain", gain, len(ours), interval=(gain - 0.01, gain + 0.01))


@dataclass
class FakeDirectory:
    """Ana and Bo are on call, Cy watches; every team has the channel of its name."""

    roles: dict[str, frozenset[str]] = field(
        default_factory=lambda: {"U0ANA": frozenset({"on-call"}), "U0BO": frozenset({"on-call"}), "U0CY": frozenset({"viewer"})}
    )

    def principal(self, slack_id: str) -> Principal:
        return Principal(slack_id, slack_id, self.roles.get(slack_id, frozenset()))

    def mention(self, team: str) -> str:
        return f"<!subteam^{team}>"

    def channel(self, team: str) -> str:
        return f"#{team}"

    def teams(self) -> Sequence[str]:
        return ("data-eng", "ml-platform", "weather")
