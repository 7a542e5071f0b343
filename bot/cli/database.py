"""The database: `aiops db upgrade`, `current`, `check`, `size`."""

from contextlib import closing
from typing import TYPE_CHECKING

import typer

from bot.cli import paper
from bot.cli.front import SETUP, Json, settings
from bot.core.errors import ConfigError
from bot.core.keeping import LOOKS
from bot.core.words import duration, room

if TYPE_CHECKING:
    from bot.keeping import KeepPart

group = typer.Typer(no_args_is_help=True, help="Bring the database up to date, and see how large it is.")


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


@group.command()
def size(context: typer.Context, *, as_json: Json = False) -> None:
    """Say how large the database is, which part of it, and how long each is kept."""
    from bot.store import size as sizes  # noqa: PLC0415
    from bot.store.database import open_store  # noqa: PLC0415

    ours = settings(context)
    with closing(open_store(ours.database_url)) as store:
        found = sizes.measured(store)
    kept = _kept(ours.keep)
    if as_json:
        parts = [{"part": part.name, "rows": part.rows, "bytes": part.bytes, "kept": kept[part.name]} for part in found.parts]
        paper.dump({"bytes": found.bytes, "free": found.free, "parts": parts})
        return
    rows = [(part.name, _count(part.rows), _room(part.bytes), kept[part.name]) for part in found.parts]
    paper.table(("what", "rows", "size", "kept"), rows)
    free = f"; {room(found.free)} of it is free and will be used again" if found.free else ""
    paper.say(f"The database takes {room(found.bytes)}{free}. `keep:` in aiops.yaml says how long things stay.")


def _kept(keep: "KeepPart") -> dict[str, str]:
    """Return how long each part stays, in words."""
    looks = f"the newest {LOOKS} looks of each check always"
    return {
        "findings": f"{duration(keep.healthy)} healthy ones, {duration(keep.findings)} all others; {looks}",
        "messages": f"{duration(keep.messages)} in the threads of resolved incidents; their first messages always",
        "notes": duration(keep.notes),
        "references": f"{duration(keep.references)} after a configuration last asked for them",
        "incidents": "always, with their proposals, votes and runs",
        "audit": "always",
        "engine": "looks 1 d, runs 90 d after their end",
    }


def _count(rows: int | None) -> str:
    return "" if rows is None else f"{rows:,}"


def _room(taken: int | None) -> str:
    return "unknown" if taken is None else room(taken)


def _told(data: dict[str, object], words: str, *, as_json: bool) -> None:
    if as_json:
        paper.dump(data)
    else:
        paper.say(words)
