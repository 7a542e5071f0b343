"""A plan is exactly its content: its hash is what people approve."""

from dataclasses import replace

import pytest

from bot.core.actions import Change, Plan, Verification, canonical
from tests.fakes.nouns import NOON, a_plan

HALF = Change("half", "set_traffic", "delays", {"v3": 1.0}, {"v3": 0.5, "v2": 0.5}, "v3 100 % → v2 50 % · v3 50 %")
ALL = Change("all", "set_traffic", "delays", {"v3": 0.5, "v2": 0.5}, {"v2": 1.0}, "v2 50 % · v3 50 % → v2 100 %")
CHANGE = a_plan().changes[0]


def test_the_same_content_is_the_same_hash():
    assert a_plan().hash == a_plan().hash


def test_the_order_in_which_keys_were_written_changes_nothing():
    assert a_plan(parameters={"a": "1", "b": "2"}).hash == a_plan(parameters={"b": "2", "a": "1"}).hash


@pytest.mark.parametrize(
    "other",
    [
        {"playbook": "retrain"},
        {"playbook_hash": "0ther"},
        {"model": "arrivals"},
        {"environment": "staging"},
        {"changes": ()},
        {"changes": (CHANGE, CHANGE)},
        {"changes": (replace(CHANGE, step="jump"),)},
        {"changes": (replace(CHANGE, action="restart"),)},
        {"changes": (replace(CHANGE, target="arrivals"),)},
        {"changes": (replace(CHANGE, before={"v3": 0.9}),)},
        {"changes": (replace(CHANGE, after={"v1": 0.999}),)},
        {"changes": (replace(CHANGE, words="nothing to see"),)},
        {"changes": (replace(CHANGE, hold_s=0.0),)},
        {"changes": (replace(CHANGE, measure_share_within=0.5),)},
        {"verification": Verification(("psi",), 300, 3600.0)},
        {"verification": Verification(("loss",), 299, 3600.0)},
        {"verification": Verification(("loss",), 300, 3601.0)},
        {"parameters": {"to": "v2"}},
    ],
    ids=str,
)
def test_any_other_content_is_another_hash(other):
    assert a_plan(**other).hash != a_plan().hash


def test_a_plan_of_one_change_says_that_change():
    assert a_plan().words == "v3 100 % → v1 100 %"


def test_a_plan_of_several_changes_says_where_it_starts_and_where_it_ends():
    plan = Plan("rollback", "5eed", "delays", "production", (HALF, ALL), Verification(("loss",), 300, 60.0))

    assert plan.words == "v3 100 % → v2 100 % in 2 steps"


def test_canonical_json_sorts_keys_and_wastes_no_space():
    assert canonical({"b": 1, "a": "Größe"}) == '{"a":"Größe","b":1}'


def test_a_time_is_written_as_text():
    assert canonical({"at": NOON}) == '{"at":"2013-07-01 12:00:00+00:00"}'


def test_a_number_that_is_none_cannot_be_hashed():
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"share": float("nan")})


def test_a_plan_approved_before_there_were_locks_parallel_steps_and_ways_back_keeps_its_hash():
    assert a_plan().hash == "67a9f2733d9aa9330311393ef980192e792713d4f3cd399306c87b46a3575eb9"


def test_a_lock_what_is_done_together_and_the_way_back_are_part_of_what_is_approved():
    change = a_plan().changes[0]
    other = [a_plan(lock="edge"), a_plan(changes=(replace(change, together="both"),)), a_plan(back=(change,))]

    assert len({a_plan().hash, *(plan.hash for plan in other)}) == 4
