"""A proof that one row stands in the log, for people who have neither our database nor our software."""

from importlib.resources import files
from typing import Any

from bot.core.audit import AuditRow, inclusion_proof
from bot.core.errors import NotFound
from bot.store import audit
from bot.store.checkpoints import newest
from bot.store.database import SqlStore

FORMAT = "aiops-bot/proof/1"


def prove(store: SqlStore, seq: int, public_key: str) -> dict[str, Any]:
    """Return the proof as JSON: the row's bytes, its path to a signed root, the checkpoint that signs it.

    Raises:
        NotFound: no such row, or no checkpoint covers it yet.
    """
    with store.look() as connection:
        row, checkpoint = _row(audit.one(connection, seq), seq), newest(connection)
        if checkpoint is None or checkpoint.size < seq:
            raise NotFound(f"No checkpoint covers audit row #{seq} yet; the next one is made within minutes.")
        leaves = audit.hashes(connection, checkpoint.size)
    return {
        "format": FORMAT,
        "body": row.body.decode(),
        "index": seq - 1,
        "path": [step.hex() for step in inclusion_proof(seq - 1, leaves)],
        "checkpoint": {
            "size": checkpoint.size,
            "root": checkpoint.root,
            "at": checkpoint.at.isoformat(),
            "previous": checkpoint.previous,
            "signature": checkpoint.signature,
        },
        "public_key": public_key,
    }


def verifier() -> str:
    """Return the text of a Python script, without any dependency, that checks such a proof."""
    return files("bot.store").joinpath("proof_script.py").read_text(encoding="utf-8")


def _row(row: AuditRow | None, seq: int) -> AuditRow:
    if row is None:
        raise NotFound(f"There is no audit row #{seq}.")
    return row
