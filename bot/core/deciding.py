"""The part of a transaction that keeps proposals, votes and decisions."""

from collections.abc import Sequence
from typing import Protocol

from bot.core.approvals import Proposal, Vote


class Deciding(Protocol):
    """One decision a proposal and one vote a person, by the database."""

    def add_proposal(self, proposal: Proposal) -> None:
        """Insert it."""
        ...

    def proposal(self, number: str) -> Proposal:
        """Return it, or raise NotFound."""
        ...

    def proposals(self, *, incident: int | None = None, waiting: bool = False) -> Sequence[Proposal]:
        """Return proposals, newest first."""
        ...

    def close_proposal(self, proposal: Proposal) -> bool:
        """Write a decision; False when another one was first (one decision a proposal, by the database)."""
        ...

    def save_proposal(self, proposal: Proposal) -> bool:
        """Write it anew in the same standing; False when it no longer stands so."""
        ...

    def add_vote(self, vote: Vote) -> bool:
        """Count a vote; False when this person has voted already."""
        ...

    def votes(self, proposal: str) -> Sequence[Vote]:
        """Return the votes, oldest first."""
        ...
