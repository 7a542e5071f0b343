"""A check measures, a threshold judges.

A check is a plain function of two readings that yields measurements; the decorator makes it a value that `discover` finds.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.core.readings import Reading
from bot.core.words import plain


class Family(StrEnum):
    """What kind of trouble a check speaks of; an incident's identity is model × environment × family.

    The order is precedence: broken data explains a loss, a loss makes drift worth reading, never the other way round.
    """

    DATA_QUALITY = "data_quality"
    OPERATIONS = "operations"
    PERFORMANCE = "performance"
    DRIFT = "drift"

    @property
    def precedence(self) -> int:
        """0 explains all the others."""
        return list(Family).index(self)

    @property
    def words(self) -> str:
        """As written in a sentence."""
        return self.value.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number about one subject (a column, a metric or `model`), with what is needed to judge and to explain it.

    `interval` holds the value with the stated confidence, or for certified what an approximation can still be; `reference` is the
    same number on the reference window where there is one; `n` counts the rows behind `value`.
    """

    subject: str
    value: float
    n: int
    reference: float | None = None
    interval: tuple[float, float] | None = None
    p_value: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """A check's honest "I don't know": why there is no number for this subject, e.g. "312 of 1,000 labels"."""

    subject: str
    reason: str
    n: int = 0


Measured = Measurement | NotMeasured


@dataclass(frozen=True, slots=True)
class Threshold:
    """The lines that judge a measurement; it is crossed only when its *whole* interval lies beyond.

    Where `null` is given (the value that means "no trouble at all"), size and certainty are asked for apart: the value itself must
    cross the line and the whole interval must lie beyond `null`. `above` says which side is bad; `two_sided` that both are, and the
    lines are then distances from `null` (or 0). With `significance` the p-values
    of all subjects of the check are first corrected by Benjamini–Hochberg at that level: significance AND size, never p alone.
    Fewer than `least_rows` rows: not enough data. `origin` says where measured lines come from; empty: somebody wrote them.
    """

    warning: float | None = None
    critical: float | None = None
    above: bool = True
    least_rows: int = 0
    significance: float | None = None
    null: float | None = None
    origin: str = ""
    two_sided: bool = False

    def crossed(self, measurement: Measurement) -> str | None:
        """Return "critical", "warning" or None."""
        held = self.held(measurement)
        if held == (0.0 if self.two_sided else self.null):
            return None
        for level, line in (("critical", self.critical), ("warning", self.warning)):
            if line is not None and (held >= line if self.above else held <= line):
                return level
        return None

    def held(self, measurement: Measurement) -> float:
        """Return the number that is held against the lines: the end of the interval that is least bad.

        Where `null` is given it is the value itself, as soon as the whole interval lies beyond `null`, and `null` until then; of
        two sides the distance from `null`, and 0 until then.
        """
        low, high = measurement.interval or (measurement.value, measurement.value)
        if self.two_sided:
            null = self.null or 0.0
            return 0.0 if low <= null <= high else abs(measurement.value - null)
        safest = low if self.above else high
        if self.null is None:
            return safest
        return measurement.value if (safest > self.null if self.above else safest < self.null) else self.null

    def line(self, level: str, value: float) -> float | None:
        """Return the line of that level on the side where the value lies."""
        line = self.critical if level == "critical" else self.warning
        if line is None or not self.two_sided:
            return line
        null = self.null or 0.0
        return null + line if value >= null else null - line

    def words(self, level: str) -> str:
        """Return the line of that level as text, e.g. "≥ 0.25"."""
        line = self.critical if level == "critical" else self.warning
        if line is None:
            return ""
        return f"beyond ±{line:g}" if self.two_sided else f"{'≥' if self.above else '≤'} {line:g}"


Measure = Callable[[Reading, Reading], Iterator[Measured]]


@dataclass(frozen=True, slots=True)
class Check:
    """A named way of measuring: `measure(reference, current)` yields one result a subject.

    `thresholds`, `labels` and `units` are by subject, where one check measures several things. `ever` says that it asks what
    the reference has ever had: a window is then held against all of it, whatever its season. Not `of_rows` is
    one whose `n` counts something else than predictions: a watch's floor of rows says nothing about it. `whole_rows` are
    the tasks of which it looks at `Reading.joint`: a log is not asked for whole rows where no check does.
    """

    name: str
    family: Family
    unit: str
    measure: Measure
    threshold: Threshold = field(default_factory=Threshold)
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    summary: str = ""
    label: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    ever: bool = False
    of_rows: bool = True
    whole_rows: Collection[str] = ()

    def judged_by(self, subject: str) -> Threshold:
        """Return the threshold of this subject: its own where it has one, else the check's."""
        return self.thresholds.get(subject, self.threshold)

    def named(self, subject: str) -> str:
        """Return what people call the measure: a check of several metrics names each, the others are the measure themselves."""
        return self.labels.get(subject) or self.label or plain(self.name)

    def unit_of(self, subject: str) -> str:
        """Return the unit of what is measured on this subject; "share" and "points" are said in percent (`bot.core.words`)."""
        return self.units.get(subject, self.unit)


def check(
    name: str,
    *,
    family: Family,
    unit: str,
    threshold: Threshold | None = None,
    thresholds: Mapping[str, Threshold] | None = None,
    label: str = "",
    labels: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    ever: bool = False,
    of_rows: bool = True,
    whole_rows: Collection[str] = (),
) -> Callable[[Measure], Check]:
    """Make a measuring function a `Check`; the first line of its docstring becomes the check's summary."""

    def made(measure: Measure) -> Check:
        summary = (measure.__doc__ or "").strip().partition("\n")[0]
        lines, names, kinds = dict(thresholds or {}), dict(labels or {}), dict(units or {})
        line, told = threshold or Threshold(), label or plain(name)
        return Check(name, family, unit, measure, line, lines, summary, told, names, kinds, ever, of_rows, whole_rows)

    return made
