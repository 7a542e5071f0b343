"""A playbook that has just been tried rests, is not tried without end, and is for some models only; each time it is said why."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.errors import NotAllowed
from bot.flow.propose import options
from tests.unit.flow.room import ROLLBACK, Room

HOUR = 3_600


def losing(**playbook):
    room = Room(playbook=replace(ROLLBACK, **playbook))
    room.losing()
    return room


def tries(room):
    """Propose, approve and carry out; nothing gets better by it."""
    room.runs(room.approved().id)


def refused(room):
    with pytest.raises(NotAllowed) as why:
        room.proposed()
    offered = options(room.desk, 1)
    assert (offered["playbooks"], offered["resting"], offered["why_none"]) == ([], [str(why.value)], str(why.value))
    return str(why.value)


def test_after_a_run_it_rests_and_says_until_when():
    room = losing(cooldown=timedelta(hours=2))
    tries(room)
    room.clock.passes(HOUR)

    assert refused(room).startswith(
        "'rollback' ended on delays 1 h ago and rests 2 h after each run; it can be proposed again in 1 h, on "
    )


def test_when_it_has_rested_it_is_offered_again():
    room = losing(cooldown=timedelta(hours=2))
    tries(room)
    room.clock.passes(2 * HOUR)

    assert room.proposed().plan.playbook == "rollback"


def test_what_may_be_tried_once_is_not_tried_twice_on_one_incident():
    room = losing(max_attempts=1)
    tries(room)

    assert refused(room) == "'rollback' was tried once on incident #1, as often as it may be; a person has to go on."


def test_two_tries_are_told_as_two():
    room = losing(max_attempts=2)
    tries(room)
    tries(room)

    assert "was tried 2 times on incident #1" in refused(room)


def test_a_run_that_never_began_has_tried_nothing():
    room = losing(max_attempts=1, cooldown=timedelta(hours=2))
    number = room.approved().id
    with room.store.write() as unit:
        run = unit.run(number)
        unit.save_run(replace(run, plan=replace(run.plan, parameters={"to_version": "v1"})))  # not what was approved
    room.runs(number)

    assert room.proposed().plan.playbook == "rollback"


def test_another_playbook_does_not_rest_with_it():
    room = losing(cooldown=timedelta(hours=2))
    tries(room)
    room.lays(
        playbooks={**room.desk.playbooks, "other": replace(ROLLBACK, name="other", title="Other")},
        policies=dict.fromkeys(("rollback", "other"), room.policy),
    )
    offered = options(room.desk, 1)

    assert [offer["name"] for offer in offered["playbooks"]] == ["other"]
    assert len(offered["resting"]) == 1


@pytest.mark.parametrize(
    "meant", [{"tiers": frozenset({"critical"})}, {"environments": frozenset({"staging"})}], ids=["tier", "environment"]
)
def test_it_is_for_models_of_its_tiers_and_environments_only(meant):
    room = losing(**meant)
    with pytest.raises(NotAllowed, match=r"^'rollback' is not meant for models of tier standard in production\.$"):
        room.proposed()

    assert options(room.desk, 1)["playbooks"] == []
