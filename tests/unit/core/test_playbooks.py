"""A playbook says which parts platforms must play for it; a step that may be left out asks for none."""

from dataclasses import replace

from bot.core.playbooks import Step
from tests.unit.flow.room import ROLLBACK


def test_the_parts_are_those_of_the_steps_that_cannot_be_left_out():
    steps = (
        Step("train", "run_job", on="trainer"),
        Step("shift", "set_traffic"),
        Step("restart", "run_job", on="operator", optional=True),
    )

    assert replace(ROLLBACK, steps=steps).parts == ["serving", "trainer"]
