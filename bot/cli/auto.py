"""What the bot may do by itself: `aiops auto list`, `aiops auto arm`."""

from typing import Any

import typer

from bot.cli import paper
from bot.cli.brake import By, who
from bot.cli.front import ACT, Json, desk
from bot.flow import heal

group = typer.Typer(no_args_is_help=True, help="See what the bot may do by itself, or let it again.")


def register(app: typer.Typer) -> None:
    """Add the group to the shell."""
    app.add_typer(group, name="auto", rich_help_panel=ACT)


@group.command("list")
def listed(context: typer.Context, *, as_json: Json = False) -> None:
    """Show what the bot may do by itself, how much of it is used today, and where it asks instead."""
    with desk(context) as opened:
        rows: Any = heal.budgets(opened)
    if as_json:
        paper.dump({"auto": rows})
        return
    shown = ((r["model"], ", ".join(r["playbooks"]), f"{r['used']} of {r['per_day']}", r["asks"]) for r in rows)
    paper.table(("model", "playbooks", "today", "asks because"), shown, empty="Nothing: no policy says `auto:`.")


@group.command()
def arm(context: typer.Context, model: str, by: By = "") -> None:
    """Let the bot act by itself on a model again, after a mend that did not last."""
    with desk(context) as opened:
        hold = heal.arm(opened, model, by=opened.directory.principal(who(by)))
    paper.say(f"Armed: the bot may act by itself on {hold.subject} again.")
