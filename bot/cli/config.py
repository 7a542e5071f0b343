"""Configuration and playbooks: `aiops config schema`, `aiops config check`, `aiops playbooks`, `aiops version`."""

import platform
from importlib.metadata import version as installed
from pathlib import Path

import typer

from bot.cli import paper
from bot.cli.front import ACT, SETUP, Json, shell
from bot.config import Settings
from bot.core.playbooks import Playbook

group = typer.Typer(no_args_is_help=True, help="Check aiops.yaml, or get its JSON Schema.")


def register(app: typer.Typer) -> None:
    """Add them to the shell."""
    app.command(rich_help_panel=ACT)(playbooks)
    app.add_typer(group, name="config", rich_help_panel=SETUP)
    app.command(rich_help_panel=SETUP)(version)


@group.command()
def schema() -> None:
    """Print the JSON Schema of aiops.yaml."""
    paper.dump({"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "aiops.yaml", **Settings.model_json_schema()})


@group.command()
def check(context: typer.Context, *, as_json: Json = False) -> None:
    """Check the configuration and the playbooks; nobody is called.

    Exit 0 when all is well, 2 when not.
    """
    from bot.doctor.papers import problems  # noqa: PLC0415

    path = shell(context).config
    found = problems(path)
    if as_json:
        paper.dump({"file": str(path), "valid": not found, "problems": found})
    else:
        for problem in found or [f"{path} is valid."]:
            paper.say(problem, "red" if found else "green")
    raise typer.Exit(2 if found else 0)


def playbooks(context: typer.Context, *, as_json: Json = False) -> None:
    """List the remedies that may be proposed."""
    from bot.doctor.papers import shelf  # noqa: PLC0415

    found = shelf(shell(context).config)
    if as_json:
        paper.dump({"playbooks": [_data(p) for p in found.playbooks.values()], "wrong": list(found.wrong)})
        return
    rows = ((p.name, p.risk, ", ".join(sorted(f.words for f in p.families)), p.summary) for p in found.playbooks.values())
    paper.table(("playbook", "risk", "mends", "what it does"), rows, empty="No playbooks.")
    for problem in found.wrong:
        paper.say(problem, "red")


def _data(playbook: Playbook) -> dict[str, object]:
    return {
        "name": playbook.name,
        "title": playbook.title,
        "summary": playbook.summary,
        "risk": playbook.risk,
        "families": sorted(playbook.families),
        "severities": sorted(playbook.severities),
        "steps": [step.name for step in playbook.steps],
        "hash": playbook.hash,
    }


def version(*, as_json: Json = False) -> None:
    """Print the version."""
    told = {"aiops-bot": installed("aiops-bot"), "python": platform.python_version(), "where": str(Path(__file__).parents[1])}
    if as_json:
        paper.dump(told)
    else:
        paper.say(f"aiops-bot {told['aiops-bot']}, Python {told['python']}")
