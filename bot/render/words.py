"""What templates may call: filters that turn values into words. Their arguments are escaped already (`hostile.safe`)."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.render.hostile import MENTION, PERSON, literal

CHANNEL = re.compile(r"[CG][A-Z0-9]{8,30}")
NOT_ASCII = re.compile(r"[^\x20-\x7e]")
SEVERITIES = {"SEV1": ":red_circle:", "SEV2": ":large_orange_circle:", "SEV3": ":large_yellow_circle:", "SEV4": ":white_circle:"}
STATES = {
    "open": ":rotating_light:",
    "acknowledged": ":eyes:",
    "mitigating": ":wrench:",
    "verifying": ":mag:",
    "resolved": ":white_check_mark:",
}
VERDICTS = {"healthy": ":white_check_mark:", "warning": ":warning:", "critical": ":red_circle:", "unknown": ":grey_question:"}
STEPS = {
    "done": ":white_check_mark:",
    "doing": ":hourglass_flowing_sand:",
    "waiting": ":white_circle:",
    "failed": ":x:",
    "undone": ":leftwards_arrow_with_hook:",
}


def as_yaml(value: Any) -> str:
    """Return a plain value as one line of ASCII JSON, which is YAML too; nothing in it can end or open a YAML node."""
    return NOT_ASCII.sub(_escaped, json.dumps(value, ensure_ascii=False, allow_nan=False))


def _escaped(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def severity_mark(severity: str) -> str:
    """Return the emoji of a severity."""
    return SEVERITIES.get(severity, ":white_circle:")


def state_mark(state: str) -> str:
    """Return the emoji of an incident's state."""
    return STATES.get(state, ":grey_question:")


def verdict_mark(verdict: str) -> str:
    """Return the emoji of a verdict."""
    return VERDICTS.get(verdict, ":grey_question:")


def step_mark(state: str) -> str:
    """Return the emoji of a step's state."""
    return STEPS.get(state, ":white_circle:")


def person(who: str) -> str:
    """Return how a message names somebody: a mention for a Slack id, the plain name otherwise."""
    return f"<@{who}>" if PERSON.fullmatch(who) else who


def channel(place: str) -> str:
    """Return how a message names a channel: a link for a Slack id, the plain name otherwise."""
    return f"<#{place}>" if CHANNEL.fullmatch(place) else place


def team(mention: str) -> str:
    """Return a team's mention, or its plain name where Slack knows none."""
    return mention if MENTION.search(mention) else literal(mention)


def moment(iso: str | None, style: str = "{date_short_pretty} at {time}") -> str:
    """Return a time in the reader's own zone; the fallback is UTC. Text that is no time is returned as it is."""
    if not iso:
        return "–"
    try:
        at = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    return f"<!date^{int(at.timestamp())}^{style}|{at:%Y-%m-%d %H:%M} UTC>"


def span(seconds: float | None) -> str:
    """Return a length of time as people say it: "42 s", "4 min 12 s", "3 h 5 min", "2 d 4 h"."""
    if seconds is None:
        return "–"
    whole = max(0, round(seconds))
    for size, unit, below, small in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


def number(value: float | str | None, digits: int = 3) -> str:
    """Return a number with three significant digits, large ones in full; "–" where there is none."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    text = f"{value:,.0f}" if abs(value) >= 1000 or float(value).is_integer() else f"{value:.{digits}g}"
    return text.replace("-", "−")


def percent(share: float | None) -> str:
    """Return a share as a percentage."""
    return "–" if share is None else f"{share * 100:.3g} %"


def counted(row: Mapping[str, Any]) -> str:
    """Return what a finding rests on: "12,340 rows", "30 samples", or nothing where it is no count of anything."""
    if row["check"] == "serving":
        return ""
    return f"{row['n']:,} {'samples' if row['check'] == 'resources' else 'rows'}"


FILTERS = {
    "counted": counted,
    "severity_mark": severity_mark,
    "state_mark": state_mark,
    "verdict_mark": verdict_mark,
    "step_mark": step_mark,
    "person": person,
    "channel": channel,
    "team": team,
    "moment": moment,
    "span": span,
    "number": number,
    "percent": percent,
}
