"""A playbook is its content, and says what it mends."""

from dataclasses import replace

import pytest

from bot.core.actions import Verification
from bot.core.checks import Family
from bot.core.incidents import Severity
from bot.core.playbooks import Playbook, Step


def a_playbook(**content):
    verification = Verification(("loss",), 300, 60.0)
    families, severities = frozenset({Family.PERFORMANCE}), frozenset({Severity.SEV1, Severity.SEV2})
    return Playbook("rollback", "Roll back", "", families, severities, (), (), verification, content=content)


def test_its_hash_is_that_of_its_content():
    assert a_playbook(a=1, b=2).hash == a_playbook(b=2, a=1).hash
    assert a_playbook(a=1, b=2).hash != a_playbook(a=1, b=3).hash


@pytest.mark.parametrize(
    ("family", "severity", "offered"),
    [
        (Family.PERFORMANCE, Severity.SEV1, True),
        (Family.PERFORMANCE, Severity.SEV3, False),
        (Family.DRIFT, Severity.SEV1, False),
    ],
)
def test_it_is_offered_for_its_families_at_its_severities(family, severity, offered):
    assert a_playbook().offered_for(family, severity) is offered


def test_its_parts_are_those_of_the_steps_that_cannot_be_left_out():
    optional = Step("restart", "run_job", on="operator", optional=True)
    steps = (Step("train", "run_job", on="trainer"), Step("shift", "set_traffic"), optional)

    assert replace(a_playbook(), steps=steps).parts == ["serving", "trainer"]
