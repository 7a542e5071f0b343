"""What Slack needs to know of the bot: `aiops slack manifest`."""

from typing import Annotated, Literal

import typer

from bot.cli import paper
from bot.cli.front import SETUP, shell
from bot.core.errors import ConfigError

group = typer.Typer(no_args_is_help=True, help="Make the Slack app.")


def register(app: typer.Typer) -> None:
    """Add the group to the shell."""
    app.add_typer(group, name="slack", rich_help_panel=SETUP)


@group.callback()
def _group() -> None:
    """Make the Slack app."""


@group.command()
def manifest(
    context: typer.Context,
    *,
    transport: Annotated[
        Literal["socket", "http"], typer.Option(help="socket: nothing must be reachable from outside.")
    ] = "socket",
    url: Annotated[str, typer.Option(help="With http: the public address, e.g. https://bot.example.com/slack/events")] = "",
    name: Annotated[str, typer.Option(help="What the bot is called.")] = "aiops",
) -> None:
    """Print the app's manifest as JSON, with the slash commands of the playbooks.

    Paste it at api.slack.com under “Create New App → From a manifest”; later under “App Manifest” of the app, for a new command.
    """
    from bot.doctor.papers import shelf  # noqa: PLC0415
    from bot.slack.command import known_commands  # noqa: PLC0415
    from bot.slack.manifest import manifest as made  # noqa: PLC0415

    if transport == "http" and not url.startswith("https://"):
        raise ConfigError("Signed HTTP needs the public address that Slack calls: --url https://…/slack/events")
    if transport == "socket" and url:
        raise ConfigError("Socket Mode has no address that Slack calls; leave --url out, or choose --transport http.")
    known = shelf(shell(context).config)
    for sentence in known.wrong:
        paper.complain(f"A playbook stays off the shelf, and its command out of the manifest: {sentence}")
    paper.dump(made(known_commands(), known.playbooks, request_url=url, name=name))
