"""How numbers, names and lengths of time are said, the same in Slack, in the shell and in a report."""

from collections.abc import Sequence
from datetime import timedelta

SHARE = "share"
"""The unit of a part of a whole: said in percent."""
POINTS = "points"
"""The unit of a difference of two shares: said in points of percent, because a gap of 10 % could mean a tenth of something."""


def plain(name: str) -> str:
    """Return a name of ours as words."""
    return name.replace("_", " ")


def number(value: float | None) -> str:
    """Return a number with three significant digits, large ones in full: 0.0832, 4.21, 12,340, 1e+20."""
    if value is None:
        return "–"
    if value != value:  # noqa: PLR0124  NaN is the one number that differs from itself
        return "NaN"
    if abs(value) < 0.0005:
        return "0"
    in_full = 999.5 <= abs(value) < 1e15  # from there on three digits would need an exponent; beyond, nobody reads the digits
    told = f"{value:,.0f}" if in_full else f"{value:.3g}"
    return told.replace("-", "−")


def amount(value: float | None, unit: str) -> str:
    """Return a value, with its unit where that is a share: "10.3 points", "78.6 %"; else the number alone."""
    if value is None or value != value or unit not in (SHARE, POINTS):  # noqa: PLR0124  NaN
        return number(value)
    return f"{hundredfold(value)} {'%' if unit == SHARE else unit}"


def several(count: int, noun: str) -> str:
    """Return how many there are in words: 1 model, 2 models."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def between(low: float | None, high: float | None, unit: str) -> str:
    """Return an interval in the unit of `amount`, without naming it again: "[5, 15.2]"."""
    if low is None or high is None or unit not in (SHARE, POINTS):
        return f"[{number(low)}, {number(high)}]"
    return f"[{hundredfold(low)}, {hundredfold(high)}]"


def hundredfold(share: float) -> str:
    """Return a share in percent with one digit after the point, and none where it is zero."""
    whole = round(share * 100, 1) + 0.0  # no minus before a zero
    return f"{whole:.1f}".removesuffix(".0").replace("-", "−")


def unit_after(unit: str) -> str:
    """Return the unit that still has to be written after `amount`: none where that names its own."""
    return "" if unit in (SHARE, POINTS) else unit


def some(names: Sequence[str], most: int = 3) -> str:
    """Return the first few names and how many more there are."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def quoted(text: str, most: int = 40) -> str:
    """Return a name out of somebody's data in quotation marks: on one line, and no longer than `most`."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text[: 4 * most]).split())
    cut = line if len(line) <= most and len(text) <= 4 * most else line[: most - 1] + "…"
    return f"“{cut}”"


def duration(length: timedelta) -> str:
    """Return a length of time as people say it: "2 min 10 s", "3 h 5 min", "2 d 4 h"."""
    whole = round(length.total_seconds())
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts = [(whole % (units[i - 1][1] if i else whole + 1) // size, name) for i, (name, size) in enumerate(units)]
    told = [f"{count} {name}" for count, name in parts if count]
    return " ".join(told[:2]) or "0 s"
