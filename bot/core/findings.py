"""A finding reports: one measurement, judged."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.core.checks import Check, Family, Measured, Measurement, NotMeasured, Threshold
from bot.core.windows import Window
from bot.core.words import amount, plain


class Verdict(StrEnum):
    """What a finding says. `unknown` is never `healthy`: it carries its reason."""

    HEALTHY = "healthy"
    UNKNOWN = "unknown"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 is best; used to find the worst of several."""
        return list(Verdict).index(self)


def in_slice(subject: str, name: str) -> str:
    """Return the subject of a finding on one slice: "age · origin=JFK"."""
    return f"{subject} · {name}"


ESTIMATED = "estimated"
"""The check that judges performance before labels come: what it says is never what a label says."""

SERVED = "serving"
"""The check that is always there where traffic was ever decided on: is it still shared so?"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One subject of one check of one model in one window, judged; `slice` says of which of its rows, where not of all."""

    model: str
    check: str
    family: Family
    subject: str
    verdict: Verdict
    reason: str
    window: Window
    unit: str = ""
    value: float | None = None
    reference: float | None = None
    interval: tuple[float, float] | None = None
    p_value: float | None = None
    threshold: float | None = None
    n: int = 0
    importance: float = 0.0
    label: str = ""
    slice: str = ""

    @property
    def column(self) -> str:
        """What it is about, wherever: the subject without the slice."""
        return self.subject.removesuffix(in_slice("", self.slice)) if self.slice else self.subject

    @property
    def named(self) -> str:
        """What was measured, as people say it."""
        return self.label or plain(self.check)

    @property
    def key(self) -> tuple[str, str]:
        """Which question it answers: (check, subject)."""
        return (self.check, self.subject)

    def tells(self, primary: str) -> bool:
        """Return whether it says, by labels that have come, how the metric does that matters most."""
        return self.family is Family.PERFORMANCE and self.subject == primary and self.check != ESTIMATED

    @property
    def bad(self) -> bool:
        """Worth a person's attention."""
        return self.verdict in (Verdict.WARNING, Verdict.CRITICAL)


def worst(findings: Iterable[Finding]) -> Verdict:
    """Return the worst verdict; nothing measured at all is unknown, never healthy."""
    return max((f.verdict for f in findings), key=lambda v: v.rank, default=Verdict.UNKNOWN)


def significant(measurements: Iterable[Measurement], level: float) -> set[str]:
    """Return the subjects whose p-value passes Benjamini–Hochberg at this level (Benjamini & Hochberg 1995)."""
    tested = sorted((m for m in measurements if m.p_value is not None), key=lambda m: m.p_value or 0.0)
    passing = [i for i, m in enumerate(tested, 1) if (m.p_value or 0.0) <= level * i / len(tested)]
    return {m.subject for m in tested[: max(passing, default=0)]}


def judge(check: Check, results: Iterable[Measured], *, model: str, window: Window) -> list[Finding]:
    """Hold every result of one check against its threshold, with the correction over all its subjects."""
    results = list(results)
    return [_judged(check, result, results, model, window) for result in results]


def _judged(check: Check, result: Measured, results: list[Measured], model: str, window: Window) -> Finding:
    subject = result.subject
    unit, label = check.unit_of(subject), check.named(subject)
    if isinstance(result, NotMeasured):
        return Finding(
            model,
            check.name,
            check.family,
            subject,
            Verdict.UNKNOWN,
            result.reason,
            window,
            unit,
            n=result.n,
            label=label,
        )
    line = check.judged_by(subject)
    verdict, reason = _verdict(line, result, results)
    level = "critical" if verdict is Verdict.CRITICAL or line.warning is None else "warning"
    if line.origin and line.critical is not None and verdict is not Verdict.UNKNOWN:
        told = f"line {amount(line.critical, unit)}: {line.origin}"
        reason = f"{reason}; {told}" if reason else told
    return Finding(
        model,
        check.name,
        check.family,
        subject,
        verdict,
        reason,
        window,
        unit,
        result.value,
        result.reference,
        result.interval,
        result.p_value,
        line.line(level, result.value),
        result.n,
        label=label,
    )


def _verdict(line: Threshold, result: Measurement, results: list[Measured]) -> tuple[Verdict, str]:
    if result.n < line.least_rows:
        return Verdict.UNKNOWN, f"not enough data: {result.n:,} of {line.least_rows:,} rows"
    level = line.crossed(result)
    if level is None:
        return Verdict.HEALTHY, result.detail
    tested = [m for m in results if isinstance(m, Measurement)]
    if line.significance is not None and result.subject not in significant(tested, line.significance):
        return Verdict.HEALTHY, "large, but within chance"
    return Verdict(level), result.detail or f"{line.words(level)}"
