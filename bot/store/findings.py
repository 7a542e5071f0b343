"""Findings: what was found at each slot, of each check and subject.

This is the table that grows: a year of five-minute looks is a hundred thousand slots a model. So no question may cost more for
every slot that is kept: each is answered from one end of the index (model, check, slot, subject).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import CTE, ColumnElement, Connection, and_, delete, func, or_, select, true

from bot.core.findings import Finding, Verdict
from bot.store import tables
from bot.store.codec import brief, loads
from bot.store.upserts import upsert_many

rows = tables.findings


def record(connection: Connection, slot: datetime, found: Iterable[Finding]) -> None:
    """Replace, for every model and check in `found`, what its slot holds; of two findings on one subject the later one stays."""
    kept = {(f.model, *f.key): f for f in found}
    for checks, models in _alike(kept).items():
        connection.execute(delete(rows).where(rows.c.model.in_(models), rows.c.check_name.in_(checks), rows.c.slot == slot))
    upsert_many(connection, rows, [_columns(slot, f) for f in kept.values()], "model", "check_name", "slot", "subject")


def _alike(kept: Iterable[tuple[str, str, str]]) -> dict[tuple[str, ...], list[str]]:
    """Return the models that the same checks were run on, by these checks."""
    checks, models = defaultdict(set), defaultdict(list)
    for model, check, _ in kept:
        checks[model].add(check)
    for model in sorted(checks):
        models[tuple(sorted(checks[model]))].append(model)
    return models


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
    names = [model] if model is not None else models(connection)
    found = [finding for name in names for finding in _newest(connection, name)]
    return sorted(found, key=lambda f: (f.model, f.key))


def newest_slots(connection: Connection, model: str) -> dict[str, datetime]:
    """Return each check's newest slot."""
    mine = rows.c.model == model
    checks = steps(rows.c.check_name, mine)
    newest = select(func.max(rows.c.slot)).where(mine, rows.c.check_name == checks.c.value).scalar_subquery().label("slot")
    query = select(checks.c.value, newest).where(checks.c.value.is_not(None))
    return {row.value: row.slot for row in connection.execute(query)}


def models(connection: Connection) -> Sequence[str]:
    """Return the models of which anything was found."""
    found = steps(rows.c.model, true())
    return connection.scalars(select(found.c.value).where(found.c.value.is_not(None))).all()


def steps(column: ColumnElement[str], within: ColumnElement[bool]) -> CTE:
    """Return the different values of a column, and NULL at last.

    The database goes in the index from one value to the next; what lies between, every slot that there ever was, it does not read.
    """
    found = select(func.min(column).label("value")).where(within).cte("found", recursive=True)
    following = select(func.min(column)).where(within, column > found.c.value).scalar_subquery()
    return found.union_all(select(following).where(found.c.value.is_not(None)))


def _newest(connection: Connection, model: str) -> list[Finding]:
    slots = newest_slots(connection, model)
    if not slots:
        return []
    mine = rows.c.model == model  # in each part of the OR, so that SQLite looks each up in the index
    of_each = or_(*(and_(mine, rows.c.check_name == check, rows.c.slot == slot) for check, slot in slots.items()))
    return [loads(Finding, body) for body in connection.scalars(select(rows.c.body).where(of_each))]


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
        "body": brief(finding),
    }
