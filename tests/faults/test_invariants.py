"""The invariants can fail: a house in which all is well is harmed in one way after the other, and each harm is named."""

from time import monotonic

import pytest
import sqlalchemy as sa

from bot.slack.client import web_client
from bot.store.tables import audit, votes
from tests.faults import invariants
from tests.faults.edge import Call
from tests.faults.papers import PLACE


def repeats_a_step(house):
    last = house.edge.door.sets[-1]
    house.edge.door.calls.append(Call(monotonic(), last.path, last.weights))


def moves_traffic_that_no_plan_names(house):
    house.edge.door.calls.append(Call(monotonic(), "/runtime_modify", {"traffic.delays_v2": 1, "traffic.delays_v3": 9}))


def loses_a_caller(house):
    house.edge.callers.failed.append((monotonic(), "no answer"))


def takes_its_time(house):
    house.recoveries["it"] = 31.0


def shows_an_incident_twice(house):
    told = {"event_type": "aiops_notice", "event_payload": {"key": "incident:1", "nonce": "another"}}
    _client(house).chat_postMessage(channel=PLACE, text="once more", metadata=told)


def says_a_secret(house):
    _client(house).chat_postMessage(channel=PLACE, text=f"my token is {house.tokens['SLACK_APP_TOKEN']}")


def shows_what_was_never_written(house):
    _client(house).chat_postMessage(channel=PLACE, text="audit #99999 · 0123456789ab")


def forges_a_row(house):
    """Whoever owns the file can take the database's own guard away; the chain still tells."""
    with house.store.look() as connection:
        guards = connection.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'")).all()
    for guard in guards:
        _does(house, sa.text(f'DROP TRIGGER "{guard}"'))
    _does(house, sa.update(audit).where(audit.c.action == "step.intended").values(actor="somebody else"))


def loses_a_vote(house):
    _does(house, sa.delete(votes))


def _client(house):
    return web_client(house.slack.app.bot_token, house.slack.api_url)


def _does(house, statement):
    with house.store.begin() as connection:
        connection.execute(statement)


HARMS = (
    (takes_its_time, "I8"),
    (says_a_secret, "I7"),
    (loses_a_caller, "I6"),
    (loses_a_vote, "I5"),
    (forges_a_row, "I4"),
    (shows_an_incident_twice, "I3"),
    (repeats_a_step, "I2: a step was carried out again"),
    (moves_traffic_that_no_plan_names, "I2: the target was told otherwise"),
    (shows_what_was_never_written, "I1"),
)
"""From the invariant that is looked at last to the first, so that an earlier harm never speaks for a later one."""


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_harm_is_named_by_its_invariant(house):
    with house.lives():
        house.proposed()("bo")()
        house.until("the run has applied its steps", lambda: house.audited("run.applied"))
        house.is_judged()
        house.until("the run is over", lambda: house.is_over)
        house.invariants()

        for harm, named in HARMS:
            harm(house)
            with pytest.raises(AssertionError, match=named):
                invariants.hold(house)
