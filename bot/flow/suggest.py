"""Suggest: lines that would have kept a replayed history as quiet as somebody wants it, and what they would still have found.

Every series is standardised by its own quiet times (median, and from there to the 95th percentile), and one common height is
lowered over all of them together until the quiet stretches would have opened more incidents than wanted: so the promise is about
the whole model, not about each line. No line is proposed under the check's own warning: an effect that small is nobody's trouble,
however rare. Persistence counts as it does live; one incident a family is open at a time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from bot.core.checks import Family, Measurement, Threshold
from bot.core.findings import Finding, Verdict
from bot.core.models import Watch
from bot.core.windows import Window
from bot.core.words import duration, number
from bot.flow.desk import Desk
from bot.flow.hindsight import MONTH, Data, Replayed, Seen, quiet_at, quiet_time
from bot.flow.tune import tuned

HEIGHTS = 80
STILL = "History is too short or too still to propose lines from; the lines stand as they are."
LEAST_QUIET = 10
"""Of fewer quiet looks nobody can say what is usual."""


@dataclass(frozen=True, slots=True)
class Series:
    """What one (check, subject) did, look by look: times, and how far toward its bad side it stood (larger is worse)."""

    check: str
    subject: str
    family: Family
    watch: Watch
    at: Sequence[datetime]
    badness: Sequence[float]
    line: Threshold
    floor: float
    middle: float
    spread: float

    def height(self, height: float) -> float:
        """Return the badness of this standardised height, never under the floor."""
        return max(self.floor, self.middle + height * self.spread)


def suggest(desk: Desk, played: Replayed, events: Sequence[Window], rate: float) -> Data:
    """Return lines at which the quiet stretches open at most `rate` incidents a month, as data and as YAML to paste."""
    chosen = list(_series(desk, played, events))
    months = quiet_time(played.period, events) / MONTH
    labelled = _labelled(played)
    height, false = lowest(chosen, events, labelled, rate * months)
    lines = {f"{s.check}.{s.subject}": _line(s, height) for s in chosen}
    opened = openings(chosen, height, labelled)
    return {
        "false_alarms_wanted_per_month": rate,
        "false_alarms_per_month": false / months if months else None,
        "lines": lines,
        "yaml": as_yaml(lines),
        "summary": _summary(events, opened, f"{false} in {number(months)} quiet months, wanted {number(rate)} a month")
        if lines
        else STILL,
    }


def lowest(
    chosen: Sequence[Series], events: Sequence[Window], labelled: Mapping[datetime, bool], wanted: float
) -> tuple[float, int]:
    """Return the lowest common height that keeps the quiet times at most as loud as wanted, and how many incidents that leaves."""
    top = max((_highest(s, events) for s in chosen), default=0.0)
    best, false = top, 0
    for step in range(1, HEIGHTS):
        height = top * (1 - step / HEIGHTS)
        opened = sum(quiet_at(at, events) for at in openings(chosen, height, labelled))
        if opened > wanted:
            break
        best, false = height, opened
    return best, false


def openings(chosen: Sequence[Series], height: float, labelled: Mapping[datetime, bool]) -> list[datetime]:
    """Return when incidents would have opened at this common height, oldest first."""
    opened: list[datetime] = []
    for family in {s.family for s in chosen}:
        pressing: dict[datetime, bool] = {}
        for series in (s for s in chosen if s.family is family):
            for at, pressed in persisting(series, series.height(height)):
                quieted = family is Family.DRIFT and labelled.get(at, False)
                pressing[at] = pressing.get(at, False) or (pressed and not quieted)
        opened += _onsets(pressing, max(s.watch.persistence.n for s in chosen if s.family is family))
    return sorted(opened)


def persisting(series: Series, line: float) -> Iterable[tuple[datetime, bool]]:
    """Yield each look with whether it and `k` − 1 of the `n` − 1 before it stood at or beyond the line."""
    wanted = series.watch.persistence
    beyond = [badness >= line for badness in series.badness]
    for place, at in enumerate(series.at):
        recent = beyond[max(0, place - wanted.n + 1) : place + 1]
        yield at, recent[-1] and sum(recent) >= wanted.k


def _onsets(pressing: Mapping[datetime, bool], calm: int) -> list[datetime]:
    """Return where an incident opens: at the first pressing look, and again only after `calm` looks without one."""
    found, still = [], calm
    for at, pressed in sorted(pressing.items()):
        if pressed and still >= calm:
            found.append(at)
        still = 0 if pressed else still + 1
    return found


def _series(desk: Desk, played: Replayed, events: Sequence[Window]) -> Iterable[Series]:
    by_key: dict[tuple[str, str, str], list[Seen]] = {}
    for seen in played.seen:
        if seen.finding.check in desk.checks and seen.finding.value is not None:
            by_key.setdefault((seen.watch.name, *seen.finding.key), []).append(seen)
    for (_, check, subject), looks in by_key.items():
        line = tuned(desk.checks[check], played.model.thresholds).judged_by(subject)
        own = desk.checks[check].judged_by(subject)
        sign = 1.0 if line.above else -1.0
        rows = [(s.slot, sign * value) for s in looks if (value := judged_value(line, s.finding)) is not None]
        calm = sorted(badness for at, badness in rows if quiet_at(at, events))
        if line.critical is None or len(calm) < LEAST_QUIET:
            continue
        middle, upper = median(calm), calm[int(0.95 * (len(calm) - 1))]
        spread = (upper - middle) or (calm[-1] - middle)
        if spread > 0:
            lowest = own.warning if own.warning is not None else line.critical
            times, values = [at for at, _ in rows], [badness for _, badness in rows]
            family, watch = desk.checks[check].family, looks[0].watch
            yield Series(check, subject, family, watch, times, values, line, sign * lowest, middle, spread)


def judged_value(line: Threshold, finding: Finding) -> float | None:
    """Return the number of a finding that its line judges; None where there were too few rows to judge."""
    if finding.verdict is Verdict.UNKNOWN or finding.value is None:
        return None
    return line.held(Measurement(finding.subject, finding.value, finding.n, interval=finding.interval))


def _highest(series: Series, events: Sequence[Window]) -> float:
    quiet = (b for at, b in zip(series.at, series.badness, strict=True) if quiet_at(at, events))
    return (max(quiet) - series.middle) / series.spread + 1e-9


def _labelled(played: Replayed) -> dict[datetime, bool]:
    """Return at which looks labels told how the model does: there drift wakes nobody."""
    primary = [s for s in played.seen if s.finding.family is Family.PERFORMANCE]
    return {s.slot: s.finding.verdict is not Verdict.UNKNOWN for s in primary}


def _line(series: Series, height: float) -> float:
    """Return the proposed line on the check's own scale, with two digits, rounded to the quiet side."""
    told = float(f"{series.height(height) * 1.005:.2g}")
    return told if series.line.above else -told


def as_yaml(lines: Mapping[str, float]) -> str:
    """Return the lines as they stand under a model in `aiops.yaml`."""
    quoted = (f"  {_key(name)}: {{critical: {line:g}}}" for name, line in sorted(lines.items()))
    return "\n".join(["thresholds:", *quoted]) if lines else ""


def _key(name: str) -> str:
    """Return a key that YAML reads back as it stands: names come from data."""
    if all(c.isalnum() or c in "._-" for c in name):
        return name
    return "'" + "".join(c if c.isprintable() else " " for c in name).replace("'", "''") + "'"


def _summary(events: Sequence[Window], opened: Sequence[datetime], rate: str) -> str:
    told = f"With these lines incidents would have been false {rate}"
    for event in events:
        first = next((at for at in opened if event.start <= at < event.end), None)
        after = f"found after {duration(first - event.start)}" if first else "missed"
        told += f"; the event of {event.start:%Y-%m-%d %H:%M} {after}"
    unsaid = (
        "" if events else " Nobody has named events, so all of history counts as quiet: what was true in it makes lines too high."
    )
    return f"{told}. They are fitted to this stretch: replay another one before you trust them.{unsaid}"
