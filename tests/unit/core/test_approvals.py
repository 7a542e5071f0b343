"""Who may vote, and the sentence that everybody else is told."""

from datetime import timedelta

import pytest

from bot.core.approvals import Policy, Principal, Standing, may_vote
from bot.core.errors import NotAllowed
from tests.fakes.nouns import NOON, a_proposal

BO = Principal("U2", "Bo", frozenset({"approver"}))
PROPOSER = Principal("U1", "Ana", frozenset({"approver"}))
LATE = NOON + timedelta(hours=4)


def refused(proposal, who=BO, *, approve=True, now=NOON):
    with pytest.raises(NotAllowed) as refusal:
        may_vote(proposal, who, approve=approve, now=now)
    return str(refusal.value)


def test_a_person_with_the_role_may_vote_until_the_last_moment():
    may_vote(a_proposal(), BO, approve=True, now=LATE - timedelta(microseconds=1))

    assert refused(a_proposal(), now=LATE) == "This proposal has expired; propose it again from the incident."


@pytest.mark.parametrize(
    ("standing", "sentence"),
    [
        (Standing.APPROVED, "This proposal is approved already; its card says by whom."),
        (Standing.REJECTED, "This proposal is rejected already; its card says by whom."),
        (Standing.EXPIRED, "This proposal has expired; propose it again from the incident."),
        (Standing.SUPERSEDED, "This proposal was superseded: incident #1 is resolved."),
    ],
)
def test_a_decided_proposal_says_how_it_was_decided(standing, sentence):
    decided = a_proposal().closed(standing, by="U3", at=NOON, reason="incident #1 is resolved.")

    assert refused(decided) == sentence


def test_an_empty_policy_denies_everybody():
    sentence = refused(a_proposal(policy=Policy()))

    assert sentence == "Nobody may approve 'rollback': no policy names a role for it. Add one under approvals in aiops.yaml."


def test_another_role_is_told_which_role_it_takes_and_which_it_has():
    stranger = Principal("U9", "Cy", frozenset({"viewer", "guest"}))

    assert refused(a_proposal(), stranger) == "Only approver or owner may decide this; your roles: guest, viewer."


def test_a_person_without_any_role_is_told_so():
    assert refused(a_proposal(), Principal("U9")) == "Only approver or owner may decide this; your roles: none."


def test_the_proposer_may_not_approve():
    assert refused(a_proposal(), PROPOSER) == "You proposed this; someone else has to approve it."


def test_the_proposer_may_withdraw_with_any_roles_or_none():
    may_vote(a_proposal(), PROPOSER, approve=False, now=NOON)

    may_vote(a_proposal(), Principal("U1"), approve=False, now=NOON)


def test_the_proposer_may_approve_where_the_policy_says_so():
    alone = a_proposal(policy=Policy(frozenset({"approver"}), self_approval=True))
    may_vote(alone, PROPOSER, approve=True, now=NOON)

    assert refused(alone, Principal("U1")) == "Only approver may decide this; your roles: none."


def test_a_closed_proposal_carries_who_when_and_why():
    closed = a_proposal().closed(Standing.REJECTED, by="U2", at=LATE, reason="not today")

    assert (closed.standing, closed.decided_by, closed.decided_at, closed.reason) == (Standing.REJECTED, "U2", LATE, "not today")
