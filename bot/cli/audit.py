"""The audit log for those who do not believe us: `aiops audit list`, `verify`, `prove`, `checkpoint`."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bot.cli import paper
from bot.cli.front import ACT, Json, desk, settings
from bot.cli.look import short
from bot.config import Settings
from bot.core.audit import Checkpoint
from bot.core.errors import ConfigError
from bot.flow import report as telling
from bot.store.anchors import AnchorFile, AnchorsUnreadable
from bot.store.checkpoints import Sealer
from bot.store.database import SqlStore, open_store
from bot.store.keys import public_text, signing_key
from bot.store.proof import prove as proven
from bot.store.proof import verifier
from bot.store.verify import SOUND, TAMPERED, UNANCHORED
from bot.store.verify import verify as verified

EXIT = {SOUND: 0, TAMPERED: 1, UNANCHORED: 3}
WORD = {SOUND: "ok", TAMPERED: "problem", UNANCHORED: "hint"}
group = typer.Typer(no_args_is_help=True, help="Read the audit log, and prove it.")

PublicKey = Annotated[str, typer.Option("--public-key", help="The sealer's public key, hex; from the key's file without it.")]


def register(app: typer.Typer) -> None:
    """Add the group to the shell."""
    app.add_typer(group, name="audit", rich_help_panel=ACT)


@group.command("list")
def listed(
    context: typer.Context,
    *,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 30,
    as_json: Json = False,
) -> None:
    """Show the newest rows, newest last."""
    with desk(context) as opened:
        data = telling.audit(opened, limit)
    if as_json:
        paper.dump(data)
        return
    rows: list[dict[str, str]] = data["rows"]  # type: ignore[assignment]
    told = ((f"#{r['seq']}", short(r["at"]), r["actor"], r["action"], f"{r['target']} · {r['hash']}") for r in rows)
    paper.table(("no.", "at", "who", "what", "of which thing"), told, empty="Nothing has happened yet.")


@group.command()
def verify(context: typer.Context, *, public_key: PublicKey = "", as_json: Json = False) -> None:
    """Hold rows, chain, checkpoints and their outside copies against each other.

    Exit 0 all sound, 1 changed by somebody, 3 sound in itself but not vouched for outside.
    """
    chosen = settings(context)
    with _store(chosen) as store:
        found = verified(store, _anchors(chosen), _public(chosen, public_key), now=datetime.now(UTC))
    if as_json:
        paper.dump(
            {
                "sound": found.code == SOUND,
                "words": found.words,
                "rows": found.rows,
                "first_bad": found.first_bad,
                "anchored": found.anchored,
            }
        )
    else:
        paper.remark(WORD[found.code], found.words)
    raise typer.Exit(EXIT[found.code])


@group.command()
def prove(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="The row's number, as a Slack message carries it.", min=1)],
    *,
    public_key: PublicKey = "",
    script: Annotated[
        Path | None, typer.Option(help="Also write the script that checks such a proof; it needs only Python.")
    ] = None,
) -> None:
    """Print the proof, as JSON, that one row stands in the log: for people who have neither our database nor our software."""
    chosen = settings(context)
    with _store(chosen) as store:
        proof = proven(store, number, _public(chosen, public_key))
    if script is not None:
        script.write_text(verifier(), encoding="utf-8")
    paper.dump(proof)


@group.command()
def checkpoint(context: typer.Context, *, as_json: Json = False) -> None:
    """Sign the log as it is now and add the signature to the outside file; `aiops serve` does so by itself."""
    chosen = settings(context)
    with _store(chosen) as store:
        key = signing_key(Path(chosen.audit.key))
        made = Sealer(store, key, [AnchorFile(Path(chosen.audit.checkpoints))]).seal(datetime.now(UTC))
    if as_json:
        told = {"size": made.size, "root": made.root, "at": made.at.isoformat(), "signature": made.signature}
        paper.dump(told | {"public_key": public_text(key)})
    else:
        paper.say(f"{made.size:,} rows are signed: root {made.root[:12]}…, public key {public_text(key)}.")


@contextmanager
def _store(chosen: Settings) -> Iterator[SqlStore]:
    """Open the database as it is: a log under suspicion is not migrated first."""
    with closing(open_store(chosen.database_url)) as store:
        yield store


def _public(chosen: Settings, given: str) -> str:
    if given:
        return given
    path = Path(chosen.audit.key)
    if not path.exists():
        raise ConfigError(f"There is no audit key {path}; give --public-key, or make the first checkpoint: aiops audit checkpoint")
    return public_text(signing_key(path))


def _anchors(chosen: Settings) -> Sequence[Checkpoint] | None:
    try:
        return AnchorFile(Path(chosen.audit.checkpoints)).read()
    except AnchorsUnreadable:
        return None
