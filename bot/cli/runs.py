"""Runs: approved plans being carried out. `aiops run list`, `show`, `continue`, `abort`."""

from dataclasses import asdict
from typing import Annotated

import typer

from bot.cli import paper
from bot.cli.brake import who
from bot.cli.front import ACT, Json, desk
from bot.core.errors import NotAllowed
from bot.core.runs import Run
from bot.flow import decide, gate

group = typer.Typer(no_args_is_help=True, help="See approved plans at work, or stop one.")


def register(app: typer.Typer) -> None:
    """Add the group to the shell."""
    app.add_typer(group, name="run", rich_help_panel=ACT)


@group.command("list")
def listed(
    context: typer.Context,
    *,
    active: Annotated[bool, typer.Option("--active", help="Only those at work.")] = False,
    as_json: Json = False,
) -> None:
    """List runs, newest first."""
    with desk(context) as opened, opened.store.read() as unit:
        runs = unit.runs(active=active)
    if as_json:
        paper.dump({"runs": [data(run) for run in runs]})
        return
    rows = ((run.id, run.state.value, run.model_key, _outcome(run)) for run in runs)
    paper.table(("run", "state", "model", "outcome"), rows, empty="No runs.")


@group.command()
def show(context: typer.Context, number: str, *, as_json: Json = False) -> None:
    """Show one run, step by step."""
    with desk(context) as opened, opened.store.read() as unit:
        run = unit.run(number)
    if as_json:
        paper.dump(data(run))
        return
    told = data(run)
    times = ("queued_at", "started_at", "ended_at")
    names = ("number", "state", "model", "incident", *times, "waits_before", "waits_until", "outcome", "abort_by")
    paper.facts({name.replace("_", " "): told[name] for name in names})
    done = dict(entry.split("\t", 1) for entry in run.progress)
    steps = (("done" if c.step in done else "not done", c.step, c.words, done.get(c.step, "")) for c in run.plan.changes)
    paper.table(("", "step", "change", "measured"), steps, title="Steps")


@group.command()
def abort(
    context: typer.Context,
    number: str,
    by: Annotated[
        str, typer.Option(envvar="AIOPS_USER", help="Your Slack user id; it must hold a role that may abort, and is audited.")
    ] = "",
) -> None:
    """Ask a run to stop where it is and go back to where it began."""
    with desk(context) as opened:
        run = decide.abort(opened, number, by=opened.directory.principal(who(by)))
    comes = f"has ended: {run.outcome}" if run.state.over else "stops within seconds and goes back"
    paper.say(f"Run {run.id} {comes.rstrip('.')}; asked by {run.abort_by}.")


@group.command("continue")
def proceed(
    context: typer.Context,
    number: str,
    by: Annotated[
        str, typer.Option(envvar="AIOPS_USER", help="Your Slack user id; it must hold a role that may approve, and is audited.")
    ] = "",
) -> None:
    """Let a run that waits before a step go on: you have looked at what it asks to look at."""
    with desk(context) as opened:
        with opened.store.read() as unit:
            run = unit.run(number)
        if not run.waits:
            raise NotAllowed(f"Run {number} waits for nobody; it is {run.state.value}.")
        gate.proceed(opened, f"{number}:{run.gate}", by=opened.directory.principal(who(by)))
    paper.say(f"Run {run.id} goes on with '{run.gate}'.")


def data(run: Run) -> dict[str, object]:
    """Return a run as plain data."""
    return {
        "number": run.id,
        "state": run.state.value,
        "model": run.model_key,
        "incident": run.incident,
        "plan": run.plan.words,
        "plan_hash": run.plan.hash,
        "changes": [asdict(change) for change in run.plan.changes],
        "progress": list(run.progress),
        "queued_at": _iso(run.queued_at),
        "started_at": _iso(run.started_at),
        "ended_at": _iso(run.ended_at),
        "outcome": run.outcome,
        "waits_before": run.gate if run.waits else "",
        "waits_until": _iso(run.gate_until) if run.waits else "",
        "abort_by": run.abort_by,
        "result": dict(run.result),
    }


def _outcome(run: Run) -> str:
    return f"waits for a person before '{run.gate}'" if run.waits else run.outcome or run.plan.words


def _iso(when: object) -> str:
    return when.isoformat() if hasattr(when, "isoformat") else ""
