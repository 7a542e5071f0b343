"""Charts: a notice's `chart` mapping becomes a PNG and the words that say the same (alt text).

matplotlib's Figure API only, without global state; titles and names are hostile, so nothing is ever parsed as mathematics.
Colours are Okabe and Ito's, told apart by every eye; what matters is also told by shape or word.
"""

import io
import itertools
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

SIZE_IN, DPI = (4.5, 2.7), 320  # 1440 × 864: four times what a thread shows, with letters that can still be read there
BLUE, ORANGE, VERMILLION, GREEN = "#0072B2", "#E69F00", "#D55E00", "#009E73"
INK, GREY, FAINT = "#1d1c1d", "#616061", "#e8e8e8"
MOST_POINTS, MOST_BINS = 400, 14
LARGEST = 1e100
YEARS = range(1900, 3000)  # beyond them a clock is broken, and an axis would have no room for its margins
_drawing = threading.Lock()  # matplotlib's font cache is not made for several threads


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn chart: the PNG, what it shows in words, and its headline."""

    png: bytes
    alt: str
    title: str


@dataclass(frozen=True, slots=True)
class Point:
    """One window's value, with the interval that holds it."""

    at: datetime
    value: float
    low: float
    high: float


def draw(chart: Mapping[str, object]) -> Picture:
    """Return the picture of a chart: `kind` is "timeline" or "distribution", the other keys are explained at each.

    Raises:
        ValueError: there is no such kind of chart.
    """
    kind = str(chart.get("kind", ""))
    if kind not in KINDS:
        raise ValueError(f"There is no chart of kind '{kind[:40]}'; known are {', '.join(KINDS)}.")
    title = plain(chart.get("title"), 60) or kind
    with _drawing:
        figure = Figure(figsize=SIZE_IN, dpi=DPI, facecolor="white")
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.095, 0.13, 0.675, 0.62))
        told = KINDS[kind](axes, chart)
        figure.text(0.02, 0.915, title, fontsize=10.5, fontweight="bold", color=INK, parse_math=False)
        figure.text(0.02, 0.84, told.rpartition("; ")[2][:80], fontsize=8, color=GREY, parse_math=False)  # ends are named in place
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
    return Picture(buffer.getvalue(), f"Chart: {title}. {told}"[:1_000], title)


def timeline(axes: Axes, chart: Mapping[str, object]) -> str:
    """Draw one value a window: points [{at, value, low, high}], `reference`, `threshold`, `unit`, `window` [start, end], versions.

    `versions` [{at, version}] mark since when another version served. Returns the words for it.
    """
    points = _points(chart.get("points"))
    _bare(axes)
    if not points:
        return _nothing(axes, "No window has been measured yet.")
    times = [p.at for p in points]
    for part in _unbroken(points):
        at = [p.at for p in part]
        axes.fill_between(at, [p.low for p in part], [p.high for p in part], color=BLUE, alpha=0.16, linewidth=0)  # type: ignore[arg-type]
        axes.plot(at, [p.value for p in part], color=BLUE, linewidth=1.8, marker="o", markersize=3.2)  # type: ignore[arg-type]
    axes.plot(times[-1], points[-1].value, "o", color=VERMILLION, markersize=6.5, zorder=5)  # type: ignore[arg-type]
    threshold, reference = _finite(chart.get("threshold")), _finite(chart.get("reference"))
    ends = [(points[-1].value, f"now {_short(points[-1].value)}", VERMILLION)]
    if reference is not None:
        axes.axhline(reference, color=GREEN, linewidth=1.3, linestyle=(0, (5, 2)))
        ends.append((reference, f"reference {_short(reference)}", GREEN))
    if threshold is not None:
        axes.axhline(threshold, color=VERMILLION, linewidth=1.1, linestyle=(0, (1, 1.5)))
        ends.append((threshold, f"line {_short(threshold)}", VERMILLION))
    _span(axes, chart.get("window"))
    _versions(axes, chart.get("versions"))
    _axis_of_time(axes, times)
    _room(axes, [*(p.low for p in points), *(p.high for p in points), *(value for value, _, _ in ends)])
    _name_ends(axes, ends)
    return _timeline_words(points, threshold, reference, plain(chart.get("unit"), 30))


def distribution(axes: Axes, chart: Mapping[str, object]) -> str:
    """Draw shares a bin: `bins` [names], `reference` and `current` [shares, 0 to 1], all of one length. Returns the words."""
    names = [plain(name, 14) or "(empty)" for name in _list(chart.get("bins"))][:MOST_BINS]
    before = [_finite(x) or 0.0 for x in _list(chart.get("reference"))][: len(names)]
    now = [_finite(x) or 0.0 for x in _list(chart.get("current"))][: len(names)]
    _bare(axes)
    if not names or not len(names) == len(before) == len(now):
        return _nothing(axes, "There is nothing to compare yet.")
    places = range(len(names))
    axes.bar([p - 0.2 for p in places], before, 0.38, color=GREY, alpha=0.55, label="reference")
    axes.bar([p + 0.2 for p in places], now, 0.38, color=ORANGE, label="now")
    axes.set_xticks(list(places), names, rotation=0 if len(names) <= 8 else 35, ha="center" if len(names) <= 8 else "right")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:.0%}".replace("%", " %")))
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8, labelcolor=INK, handlelength=1.0)
    for label in axes.get_xticklabels():
        label.set_parse_math(False)
    most = max(places, key=lambda p: abs(now[p] - before[p]))
    return f"Moved most: {names[most]}, {before[most]:.1%} before, {now[most]:.1%} now, of {len(names)} bins."


KINDS: Mapping[str, Callable[[Axes, Mapping[str, object]], str]] = {"timeline": timeline, "distribution": distribution}


def plain(value: object, most: int) -> str:
    """Return text without control characters, cut to `most` characters."""
    text = "".join(c if c.isprintable() else " " for c in str(value or "")).strip()
    return text if len(text) <= most else text[: most - 1] + "…"


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else []


def _finite(value: object) -> float | None:
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST  # NaN is not
    return float(value) if usable else None  # type: ignore[arg-type]


def _moment(value: object) -> datetime | None:
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return None
    if at.year not in YEARS:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _points(raw: object) -> list[Point]:
    found = []
    for one in _list(raw)[-MOST_POINTS:]:
        told = one if isinstance(one, Mapping) else {}
        at, value = _moment(told.get("at")), _finite(told.get("value"))
        if at is None or value is None:
            continue
        low, high = _finite(told.get("low")), _finite(told.get("high"))
        found.append(Point(at, value, value if low is None else low, value if high is None else high))
    return sorted(found, key=lambda point: point.at)


def _unbroken(points: Sequence[Point]) -> list[list[Point]]:
    """Split where nothing was measured for much longer than usual: a line across it would be invented."""
    steps = sorted((b.at - a.at).total_seconds() for a, b in itertools.pairwise(points))
    usual = steps[len(steps) // 2] if steps else 0.0
    parts = [[points[0]]]
    for before, point in itertools.pairwise(points):
        if (point.at - before.at).total_seconds() > 4 * usual:
            parts.append([])
        parts[-1].append(point)
    return parts


def _short(value: float) -> str:
    text = f"{value:,.0f}" if 1_000 <= abs(value) < 1e7 else f"{value:.3g}"
    return text.replace("-", "−")


def _bare(axes: Axes) -> None:
    """Take away all ink that tells nothing."""
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8, labelcolor=GREY)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))


def _nothing(axes: Axes, words: str) -> str:
    axes.set_axis_off()
    axes.text(0.5, 0.5, words, ha="center", va="center", fontsize=11, color=GREY, transform=axes.transAxes, parse_math=False)
    return words


def _axis_of_time(axes: Axes, times: Sequence[datetime]) -> None:
    locator = AutoDateLocator(minticks=3, maxticks=6, tz=UTC)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC, show_offset=False))  # type: ignore[no-untyped-call]
    if len(times) == 1:
        axes.set_xlim(times[0].timestamp() / 86_400 - 1, times[0].timestamp() / 86_400 + 1)


def _room(axes: Axes, values: Sequence[float]) -> None:
    """Leave a little air above and below."""
    low, high = min(values), max(values)
    air = (high - low) * 0.12 or abs(high) * 0.1 or 1.0
    axes.set_ylim(low - air, high + air)


def _span(axes: Axes, window: object) -> None:
    """Shade the window of the incident."""
    ends = [moment for moment in map(_moment, _list(window)) if moment]
    if len(ends) == 2 and ends[0] < ends[1]:
        axes.axvspan(ends[0], ends[1], color=VERMILLION, alpha=0.09, linewidth=0)  # type: ignore[arg-type]
        middle = ends[0] + (ends[1] - ends[0]) / 2
        words = axes.get_xaxis_transform()
        axes.text(middle, 1.01, "incident", ha="center", fontsize=7.5, color=VERMILLION, transform=words)  # type: ignore[arg-type]


def _versions(axes: Axes, raw: object) -> None:
    for one in _list(raw)[:12]:
        at = _moment(one.get("at")) if isinstance(one, Mapping) else None
        if at is not None:
            axes.axvline(at, color=GREY, linewidth=0.9, alpha=0.7)  # type: ignore[arg-type]
            name, where = " " + plain(one.get("version"), 16), axes.get_xaxis_transform()
            axes.text(at, 0.02, name, fontsize=7.5, color=GREY, transform=where, parse_math=False)  # type: ignore[arg-type]


def _name_ends(axes: Axes, ends: Sequence[tuple[float, str, str]]) -> None:
    """Write each line's name at its right end, moved apart where two would overlap."""
    low, high = axes.get_ylim()
    least, place = (high - low) * 0.075, -math.inf
    for value, name, colour in sorted(ends):
        place = max(value, place + least)
        axes.text(1.012, place, name, transform=axes.get_yaxis_transform(), va="center", fontsize=8.5, color=colour)


def _timeline_words(points: Sequence[Point], threshold: float | None, reference: float | None, unit: str) -> str:
    last = points[-1]
    told = f"Last window {_short(last.value)}" + (f" {unit}" if unit and len(unit) < 7 else "")
    if last.low != last.high:
        told += f" [{_short(last.low)}, {_short(last.high)}]"
    told += f", reference {_short(reference)}" if reference is not None else ""
    told += f", line {_short(threshold)}" if threshold is not None else ""
    windows = "window" if len(points) == 1 else "windows"
    return f"{told}; {len(points)} {windows}, {points[0].at:%Y-%m-%d} to {last.at:%Y-%m-%d}."
