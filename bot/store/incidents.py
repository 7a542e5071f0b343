"""Incidents and digest notes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.exc import IntegrityError

from bot.core.errors import Conflict, NotFound
from bot.core.incidents import Incident, Note
from bot.store import tables
from bot.store.codec import dumps, loads
from bot.store.upserts import insert_if_new

rows = tables.incidents


def open_new(connection: Connection, incident: Incident) -> Incident | None:
    """Insert it under the next number; None when the database holds an open one with its key."""
    if incident.open and open_for(connection, incident.key):  # asked first, so that a refused one costs no number
        return None
    number = connection.scalar(insert_if_new(connection, rows, _columns(incident, 1), "key").returning(rows.c.id))
    return None if number is None else get(connection, number)


def get(connection: Connection, number: int) -> Incident:
    """Return it, or raise NotFound."""
    row = connection.execute(select(rows).where(rows.c.id == number)).one_or_none()
    if row is None:
        raise NotFound(f"There is no incident #{number}.")
    return _read(row)


def open_for(connection: Connection, key: str) -> Incident | None:
    """Return the open incident of this key."""
    row = connection.execute(select(rows).where(rows.c.key == key)).one_or_none()
    return _read(row) if row else None


def newest(connection: Connection, *, open_only: bool, model: str | None, limit: int) -> Sequence[Incident]:
    """Return incidents, newest first."""
    query = select(rows).order_by(rows.c.id.desc()).limit(limit)
    if open_only:
        query = query.where(rows.c.key.is_not(None))
    if model is not None:
        query = query.where(rows.c.model == model)
    return [_read(row) for row in connection.execute(query)]


def troubled(connection: Connection, models: Sequence[str]) -> frozenset[str]:
    """Return those of these models of which an incident is open."""
    query = select(rows.c.body).where(rows.c.key.is_not(None), rows.c.model.in_(models))
    return frozenset(loads(Incident, body).model_key for body in connection.scalars(query))


def save(connection: Connection, incident: Incident) -> Incident:
    """Write it as the next version of the one that was read."""
    mine = update(rows).where(rows.c.id == incident.id, rows.c.version == incident.version)
    try:
        with connection.begin_nested():
            written = connection.execute(mine.values(**_columns(incident, incident.version + 1))).rowcount
    except IntegrityError as error:
        raise Conflict(f"Another incident is open for {incident.key} already.") from error
    stored = get(connection, incident.id)
    if not written:
        raise Conflict(f"Incident #{incident.id} was changed by somebody else a moment ago; look again.")
    return stored


def add_note(connection: Connection, note: Note) -> bool:
    """Keep it once; return whether it was new."""
    values = {
        "model": note.model_key,
        "environment": note.environment,
        "starts": note.window.start,
        "ends": note.window.end,
        "text": note.text,
        "at": note.at,
        "body": dumps(note),
    }
    kept = insert_if_new(connection, tables.notes, values, "model", "environment", "starts", "ends", "text").returning(
        tables.notes.c.id
    )
    return connection.scalar(kept) is not None


def notes_since(connection: Connection, since: datetime, model: str | None) -> Sequence[Note]:
    """Return notes, oldest first."""
    notes = tables.notes
    query = select(notes.c.body).where(notes.c.at >= since).order_by(notes.c.at, notes.c.id)
    if model is not None:
        query = query.where(notes.c.model == model)
    return [loads(Note, body) for body in connection.scalars(query)]


def _columns(incident: Incident, version: int) -> dict[str, object]:
    return {
        "key": incident.key if incident.open else None,
        "model": incident.model_key,
        "state": incident.state.value,
        "version": version,
        "body": dumps(incident),
    }


def _read(row: Row[Any]) -> Incident:
    return replace(loads(Incident, row.body), id=row.id, version=row.version)
