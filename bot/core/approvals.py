"""Who may do what: principals, roles, policies, proposals, votes, decisions.

An empty policy denies. Roles are read at click time, never from the button. A proposal is bound to the hash of one exact plan
and is superseded when the world moves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.actions import Plan
from bot.core.errors import NotAllowed


@dataclass(frozen=True, slots=True)
class Principal:
    """A person as Slack names them, with the roles that the configuration gives them now."""

    id: str
    name: str = ""
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may approve one playbook: any of `roles`, `quorum` of them, within `expires`."""

    roles: frozenset[str] = frozenset()
    quorum: int = 1
    self_approval: bool = False
    expires: timedelta = timedelta(hours=4)


class Standing(StrEnum):
    """Where a proposal stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's word on one proposal; the database keeps one a person."""

    proposal: str
    by: str
    approve: bool
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan that waits for the right people."""

    id: str
    incident: int
    model: str
    environment: str
    plan: Plan
    proposed_by: str
    proposed_at: datetime
    expires_at: datetime
    policy: Policy
    standing: Standing = Standing.WAITING
    preview: Mapping[str, object] = field(default_factory=dict)
    decided_by: str = ""
    decided_at: datetime | None = None
    reason: str = ""

    def closed(self, standing: Standing, *, by: str, at: datetime, reason: str = "") -> "Proposal":
        """Return it decided."""
        return replace(self, standing=standing, decided_by=by, decided_at=at, reason=reason)


def may_vote(proposal: Proposal, who: Principal, *, approve: bool, now: datetime) -> None:
    """Raise NotAllowed, with the reason to show to the person who clicked, unless this vote counts."""
    if proposal.standing is not Standing.WAITING:
        raise NotAllowed(_already(proposal))
    if now >= proposal.expires_at:
        raise NotAllowed("This proposal has expired; propose it again from the incident.")
    if not proposal.policy.roles:
        raise NotAllowed(
            f"Nobody may approve '{proposal.plan.playbook}': no policy names a role for it. Add one under approvals in aiops.yaml."
        )
    if not (who.roles & proposal.policy.roles):
        wanted = " or ".join(sorted(proposal.policy.roles))
        raise NotAllowed(f"Only {wanted} may decide this; your roles: {', '.join(sorted(who.roles)) or 'none'}.")
    if approve and who.id == proposal.proposed_by and not proposal.policy.self_approval:
        raise NotAllowed("You proposed this; someone else has to approve it.")


def _already(proposal: Proposal) -> str:
    if proposal.standing is Standing.SUPERSEDED:
        return f"This proposal was superseded: {proposal.reason}"
    if proposal.standing is Standing.EXPIRED:
        return "This proposal has expired; propose it again from the incident."
    return f"This proposal is {proposal.standing.value} already; its card says by whom."
