"""The commands that only look: check, report, incidents, incident."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from bot.cli import paper
from bot.cli.front import LOOK, Json, desk
from bot.core.errors import AiopsError, ConfigError
from bot.core.findings import Finding, Verdict, worst
from bot.core.models import Model
from bot.core.windows import utc
from bot.core.words import plain
from bot.flow import announce
from bot.flow import report as telling
from bot.flow import watch as watching
from bot.flow.desk import Desk
from bot.flow.detect import blind

EXIT = {Verdict.HEALTHY: 0, Verdict.WARNING: 1, Verdict.CRITICAL: 1, Verdict.UNKNOWN: 3}
Row = Mapping[str, Any]


def register(app: typer.Typer) -> None:
    """Add them to the shell."""
    for verb in (check, report, incidents, incident):
        app.command(rich_help_panel=LOOK)(verb)


def check(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="A model's name, or name@environment.")],
    *,
    at: Annotated[str, typer.Option(help="Look as if it were this time, e.g. 2013-10-09T06:00:00Z; now without it.")] = "",
    record: Annotated[bool, typer.Option("--record", help="Keep what is found and open incidents, as the schedule does.")] = False,
    as_json: Json = False,
) -> None:
    """Run every watch of a model once, now or at a past time.

    Exit 0 healthy, 1 warning or critical, 3 unknown. Without --record nothing is written or sent.
    """
    with desk(context) as opened:
        slot = moment(at) if at else opened.data.now()
        found = looked(opened, opened.model(model), slot, record=record)
    found.sort(key=lambda f: (-f.verdict.rank, -f.importance, f.check, f.subject))
    verdict = worst(found)
    if as_json:
        told = {"model": found[0].model if found else model, "at": slot.isoformat(), "verdict": verdict.value}
        paper.dump(told | {"findings": [announce.finding_data(f) for f in found]})
    else:
        paper.table(
            ("verdict", "measure", "value", "why"), (finding_row(f) for f in found), title=f"{model} at {slot:%Y-%m-%d %H:%M} UTC"
        )
        paper.say(summary(found))
    raise typer.Exit(EXIT[verdict])


def looked(desk: Desk, model: Model, slot: datetime, *, record: bool) -> list[Finding]:
    """Return what every watch of the model finds at this slot; a log that cannot be read is a finding, too."""
    if record:
        return [finding for watch in model.watches for finding in watching.look(desk, model, watch, slot)]
    found: list[Finding] = []
    try:
        like = watching.stored_reference(desk, model) or watching.fresh_reference(desk, model)
        for watch in model.watches:
            found += watching.measured(desk, model, watch, slot, like)
    except AiopsError as reason:
        found.append(blind(model, model.watches[0].judged_at(slot), str(reason)))
    return found


def moment(text: str) -> datetime:
    """Return a time that a person typed, UTC.

    Raises:
        ConfigError: it is no time, or has no zone.
    """
    try:
        return utc(datetime.fromisoformat(text))
    except ValueError:
        raise ConfigError(
            f"--at {text[:60]} is no time with a zone; write it like {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}."
        ) from None


def finding_row(finding: Finding) -> tuple[object, ...]:
    """Return a finding as the shell shows it."""
    data = announce.finding_data(finding)
    value = "" if finding.value is None else f"{data['value_text']} {data['unit_text']}".strip()
    beside = [f"reference {data['reference_text']}"] if finding.reference is not None else []
    why = "; ".join(part for part in (finding.reason, *beside, f"n {finding.n:,}") if part)
    return finding.verdict.value, measure(data), value, why


def measure(row: Row) -> str:
    """Return what was measured of what: "KS · age"; a performance metric is its own subject."""
    subject = row["subject"]
    alone = row["check"] in ("performance", "calibration", "estimated") or row["name"] == plain(str(subject))
    return str(row["name"]) if alone else f"{row['name']} · {subject}"


def summary(findings: Sequence[Finding]) -> str:
    """Return one line that counts the verdicts, worst first."""
    counts = ((verdict, sum(f.verdict is verdict for f in findings)) for verdict in reversed(Verdict))
    return ", ".join(f"{count} {verdict.value}" for verdict, count in counts if count) or "Nothing was measured: unknown."


def incidents(
    context: typer.Context,
    *,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that are still somebody's business.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 20,
    as_json: Json = False,
) -> None:
    """List incidents, newest first."""
    with desk(context) as opened:
        data = telling.incidents(opened, open_only=open_only, limit=limit)
    if as_json:
        paper.dump(data)
        return
    rows = _rows(data["incidents"])
    paper.table(("no.", "severity", "state", "opened", "incident"), (incident_row(row) for row in rows), empty="No incidents.")


def incident_row(row: Row) -> tuple[object, ...]:
    """Return an incident as one line."""
    took = f" · resolved in {row['took']}" if row["took"] else ""
    return f"#{row['number']}", row["severity"], row["state"], short(row["opened_at"]), f"{row['title']}{took}"


def incident(context: typer.Context, number: Annotated[int, typer.Argument(min=1)], *, as_json: Json = False) -> None:
    """Show all that is known about one incident."""
    with desk(context) as opened:
        data = telling.incident(opened, number)
    if as_json:
        paper.dump(data)
        return
    paper.say(f"#{data['number']}  {data['title']}", "bold")
    shown = ("severity", "state", "model", "environment", "team", "opened_at", "window", "took", "cause")
    paper.facts({name.replace("_", " "): data[name] for name in shown})
    what = ((row["verdict"], measure(row), row["value_text"], row["text"]) for row in _rows(data["findings"]))
    paper.table(("verdict", "measure", "value", "why"), what, title="What was found")
    for line in causes(data["evidence"]):  # type: ignore[arg-type]
        paper.say(line)
    proposed = ((row["number"], row["standing"], row["title"]) for row in _rows(data["proposals"]))
    paper.table(("proposal", "standing", "remedy"), proposed, title="Proposals", empty="none")
    ran = ((row["number"], row["state"], row["outcome"] or row["plan"]) for row in _rows(data["runs"]))
    paper.table(("run", "state", "outcome"), ran, title="Runs", empty="none")


def causes(evidence: Row) -> Iterable[str]:
    """Yield what most likely caused it, as far as the evidence knows, and where the model errs most."""
    cause = evidence.get("cause") or {}
    if cause.get("feature"):
        yield f"Most likely cause: {cause['feature']}{f' (fed by {team})' if (team := cause['team']) else ''}: {cause['text']}"
    elif cause:
        yield cause["text"]
    yield from (f"Errs most where {row['name']}: {row['text']}, {row['n']:,} rows" for row in evidence.get("slices", ()))


def report(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="One model; all without it.")] = "",
    *,
    as_json: Json = False,
) -> None:
    """Tell how the models do: health, incidents, what is unknown.

    With the time to resolve, and what was noticed but deliberately woke nobody.
    """
    with desk(context) as opened:
        data = telling.report(opened, model or None)
    if as_json:
        paper.dump(data)
        return
    health = ((row["verdict"], row["model"], row["split"], row["reason"]) for row in _rows(data["models"]))
    paper.table(
        ("verdict", "model", "traffic", "why"),
        health,
        title=f"Models at {short(str(data['data_at']))} UTC",
        empty="No models in aiops.yaml.",
    )
    paper.say(f"Incidents: {data['mttr']['words']}", "bold")  # type: ignore[index]
    paper.table(
        ("no.", "severity", "state", "opened", "incident"), (incident_row(row) for row in _rows(data["incidents"])), empty="none"
    )
    _notes("Noticed, and nobody woken for it", [f"{row['model']}: {row['text']}" for row in _rows(data["digest"])])
    _notes("Not known", [f"{measure(row)}: {row['text']}" for row in _rows(data["unknown"])])


def _notes(title: str, lines: Iterable[str]) -> None:
    for place, line in enumerate(lines):
        if place == 0:
            paper.say(title, "bold")
        paper.say(f"  {line}")


def _rows(rows: object) -> Sequence[Row]:
    """Return a report's list of rows as such: reports are plain data, made for Slack's templates as well."""
    return rows  # type: ignore[return-value]


def short(when: str) -> str:
    """Return an ISO time as people read it, to the minute."""
    return when[:16].replace("T", " ")
