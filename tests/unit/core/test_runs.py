"""When a run is over."""

import pytest

from bot.core.runs import RunState
from tests.fakes.nouns import a_run

OVER = {
    "queued": False,
    "running": False,
    "verifying": False,
    "succeeded": True,
    "compensated": True,
    "failed": True,
    "handed_over": True,
}


@pytest.mark.parametrize("state", RunState)
def test_a_run_is_over_when_nothing_more_will_happen(state):
    assert state.over is OVER[state.value]


def test_a_run_names_its_model_with_its_environment():
    assert a_run().model_key == "delays@production"
