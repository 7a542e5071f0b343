"""A run that waits for a person, and a bot that is killed before and after somebody has pressed. Ends with I1 to I8."""

import pytest
import yaml

from bot.core.runs import RunState
from tests.faults.test_bot import THREE_STEPS, at_once, finishes, shares, taken

pytestmark = pytest.mark.slow


def is_gated(house):
    """Let the company's rollback wait for a person before its last step."""
    path = house.folder / "playbooks" / "rollback.yaml"
    told = yaml.safe_load(path.read_text())
    told["steps"][2] |= {"gate": "Look at the errors of {{ to_version }}.", "gate_timeout": "1h"}
    path.write_text(yaml.safe_dump(told, sort_keys=False))


def test_a_press_at_a_gate_outlives_kills_before_and_after_it_and_counts_once(house):
    is_gated(house)
    house.starts()
    house.proposed()("bo")()
    house.until("it waits at its gate", lambda: house.runs and house.runs[0].waits, within=60)
    house.dies()
    house.starts()
    fingers = [house.finger(name, "Continue") for name in ("bo", "ana")]
    assert shares(house) == THREE_STEPS[:2]
    told = at_once(*fingers)
    house.dies()
    house.starts()
    house.recovers("the gate is passed", lambda: not house.runs[0].waits)
    finishes(house)

    assert taken(told) >= 1
    assert [len(house.audited(f"gate.{what}")) for what in ("reached", "continued", "expired")] == [1, 1, 0]
    assert [run.state for run in house.runs] == [RunState.SUCCEEDED]
    assert shares(house) == THREE_STEPS
    house.invariants()
