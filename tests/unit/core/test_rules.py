"""The first rule that fits is the one that holds; where none fits, nobody may approve."""

from dataclasses import replace

import pytest

from bot.core.approvals import Policy
from bot.core.rules import Rule, policy_for
from tests.unit.flow.room import DELAYS, ROLLBACK

ANA, BO = Policy(frozenset({"ana"})), Policy(frozenset({"bo"}))
CRITICAL = replace(DELAYS, tier="critical")


def rule(policy=ANA, **conditions):
    return Rule(policy, **{name: frozenset(values) for name, values in conditions.items()})


@pytest.mark.parametrize(
    ("conditions", "fits"),
    [
        ({}, True),
        ({"playbooks": ["rollback", "restart"]}, True),
        ({"playbooks": ["restart"]}, False),
        ({"tiers": ["standard"]}, True),
        ({"tiers": ["critical"]}, False),
        ({"environments": ["production"]}, True),
        ({"environments": ["staging"]}, False),
        ({"risks": ["medium"]}, True),
        ({"risks": ["low", "high"]}, False),
        ({"playbooks": ["rollback"], "tiers": ["critical"]}, False),
    ],
    ids=str,
)
def test_a_rule_fits_when_all_of_its_conditions_do(conditions, fits):
    assert rule(**conditions).fits(ROLLBACK, DELAYS) is fits


def test_the_first_that_fits_holds():
    rules = [rule(ANA, tiers=["critical"]), rule(BO)]

    assert (policy_for(rules, ROLLBACK, CRITICAL), policy_for(rules, ROLLBACK, DELAYS)) == (ANA, BO)


def test_where_none_fits_nobody_may_approve():
    assert not policy_for([rule(tiers=["critical"])], ROLLBACK, DELAYS).who


@pytest.mark.parametrize(
    ("wide", "narrow", "covers"),
    [
        ({}, {"tiers": ["critical"]}, True),
        ({"tiers": ["critical", "low"]}, {"tiers": ["low"], "risks": ["high"]}, True),
        ({"tiers": ["critical"]}, {}, False),
        ({"tiers": ["critical"]}, {"risks": ["high"]}, False),
        ({"tiers": ["critical"]}, {"tiers": ["critical", "low"]}, False),
    ],
    ids=str,
)
def test_a_rule_covers_another_when_that_can_add_nothing(wide, narrow, covers):
    assert rule(**wide).covers(rule(**narrow)) is covers


def test_a_rule_says_what_it_holds_for():
    told = rule(playbooks=["scale", "restart"], tiers=["low", "standard"], environments=["staging"], risks=["low"])

    assert told.words == "restart, scale; tier low or standard; environment staging; risk low"
    assert (rule().words, told.speaks_of(ROLLBACK), rule().speaks_of(ROLLBACK)) == ("every playbook", False, True)
