"""Hindsight: what a replayed stretch of history says about a policy, against the events that people know of.

Nobody knows which incidents were true unless somebody says so. With events given, whatever opened inside the reach of one belongs
to it, and everything else opened on a quiet stretch, where it is a false alarm. Without, incidents are only counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.checks import Family
from bot.core.findings import Finding, Verdict
from bot.core.incidents import Incident, Note
from bot.core.models import Model, Watch
from bot.core.windows import Window
from bot.core.words import amount, between, duration, number, plain
from bot.flow.report import incident_data

Data = dict[str, object]
DAY = timedelta(days=1)
MONTH = timedelta(days=30)
"""What "a month" is in every rate of ours."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One finding that could wake people, at its slot and by its watch."""

    slot: datetime
    watch: Watch
    finding: Finding


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay left behind: the stretch that was looked at, how many looks, and what was opened, noted, seen."""

    model: Model
    period: Window
    looks: int
    incidents: Sequence[Incident]
    notes: Sequence[Note]
    seen: Sequence[Seen] = ()


def reach_of(model: Model) -> timedelta:
    """Return how long after an event an incident is still due to it: two of the longest windows, the lag, `n` looks to persist."""
    return max(2 * w.window + w.lag + w.persistence.n * min(w.window, DAY) for w in model.watches)


def review(played: Replayed, events: Sequence[Window] = ()) -> Data:
    """Return what would have happened, as plain data for people and programs."""
    rows = [_incident(incident, events, _opening(incident, played.seen)) for incident in played.incidents]
    quiet = quiet_time(played.period, events)
    false = sum(row["event"] is None for row in rows)
    rate = false / (quiet / MONTH) if quiet else None
    return {
        "model": played.model.key,
        "start": played.period.start.isoformat(),
        "end": played.period.end.isoformat(),
        "looks": played.looks,
        "incidents": rows,
        "events": [_event(event, played.incidents) for event in events],
        "quiet_days": quiet / timedelta(days=1),
        **({"false_alarms": false, "false_alarms_per_month": rate} if events else {"incidents_per_month": rate}),
        "digest": [{"at": note.at.isoformat(), "text": note.text} for note in played.notes],
        "summary": _summary(played, events, false, quiet),
    }


def quiet_time(period: Window, events: Sequence[Window]) -> timedelta:
    """Return how much of the period lies outside every event; events may overlap."""
    edge, quiet = period.start, timedelta(0)
    for event in sorted(events):
        quiet += max(timedelta(0), min(event.start, period.end) - edge)
        edge = max(edge, event.end)
    return quiet + max(timedelta(0), period.end - edge)


def quiet_at(moment: datetime, events: Sequence[Window]) -> bool:
    """Return whether nobody knows of an event at this time."""
    return not any(event.start <= moment < event.end for event in events)


def _opening(incident: Incident, seen: Sequence[Seen]) -> Finding:
    """Return the finding that opened it; the incident itself keeps those of its newest bad window."""
    there = (s.finding for s in seen if s.slot == incident.opened_at and s.finding.family is incident.family)
    critical = [f for f in there if f.verdict is Verdict.CRITICAL]
    return max(critical, key=lambda f: f.importance, default=incident.findings[0])


def _incident(incident: Incident, events: Sequence[Window], why: Finding) -> Data:
    due_to = next((event for event in events if event.start <= incident.opened_at < event.end), None)
    return {
        **incident_data(incident),
        "why": _why(why),
        "event": due_to.start.isoformat() if due_to else None,
    }


def _why(finding: Finding) -> str:
    """Say what opened it: which measure, where it stood and against which line."""
    what = finding.named if finding.family is Family.PERFORMANCE else f"{finding.named} of {finding.subject}"
    low, high = finding.interval or (None, None)
    band = f" {between(low, high, finding.unit)}" if finding.interval and low != high else ""
    told = f"{what} {amount(finding.value, finding.unit)}{band}" if finding.value is not None else what
    unsaid = finding.threshold is not None and "line " not in finding.reason
    line = f", line {amount(finding.threshold, finding.unit)}" if unsaid else ""
    return f"{told}{line}" + (f": {finding.reason}" if finding.reason else "")


def _event(event: Window, incidents: Sequence[Incident]) -> Data:
    found = [i for i in incidents if event.start <= i.opened_at < event.end]
    delay = found[0].opened_at - event.start if found else None
    return {
        "at": event.start.isoformat(),
        "until": event.end.isoformat(),
        "incident": found[0].id if found else None,
        "delay_s": delay.total_seconds() if delay is not None else None,
        "delay": duration(delay) if delay is not None else "",
    }


def _summary(played: Replayed, events: Sequence[Window], false: int, quiet: timedelta) -> str:
    days = played.period.length / timedelta(days=1)
    looked = f"{played.looks:,} looks over {number(days)} days"
    if not events:
        rate = f"{number(len(played.incidents) / (played.period.length / MONTH))} a month"
        unsaid = "Nobody has said which of them were true: name known events with --event." if played.incidents else ""
        return f"{looked}: {_times(len(played.incidents), 'incident')}, {rate}. {unsaid}".strip()
    found = sum(any(e.start <= i.opened_at < e.end for i in played.incidents) for e in events)
    alarms = f"{_times(false, 'false alarm')} on {number(quiet / timedelta(days=1))} quiet days"
    rate = f" ({number(false / (quiet / MONTH))} a month)" if quiet else ""
    return f"{looked}: {found} of {_times(len(events), 'known event')} found, {alarms}{rate}."


def _times(count: int, what: str) -> str:
    return f"{count:,} {plain(what)}{'' if count == 1 else 's'}"
