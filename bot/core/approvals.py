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
    """A person as Slack names them, with the roles that the configuration gives them now.

    `groups` are those of the Slack user groups that were asked for; `unsure` says why Slack could not tell, where it could not.
    """

    id: str
    name: str = ""
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    unsure: str = ""


@dataclass(frozen=True, slots=True)
class Who:
    """Some people: who holds one of these roles, is named by Slack id, or is a member of one of these Slack user groups."""

    roles: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Whether it names anybody."""
        return bool(self.roles or self.people or self.groups)

    def __contains__(self, who: Principal) -> bool:
        """Whether this person is one of them, as far as is known."""
        return who.id in self.people or bool(who.roles & self.roles or who.groups & self.groups)

    def __or__(self, other: "Who") -> "Who":
        """Return these people and those."""
        return Who(self.roles | other.roles, self.people | other.people, self.groups | other.groups)

    @property
    def words(self) -> list[str]:
        """Roles, people and groups, one a text."""
        return [
            *sorted(self.roles),
            *(f"<@{one}>" for one in sorted(self.people)),
            *(f"group {one}" for one in sorted(self.groups)),
        ]

    @property
    def sentence(self) -> str:
        """All of them, for the middle of a sentence."""
        return " or ".join(self.words) or "nobody"


def or_refuse(who: Principal, asked: Who, what: str) -> None:
    """Raise NotAllowed unless this person is one of those; where Slack could not say whether, that is the reason."""
    if who not in asked:
        roles = ", ".join(sorted(who.roles)) or "none"
        raise NotAllowed(who.unsure or f"Only {asked.sentence} may {what}; your roles: {roles}.")


class Outcome(StrEnum):
    """What happens with a proposal that nobody has decided in time."""

    REJECT = "reject"
    ESCALATE = "escalate"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may approve a playbook: any of `roles`, `people` and `groups`, `quorum` of them, within `expires`.

    `confirm` is what Slack asks before an approval counts, beside the plan itself. To escalate is to ask
    `escalate_to` as well, once, for another `expires`. So often a day the bot may propose and
    approve it by itself on one model, until an incident that was mended like this comes back within `auto_returned`. Each
    of `break_glass` may approve alone, even what they proposed themselves, and owes a review by somebody else.
    """

    roles: frozenset[str] = frozenset()
    quorum: int = 1
    self_approval: bool = False
    expires: timedelta = timedelta(hours=4)
    people: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    confirm: str = ""
    on_expiry: Outcome = Outcome.REJECT
    escalate_to: Who = Who()
    auto_per_day: int = 0
    auto_returned: timedelta = timedelta(days=1)
    break_glass: Who = Who()

    @property
    def who(self) -> Who:
        """Those who may approve."""
        return Who(self.roles, self.people, self.groups)


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
    escalated: bool = False
    glass_by: str = ""
    reviewed_by: str = ""
    review: str = ""

    @property
    def who(self) -> Who:
        """Those who may decide it now."""
        return self.policy.who | self.policy.escalate_to if self.escalated else self.policy.who

    @property
    def outcome(self) -> Outcome:
        """What happens when its time runs out undecided; it is escalated once."""
        return Outcome.REJECT if self.escalated else self.policy.on_expiry

    def closed(self, standing: Standing, *, by: str, at: datetime, reason: str = "") -> "Proposal":
        """Return it decided."""
        return replace(self, standing=standing, decided_by=by, decided_at=at, reason=reason)


def may_vote(proposal: Proposal, who: Principal, *, approve: bool, now: datetime) -> None:
    """Raise NotAllowed, with the reason to show to the person who clicked, unless this vote counts."""
    if proposal.standing is not Standing.WAITING:
        raise NotAllowed(_already(proposal))
    if now >= proposal.expires_at:
        raise NotAllowed(_run_out(proposal))
    if not approve and who.id == proposal.proposed_by:
        return  # whoever proposed it may withdraw it
    if not proposal.who:
        raise NotAllowed(
            f"Nobody may approve '{proposal.plan.playbook}': no policy names a role for it. Add one under approvals in aiops.yaml."
        )
    or_refuse(who, proposal.who, "decide this")
    if approve and who.id == proposal.proposed_by and not proposal.policy.self_approval:
        raise NotAllowed("You proposed this; someone else has to approve it.")


def may_break_glass(proposal: Proposal, who: Principal, *, now: datetime) -> None:
    """Raise NotAllowed, with the reason to show to the person who asked, unless they may approve this alone."""
    if proposal.standing is not Standing.WAITING:
        raise NotAllowed(_already(proposal))
    if now >= proposal.expires_at:
        raise NotAllowed(_run_out(proposal))
    if not proposal.policy.break_glass:
        raise NotAllowed(f"No policy lets anybody break the glass for '{proposal.plan.playbook}'; it needs its approvals.")
    or_refuse(who, proposal.policy.break_glass, "break the glass here")


def may_review(proposal: Proposal, who: Principal) -> None:
    """Raise NotAllowed, with the reason, unless this person may review how the glass was broken."""
    if not proposal.glass_by:
        raise NotAllowed(f"Proposal {proposal.id} was not approved by break-glass, so it needs no review.")
    if proposal.reviewed_by:
        raise NotAllowed(f"<@{proposal.reviewed_by}> has reviewed this already.")
    if who.id == proposal.glass_by:
        raise NotAllowed("You broke the glass yourself; somebody else has to review it.")
    or_refuse(who, proposal.who | proposal.policy.break_glass, "review this")


def _run_out(proposal: Proposal) -> str:
    if proposal.outcome is Outcome.REJECT:
        return "This proposal has expired; propose it again from the incident."
    return "Its time has run out this moment; its card says at once what follows."


def _already(proposal: Proposal) -> str:
    if proposal.standing is Standing.SUPERSEDED:
        return f"This proposal was superseded: {proposal.reason}"
    if proposal.standing is Standing.EXPIRED:
        return "This proposal has expired; propose it again from the incident."
    return f"This proposal is {proposal.standing.value} already; its card says by whom."
