"""The brake from the shell: `aiops pause`, `aiops resume`."""

from typing import Annotated

import typer

from bot.cli import paper
from bot.cli.front import ACT, desk
from bot.core.errors import NotAllowed
from bot.flow import brake

By = Annotated[str, typer.Option(envvar="AIOPS_USER", help="Your Slack user id; it must hold a role that may, and is audited.")]


def register(app: typer.Typer) -> None:
    """Add both to the shell."""
    for verb in (pause, resume):
        app.command(rich_help_panel=ACT)(verb)


def pause(
    context: typer.Context,
    reason: Annotated[str, typer.Argument(help="Why; everybody reads it.")] = "",
    by: By = "",
) -> None:
    """Pull the brake: no run starts, none begins its next step, nothing is approved into a run. Watching goes on."""
    with desk(context) as opened:
        brake.pause(opened, by=opened.directory.principal(who(by)), reason=reason)
    paper.say("Paused. Nothing acts until a person releases it: aiops resume")


def resume(context: typer.Context, by: By = "") -> None:
    """Release the brake: runs go on where they were."""
    with desk(context) as opened:
        hold = brake.resume(opened, by=opened.directory.principal(who(by)))
    paper.say(f"Resumed. It was paused by {hold.by} since {hold.at:%Y-%m-%d %H:%M} UTC.")


def who(by: str) -> str:
    """Return who acts, or say how to tell it."""
    if not by:
        raise NotAllowed("Say who you are: --by with your Slack user id, e.g. --by U024BE7LH.")
    return by
