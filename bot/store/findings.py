"""Findings: what was found at each slot, of each check and subject."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, func, select

from bot.core.findings import Finding, Verdict
from bot.store import tables
from bot.store.codec import dumps, loads
from bot.store.upserts import upsert_many

rows = tables.findings


def record(connection: Connection, slot: datetime, found: Iterable[Finding]) -> None:
    """Replace, for every model and check in `found`, what its slot holds; of two findings on one subject the later one stays."""
    kept = {(f.model, *f.key): f for f in found}
    for model, check in sorted({(model, check) for model, check, _ in kept}):
        connection.execute(delete(rows).where(rows.c.model == model, rows.c.check_name == check, rows.c.slot == slot))
    upsert_many(connection, rows, [_columns(slot, f) for f in kept.values()], "model", "slot", "check_name", "subject")


def recent(connection: Connection, model: str, key: tuple[str, str], before: datetime, n: int) -> Sequence[Verdict]:
    """Return verdicts, newest first."""
    query = select(rows.c.verdict).where(_of(model, key), rows.c.slot < before).order_by(rows.c.slot.desc()).limit(n)
    return [Verdict(verdict) for verdict in connection.scalars(query)]


def history(connection: Connection, model: str, key: tuple[str, str], limit: int) -> Sequence[Finding]:
    """Return the newest `limit` findings, oldest first."""
    query = select(rows.c.body).where(_of(model, key)).order_by(rows.c.slot.desc()).limit(limit)
    return [loads(Finding, body) for body in connection.scalars(query).all()[::-1]]


def latest(connection: Connection, model: str | None) -> Sequence[Finding]:
    """Return the newest slot of each model's every check, by model, check and subject."""
    newest = select(rows.c.model, rows.c.check_name, func.max(rows.c.slot).label("slot")).group_by(rows.c.model, rows.c.check_name)
    if model is not None:
        newest = newest.where(rows.c.model == model)
    last = newest.subquery()
    same = (rows.c.model == last.c.model) & (rows.c.check_name == last.c.check_name) & (rows.c.slot == last.c.slot)
    query = select(rows.c.body).join(last, same)
    found = [loads(Finding, body) for body in connection.scalars(query)]
    return sorted(found, key=lambda f: (f.model, f.key))


def _of(model: str, key: tuple[str, str]) -> ColumnElement[bool]:
    check, subject = key
    return and_(rows.c.model == model, rows.c.check_name == check, rows.c.subject == subject)


def _columns(slot: datetime, finding: Finding) -> dict[str, object]:
    return {
        "model": finding.model,
        "slot": slot,
        "check_name": finding.check,
        "subject": finding.subject,
        "verdict": finding.verdict.value,
        "body": dumps(finding),
    }
