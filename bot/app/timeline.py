"""A backtest as one picture: the metric that may wake people, the incidents under it, and what people know of the time."""

import io
from collections.abc import Sequence
from datetime import datetime

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from bot.charts import BLUE, FAINT, GREEN, GREY, INK, ORANGE, VERMILLION, plain
from bot.core.checks import Family
from bot.core.findings import Finding
from bot.core.windows import Window
from bot.core.words import plain as as_words
from bot.flow.hindsight import Replayed

COLORS = {"SEV1": VERMILLION, "SEV2": ORANGE, "SEV3": BLUE, "SEV4": GREY}
SIZE_IN, DPI = (10.0, 4.6), 160


def draw(played: Replayed, events: Sequence[Window] = ()) -> bytes:
    """Return the timeline as PNG: above the primary metric with its line, below one bar an incident, and the digest's ticks."""
    figure = Figure(figsize=SIZE_IN, dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    families = [f for f in Family if any(i.family is f for i in played.incidents)]
    above = figure.add_axes((0.085, 0.46, 0.885, 0.38))
    below = figure.add_axes((0.085, 0.10, 0.885, 0.30), sharex=above)
    _metric(above, played)
    _incidents(below, played, families)
    for axes in (above, below):
        for event in events:
            axes.axvspan(event.start, min(event.end, played.period.end), color=GREEN, alpha=0.10, linewidth=0)  # type: ignore[arg-type]
            axes.axvline(event.start, color=GREEN, linewidth=1.0)  # type: ignore[arg-type]
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color(FAINT)
        axes.tick_params(length=0, labelsize=8, labelcolor=GREY)
    locator = AutoDateLocator(minticks=4, maxticks=10)  # type: ignore[no-untyped-call]
    below.xaxis.set_major_locator(locator)
    below.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]
    below.set_xlim(played.period.start, played.period.end)  # type: ignore[arg-type]
    above.tick_params(labelbottom=False)
    title = f"{plain(played.model.name, 50)}: what would have woken people"
    figure.text(0.02, 0.935, title, fontsize=11.5, fontweight="bold", color=INK, parse_math=False)
    figure.text(0.02, 0.885, _legend(played, events), fontsize=8.5, color=GREY, parse_math=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _metric(axes: Axes, played: Replayed) -> None:
    """Draw the primary metric a look, with its interval and its critical line."""
    primary = [(s.slot, s.finding) for s in played.seen if s.finding.family is Family.PERFORMANCE and s.finding.value is not None]
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    if not primary:
        axes.text(0.5, 0.5, "No performance was measured.", ha="center", transform=axes.transAxes, color=GREY, fontsize=9)
        return
    at: list[datetime] = [slot for slot, _ in primary]
    ends = [f.interval or (f.value or 0.0, f.value or 0.0) for _, f in primary]
    axes.fill_between(at, [low for low, _ in ends], [high for _, high in ends], color=BLUE, alpha=0.16, linewidth=0)  # type: ignore[arg-type]
    axes.plot(at, [f.value or 0.0 for _, f in primary], color=BLUE, linewidth=1.6)  # type: ignore[arg-type]
    line = critical_line([f for _, f in primary])
    if line is not None:
        axes.axhline(line, color=VERMILLION, linewidth=1.0, linestyle=(0, (2, 2)))
        axes.text(0.004, line, "critical", transform=axes.get_yaxis_transform(), fontsize=7.5, color=VERMILLION, va="bottom")
    axes.set_title(plain(primary[0][1].named, 40), fontsize=8.5, color=GREY, loc="left", pad=3, parse_math=False)


def critical_line(findings: Sequence[Finding]) -> float | None:
    """Return the line that a critical finding crossed; without one, the line that was nearest to being crossed."""
    crossed = [f.threshold for f in findings if f.verdict.value == "critical" and f.threshold is not None]
    return crossed[-1] if crossed else next((f.threshold for f in findings if f.threshold is not None), None)


def _incidents(axes: Axes, played: Replayed, families: Sequence[Family]) -> None:
    """Draw one bar an incident, a lane a family, and a tick a digest line."""
    lanes = [*(family.words for family in families), "digest"]
    for place, family in enumerate(families):
        for incident in (i for i in played.incidents if i.family is family):
            end = incident.resolved_at or played.period.end
            color = COLORS[incident.severity.value]
            axes.plot([incident.opened_at, end], [place, place], color=color, linewidth=9, solid_capstyle="butt")  # type: ignore[arg-type]
            axes.plot(incident.opened_at, place, "|", color=INK, markersize=14, markeredgewidth=1.6)  # type: ignore[arg-type]
            late = (incident.opened_at - played.period.start) / played.period.length > 0.9
            axes.annotate(
                f"#{incident.id} {incident.severity.value}",
                (incident.opened_at, place),
                xytext=(-5 if late else 5, 8),
                textcoords="offset points",
                ha="right" if late else "left",
                fontsize=7.5,
                color=INK,
            )
    notes = [note.at for note in played.notes if note.at >= played.period.start]
    axes.plot(notes, [len(families)] * len(notes), "|", color=GREY, markersize=9)  # type: ignore[arg-type]
    axes.set_yticks(range(len(lanes)), [as_words(lane) for lane in lanes])
    axes.set_ylim(len(lanes) - 0.4, -0.9)


def _legend(played: Replayed, events: Sequence[Window]) -> str:
    told = f"{len(played.incidents)} incidents in {played.looks:,} looks, {played.period}"
    return told + (f"; green: {len(events)} known events and their reach" if events else "")
