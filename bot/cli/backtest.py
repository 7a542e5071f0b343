"""`aiops backtest`: what would have woken people, had this policy stood watch over the past."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot.cli import paper
from bot.cli.front import LOOK, Json, settings
from bot.cli.look import moment, short
from bot.core.errors import ConfigError
from bot.core.models import Model
from bot.core.windows import Window
from bot.flow.hindsight import reach_of, review
from bot.flow.suggest import suggest as proposed

MOST_NOTES = 10
Row = Mapping[str, Any]


def register(app: typer.Typer) -> None:
    """Add it to the shell."""
    app.command(rich_help_panel=LOOK)(backtest)


def backtest(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="A model's name, or name@environment.")],
    *,
    start: Annotated[str, typer.Option(help="Look from this time on; without it from the reference's end, windows full.")] = "",
    end: Annotated[str, typer.Option(help="Look until this time; without it to the log's end.")] = "",
    event: Annotated[
        list[str] | None,
        typer.Option(help="A known event: TIME, or START/END. Incidents in its reach belong to it, all others are false."),
    ] = None,
    as_json: Json = False,
    png: Annotated[Path | None, typer.Option(help="Draw the timeline into this file.")] = None,
    suggest: Annotated[bool, typer.Option("--suggest", help="Propose thresholds for the wanted false-alarm rate.")] = False,
    wanted: Annotated[
        float, typer.Option(help="For --suggest: at most so many false incidents in 30 days; without it the model's own, or 1.")
    ] = -1.0,
) -> None:
    """Replay history through the very same code and policy: what would have opened, when, and why.

    Nothing is sent, and the bot's database is not touched. Exit 0: no false alarm was found; 1: there were some, or an event was
    missed; without --event nobody can tell, and the exit code is 0.
    """
    from bot.app.backtest import rehearsal, replay  # noqa: PLC0415  every room is behind this door

    span = [moment(text) if text else None for text in (start, end)]
    with rehearsal(settings(context)) as (desk, clock):
        watched = desk.model(model)
        events = [known_event(text, watched) for text in event or ()]
        with progress(f"Replaying {watched.key}") as told:
            played = replay(desk, clock, watched, start=span[0], end=span[1], told=told)
        data = review(played, events)
        if suggest:
            data |= {"suggestion": proposed(desk, played, events, wanted_of(watched) if wanted < 0 else wanted)}
    if png:
        from bot.app.timeline import draw  # noqa: PLC0415

        png.write_bytes(draw(played, events))
        data |= {"png": str(png)}
    paper.dump(data) if as_json else show(data)
    missed = any(row["incident"] is None for row in data["events"])  # type: ignore[attr-defined]
    raise typer.Exit(1 if missed or data.get("false_alarms") else 0)


def wanted_of(model: Model) -> float:
    """Return the false-alarm rate that the model asks for, in incidents a 30 days; 1 where it asks for none."""
    return model.false_alarms.a_month if model.false_alarms else 1.0


def known_event(text: str, model: Model) -> Window:
    """Return the stretch in which an incident belongs to this event: as given, or from its time on as far as windows reach.

    Raises:
        ConfigError: it is no time, or ends before it starts.
    """
    first, _, last = text.partition("/")
    start = moment(first)
    try:
        return Window(start, moment(last) if last else start + reach_of(model))
    except ValueError:
        raise ConfigError(f"--event {text[:80]} ends before it starts.") from None


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int, datetime], None]]:
    """Show a bar on stderr while history goes by; nothing where nobody watches."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[at]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=paper.console(errors=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(paper.clean(title), total=None, at="")
        yield lambda done, total, at: bar.update(task, completed=done, total=total, at=f"{at:%Y-%m-%d}")


def show(data: Row) -> None:
    """Print the review for people."""
    title = f"{data['model']}, replayed from {short(data['start'])} to {short(data['end'])} UTC"
    rows = [incident_row(row, known=bool(data["events"])) for row in data["incidents"]]
    headers = ("no.", "severity", "opened", "closed", *(("known event",) if data["events"] else ()), "incident and why")
    paper.table(headers, rows, title=title, empty="Not one incident would have opened.")
    if data["events"]:
        paper.table(("event", "found after", "by"), map(event_row, data["events"]), title="Known events")
    for place, note in enumerate(data["digest"][:MOST_NOTES]):
        if place == 0:
            paper.say(f"Noticed, and nobody woken for it: {len(data['digest'])} digest lines, the first of them", "bold")
        paper.say(f"  {short(note['at'])}  {note['text']}")
    paper.say(data["summary"], "bold")
    if "png" in data:
        paper.say(f"The timeline is in {data['png']}.")
    if "suggestion" in data:
        paper.say(data["suggestion"]["summary"], "bold")
        paper.say(data["suggestion"]["yaml"])


def incident_row(row: Row, *, known: bool) -> tuple[object, ...]:
    """Return an incident as one line; with known events, whether it belongs to one."""
    whose = (short(row["event"]) if row["event"] else "false alarm",) if known else ()
    closed = short(row["resolved_at"]) if row["resolved_at"] else "still open"
    return f"#{row['number']}", row["severity"], short(row["opened_at"]), closed, *whose, f"{row['title']} · {row['why']}"


def event_row(row: Row) -> tuple[object, ...]:
    """Return a known event as one line."""
    found = f"#{row['incident']}" if row["incident"] else f"nothing opened until {short(row['until'])}"
    return short(row["at"]), row["delay"] or "not found", found
