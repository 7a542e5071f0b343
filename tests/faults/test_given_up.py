"""A run that the engine has given up, in the whole bot: people hear of it, and its model is watched again."""

import pytest

from bot.core.incidents import State
from bot.core.runs import RunState
from bot.engine.durable import Durable
from bot.flow.decide import RUN
from tests.fakes.nouns import a_proposal, a_run

pytestmark = pytest.mark.slow
MISSING = "run of nobody"


@pytest.fixture
def engine(database_url):
    """An engine that only enqueues."""
    made = Durable(database_url)
    made.register(RUN, lambda _journal, payload: payload)
    yield made
    made.stop()


def is_at_work(house, number):
    """Write a run that is at work."""
    with house.store.write() as unit:
        incident = unit.save_incident(unit.incident(1).moved(State.MITIGATING))
        unit.add_proposal(a_proposal(number, incident.id))
        unit.save_run(a_run(number, incident.id, state=RunState.RUNNING))


@pytest.mark.failure("deploy")
def test_a_run_whose_body_broke_is_handed_to_people_by_the_bot_itself(house, engine, tally):
    with house.lives():
        house.loses()
        house.until("the incident is there", lambda: house.incidents)
        is_at_work(house, "lost")
        engine.enqueue_now(RUN, "lost", {"run": MISSING})
        house.until("people have it", lambda: house.runs[0].state.over)
        tally(handed_to_people=1, runs=1)

        assert [(run.id, run.state) for run in house.runs] == [("lost", RunState.FAILED)]
        assert house.incidents[0].state is State.ACKNOWLEDGED
        house.people["ana"].sees("a person has to look at the platform now", within=20)
