"""The database: `aiops db upgrade`, `current`, `check`."""

import typer

from bot.cli import paper
from bot.cli.front import SETUP, Json, settings
from bot.core.errors import ConfigError

group = typer.Typer(no_args_is_help=True, help="Bring the database up to date.")


def register(app: typer.Typer) -> None:
    """Add the group to the shell."""
    app.add_typer(group, name="db", rich_help_panel=SETUP)


@group.command()
def upgrade(context: typer.Context, *, as_json: Json = False) -> None:
    """Bring the database to the revision that this program needs.

    Safe to repeat, and safe while others do the same.
    """
    from bot.store import schema  # noqa: PLC0415

    revision = schema.upgrade(settings(context).database_url)
    _told({"revision": revision, "needed": schema.head()}, f"The database is at revision {revision}.", as_json=as_json)


@group.command()
def current(context: typer.Context, *, as_json: Json = False) -> None:
    """Say at which revision the database is, and which one this program needs."""
    from bot.store import schema  # noqa: PLC0415

    revision, needed = schema.current(settings(context).database_url), schema.head()
    words = f"The database is at revision {revision or 'none'}, this program needs {needed}."
    _told({"revision": revision, "needed": needed}, words, as_json=as_json)


@group.command()
def check(context: typer.Context, *, as_json: Json = False) -> None:
    """Exit 0 when the database fits this program, 1 when it does not."""
    from bot.store import schema  # noqa: PLC0415

    problem = ""
    try:
        schema.check(settings(context).database_url)
    except ConfigError as reason:
        problem = str(reason)
    _told({"fits": not problem, "problem": problem}, problem or "The database fits this program.", as_json=as_json)
    raise typer.Exit(1 if problem else 0)


def _told(data: dict[str, object], words: str, *, as_json: bool) -> None:
    if as_json:
        paper.dump(data)
    else:
        paper.say(words)
