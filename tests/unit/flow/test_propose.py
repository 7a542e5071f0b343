"""A plan before anything is touched: what is offered, what is refused, and what people are shown."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.actions import Verification
from bot.core.approvals import Policy, Standing
from bot.core.checks import Family
from bot.core.errors import ConfigError, Conflict, NotAllowed, NotFound
from bot.core.incidents import Severity
from bot.core.playbooks import Parameter
from bot.flow import resolve
from bot.flow.propose import options, propose
from tests.unit.flow.room import ROLLBACK, Room

TEXT = Parameter("why", "text", default="it loses")


@pytest.fixture
def losing(room):
    room.losing()
    return room


def proposed(room, playbook="rollback", **parameters):
    return propose(room.desk, 1, playbook, parameters, by=room.person("ana"))


def test_what_fits_is_offered_with_every_version_but_the_serving_one_and_the_best_one_chosen(losing):
    (offer,) = options(losing.desk, 1)["playbooks"]

    assert offer["parameters"] == [
        {
            "name": "to_version",
            "title": "Version",
            "kind": "version",
            "choices": [
                {"value": "v2", "text": "v2: calibration gap 2 points [0, 4]"},
                {"value": "v1", "text": "v1: calibration gap 8 points [6, 10]"},
            ],
            "default": "v2",
        }
    ]
    assert offer["suggestion"].startswith("Roll back to v2")


def test_a_text_is_offered_with_its_default_and_no_choices():
    room = Room(playbook=replace(ROLLBACK, parameters=(*ROLLBACK.parameters, TEXT)))
    room.losing()
    offered = options(room.desk, 1)["playbooks"][0]["parameters"][1]

    assert offered == {"name": "why", "title": "why", "kind": "text", "choices": [], "default": "it loses"}
    assert proposed(room).plan.parameters == {"to_version": "v2", "why": "it loses"}


def test_of_a_text_with_choices_one_is_chosen():
    room = Room(playbook=replace(ROLLBACK, parameters=(*ROLLBACK.parameters, replace(TEXT, default="", choices=("slow", "fast")))))
    room.losing()
    offered = options(room.desk, 1)["playbooks"][0]["parameters"][1]

    assert offered["choices"] == [{"value": "slow", "text": "slow"}, {"value": "fast", "text": "fast"}]


def test_without_a_scorer_the_versions_of_the_splitter_are_offered(room):
    room.lays(scorers={})
    room.losing()
    choices = options(room.desk, 1)["playbooks"][0]["parameters"][0]["choices"]

    assert choices == [{"value": "v2", "text": "v2"}, {"value": "v1", "text": "v1"}]


def test_a_version_that_serves_most_but_not_all_can_be_chosen_to_serve_everything(room):
    room.splitter.set_split("delays", {"v2": 0.8, "v3": 0.2}, "a canary")
    room.losing()
    choices = options(room.desk, 1)["playbooks"][0]["parameters"][0]["choices"]

    assert [choice["value"] for choice in choices] == ["v3", "v2", "v1"]


def test_for_broken_data_nothing_is_offered_and_it_says_who_mends_it(room):
    room.log.missing = 1.0
    room.looks(2)
    offered = options(room.desk, 1)

    assert offered["playbooks"] == []
    assert offered["why_none"].startswith("Handed to weather: temp must come back at the source.")


def test_where_no_playbook_fits_a_person_has_to_act(losing):
    losing.lays(playbooks={})

    assert options(losing.desk, 1) == {
        "playbooks": [],
        "resting": [],
        "why_none": "No playbook mends performance; a person has to.",
    }


def test_the_plan_is_every_change_from_what_really_serves_to_the_chosen_version(losing):
    plan = proposed(losing, to_version="v1").plan

    assert [change.words for change in plan.changes] == ["v3 100 % → v3 50 % · v1 50 %", "v3 50 % · v1 50 % → v1 100 %"]
    assert plan.verification == Verification(("performance",), 1_000, 3 * 86_400)
    assert losing.splitter.effects == []


def test_without_a_choice_the_best_version_is_planned(losing):
    assert proposed(losing).plan.parameters == {"to_version": "v2"}


def test_where_nothing_says_which_version_is_right_it_must_be_chosen(room):
    room.versions.gaps = {"v2": 0.15, "v3": 0.15}
    room.losing()

    with pytest.raises(NotAllowed, match="Choose 'Version' first; nothing here says which one is right"):
        proposed(room)


@pytest.mark.parametrize("version", ["v9", "v3", "<!channel>"])
def test_a_version_that_traffic_could_not_go_to_is_refused(losing, version):
    with pytest.raises(NotAllowed, match=f"'{version}' is not a version of delays that traffic could go to; choose one of v2, v1"):
        proposed(losing, to_version=version)


def test_a_playbook_may_name_its_own_checks():
    room = Room(playbook=replace(ROLLBACK, verification=Verification(("performance", "latency"), 10, 60.0)))
    room.losing()

    assert proposed(room).plan.verification.checks == ("performance", "latency")


def test_an_unknown_playbook_names_the_known_ones(losing):
    with pytest.raises(NotFound, match=r"There is no playbook 'reboot' here\. Known: rollback"):
        proposed(losing, "reboot")


def test_without_a_policy_nobody_may_approve_so_nothing_is_proposed(losing):
    losing.lays(policies={})
    with pytest.raises(NotAllowed, match="Nobody may approve 'rollback' on delays in production: name a role for it"):
        proposed(losing)

    assert "proposal.made" not in losing.audited()


@pytest.mark.parametrize(
    "narrow", [{"families": frozenset({Family.DRIFT})}, {"severities": frozenset({Severity.SEV4})}], ids=["family", "severity"]
)
def test_a_playbook_for_another_trouble_is_refused(narrow):
    room = Room(playbook=replace(ROLLBACK, **narrow))
    room.losing()

    with pytest.raises(NotAllowed, match="'rollback' does not mend performance at SEV1"):
        proposed(room)


def test_a_resolved_incident_needs_no_remedy(losing):
    resolve.resolve(losing.desk, 1, by=losing.person("ana"), cause="a holiday")

    with pytest.raises(NotAllowed, match="Incident #1 is resolved; there is nothing left to mend"):
        proposed(losing)


def test_an_incident_that_is_resolved_while_the_platform_is_asked_gets_no_proposal(losing):
    answers = losing.splitter.split

    def slow_answer(target):
        if losing.incident().open:
            resolve.resolve(losing.desk, 1, by=losing.person("bo"), cause="a holiday")
        return answers(target)

    losing.splitter.split = slow_answer
    with pytest.raises(NotAllowed, match="is resolved; there is nothing left to mend"):
        proposed(losing)

    assert "proposal.made" not in losing.audited()


def test_while_a_run_is_at_work_nothing_else_is_proposed(losing):
    losing.approved()

    with pytest.raises(Conflict, match="A run is already at work on incident #1"):
        proposed(losing, to_version="v1")


def test_a_newer_proposal_takes_the_place_of_the_one_that_waits(losing):
    first, second = proposed(losing, to_version="v1"), proposed(losing, to_version="v2")
    card = losing.shown(f"proposal:{first.id}")

    assert (card["standing"], card["reason"], card["buttons"]) == ("superseded", "a newer proposal took its place.", [])
    assert losing.proposal(second.id).standing is Standing.WAITING


def test_an_action_that_is_not_installed_is_named(losing):
    losing.lays(actions={})

    with pytest.raises(NotFound, match="'rollback' uses the action 'set_traffic', which is not installed"):
        proposed(losing)


def test_a_model_without_a_splitter_cannot_be_acted_on_and_says_what_to_add(losing):
    losing.lays(platforms={})

    with pytest.raises(ConfigError, match="'delays@production' names no serving connector; add `serving:` to it in aiops"):
        proposed(losing)


def test_people_see_how_much_traffic_moves_where_it_leads_and_who_may_approve(losing):
    card = losing.shown(f"proposal:{proposed(losing).id}")

    touched = "production: 100 % of delays's traffic; serving goes on if the bot stops at any step; about 714 predictions a day"
    assert card["blast_radius"] == touched
    assert (card["approvers"], card["quorum"], card["proposed_by"]) == (["on-call"], "0/1", "U0ANA")
    assert card["preview"][0].startswith("Roll back to v2")
    assert [b["value"] for b in card["buttons"]] == [losing.store.audit_log[-1].entry.target] * 2


def test_without_evidence_the_preview_says_that_nothing_is_known(losing):
    losing.forgets_evidence()
    proposal = proposed(losing, to_version="v2")

    assert proposal.preview["lines"] == ["*Nothing is known of v2 on the rows that raised this*: it was not compared there."]


def test_a_proposal_lives_as_long_as_its_policy_says():
    room = Room(policy=Policy(frozenset({"on-call"}), expires=timedelta(minutes=5)))
    room.losing()
    proposal = proposed(room)

    assert proposal.expires_at - proposal.proposed_at == timedelta(minutes=5)
