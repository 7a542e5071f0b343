"""Runs: one approved plan being carried out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from sqlalchemy import Connection, select

from bot.core.errors import NotFound
from bot.core.runs import Run
from bot.store import tables
from bot.store.codec import dumps, loads
from bot.store.upserts import upsert

rows = tables.runs


def get(connection: Connection, number: str) -> Run:
    """Return it, or raise NotFound."""
    run = _find(connection, number)
    if run is None:
        raise NotFound(f"There is no run {number}.")
    return run


def save(connection: Connection, run: Run) -> None:
    """Insert or update it; `abort_by` stays once somebody asked to stop, whatever the writer had read before."""
    earlier = _find(connection, run.id)
    if earlier and earlier.abort_by and not run.abort_by:
        run = replace(run, abort_by=earlier.abort_by)
    if connection.scalar(select(tables.incidents.c.id).where(tables.incidents.c.id == run.incident)) is None:
        raise NotFound(f"There is no incident #{run.incident}.")
    values = {
        "id": run.id,
        "incident": run.incident,
        "model": run.model_key,
        "over": run.state.over,
        "queued_at": run.queued_at,
        "body": dumps(run),
    }
    connection.execute(upsert(connection, rows, values, "id"))


def newest(connection: Connection, *, model: str | None, incident: int | None, active: bool) -> Sequence[Run]:
    """Return runs, newest first."""
    query = select(rows.c.body).order_by(rows.c.queued_at.desc(), rows.c.id.desc())
    if model is not None:
        query = query.where(rows.c.model == model)
    if incident is not None:
        query = query.where(rows.c.incident == incident)
    if active:
        query = query.where(rows.c.over.is_(False))
    return [loads(Run, body) for body in connection.scalars(query)]


def of_models(connection: Connection, models: Sequence[str]) -> Mapping[str, Sequence[Run]]:
    """Return the runs of each of these models."""
    found: dict[str, list[Run]] = {model: [] for model in models}
    for body in connection.scalars(select(rows.c.body).where(rows.c.model.in_(models))):
        run = _known(body)
        found[run.model_key].append(run)
    return found


@lru_cache(maxsize=1_024)
def _known(body: str) -> Run:
    """Return a run; every look asks for the same ones again, and most of them will never change."""
    return loads(Run, body)


def _find(connection: Connection, number: str) -> Run | None:
    body = connection.scalar(select(rows.c.body).where(rows.c.id == number))
    return loads(Run, body) if body else None
