"""Proposals, votes and decisions: who asked, who said what, and the one answer."""

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from bot.core.approvals import Proposal, Standing, Vote
from bot.core.errors import Conflict, NotFound
from bot.store import tables
from bot.store.codec import dumps, loads
from bot.store.upserts import insert_if_new

rows = tables.proposals


def add(connection: Connection, proposal: Proposal) -> None:
    """Insert it, once."""
    values = {
        "id": proposal.id,
        "incident": proposal.incident,
        "standing": proposal.standing.value,
        "proposed_at": proposal.proposed_at,
        "body": dumps(proposal),
    }
    if connection.scalar(select(tables.incidents.c.id).where(tables.incidents.c.id == proposal.incident)) is None:
        raise NotFound(f"There is no incident #{proposal.incident}.")
    if connection.scalar(insert_if_new(connection, rows, values, "id").returning(rows.c.id)) is None:
        raise Conflict(f"Proposal {proposal.id} exists already.")


def get(connection: Connection, number: str) -> Proposal:
    """Return it, or raise NotFound."""
    body = connection.scalar(select(rows.c.body).where(rows.c.id == number))
    if body is None:
        raise NotFound(f"There is no proposal {number}.")
    return loads(Proposal, body)


def newest(connection: Connection, *, incident: int | None, waiting: bool) -> Sequence[Proposal]:
    """Return proposals, newest first."""
    query = select(rows.c.body).order_by(rows.c.proposed_at.desc(), rows.c.id.desc())
    if incident is not None:
        query = query.where(rows.c.incident == incident)
    if waiting:
        query = query.where(rows.c.standing == Standing.WAITING.value)
    return [loads(Proposal, body) for body in connection.scalars(query)]


def close(connection: Connection, proposal: Proposal) -> bool:
    """Write the decision and the proposal as it stands now; False when a decision is there already."""
    if proposal.standing is Standing.WAITING:
        raise ValueError(f"Proposal {proposal.id} is still waiting; close it with a decision.")
    get(connection, proposal.id)
    values = {
        "proposal": proposal.id,
        "standing": proposal.standing.value,
        "decided_by": proposal.decided_by,
        "decided_at": proposal.decided_at,
    }
    decided = insert_if_new(connection, tables.decisions, values, "proposal").returning(tables.decisions.c.proposal)
    if connection.scalar(decided) is None:
        return False
    closed = {"standing": proposal.standing.value, "body": dumps(proposal)}
    connection.execute(update(rows).where(rows.c.id == proposal.id).values(**closed))
    return True


def save(connection: Connection, proposal: Proposal) -> bool:
    """Write it anew where it still has the same standing; return whether it had."""
    same = (rows.c.id == proposal.id, rows.c.standing == proposal.standing.value)
    return connection.scalar(update(rows).where(*same).values(body=dumps(proposal)).returning(rows.c.id)) is not None


def add_vote(connection: Connection, vote: Vote) -> bool:
    """Count it, once a person."""
    get(connection, vote.proposal)
    values = {"proposal": vote.proposal, "voter": vote.by, "at": vote.at, "body": dumps(vote)}
    counted = insert_if_new(connection, tables.votes, values, "proposal", "voter").returning(tables.votes.c.voter)
    return connection.scalar(counted) is not None


def votes_on(connection: Connection, proposal: str) -> Sequence[Vote]:
    """Return the votes, oldest first."""
    votes = tables.votes
    query = select(votes.c.body).where(votes.c.proposal == proposal).order_by(votes.c.at, votes.c.voter)
    return [loads(Vote, body) for body in connection.scalars(query)]
