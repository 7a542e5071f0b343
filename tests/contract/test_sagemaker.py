"""Endpoints of SageMaker in memory, and the same under real botocore: traffic is set, waited for and counted.

Under botocore every request, answer and error is held to the shapes of AWS's own model. On the wire: test_sagemaker_wire.
"""

import pytest

from bot import shelf
from bot.actions.set_traffic import SetTraffic
from bot.core.actions import UNDO
from bot.core.errors import Aborted, ActionFailed, NotFound
from bot.core.waiting import heard, pause
from bot.flow.decide import approve
from bot.flow.propose import propose
from tests.contract.sagemaker_house import OTHER, TARGET, WHOLE, connected
from tests.fakes.aws import Refusal
from tests.unit.flow.room import Room


@pytest.fixture
def platform(aws):
    return connected(aws)


@pytest.fixture
def whole(aws):
    """The same, for versions that are whole configurations."""
    return connected(aws, **WHOLE)


# traffic between variants


def test_an_endpoint_says_how_it_shares_its_traffic(platform):
    assert platform.split(TARGET) == {"v1": 1.0, "v2": 0.0}


def test_what_is_set_is_waited_for_and_read_back(aws, platform):
    platform.set_split(TARGET, {"v1": 0.9, "v2": 0.1}, "run:1")

    assert platform.split(TARGET) == {"v1": 0.9, "v2": 0.1}
    assert aws.seconds >= aws.takes_s
    assert aws.called("UpdateEndpointWeightsAndCapacities") == [
        {
            "EndpointName": "late-arrivals",
            "DesiredWeightsAndCapacities": [
                {"VariantName": "blue", "DesiredWeight": 9_000.0},
                {"VariantName": "green", "DesiredWeight": 1_000.0},
            ],
        }
    ]


def test_while_it_changes_the_split_is_what_is_routed_by_and_not_what_is_desired(aws, platform):
    aws.answer("UpdateEndpointWeightsAndCapacities", weights(blue=0, green=1))

    assert platform.split(TARGET) == {"v1": 1.0, "v2": 0.0}


def weights(**each):
    wanted = [{"VariantName": name, "DesiredWeight": float(weight)} for name, weight in each.items()]
    return {"EndpointName": "late-arrivals", "DesiredWeightsAndCapacities": wanted}


def test_what_is_there_already_is_asked_for_by_nobody(aws, platform):
    platform.set_split(TARGET, {"v1": 1.0}, "run:1")

    assert aws.called("UpdateEndpointWeightsAndCapacities") == []


def test_a_change_that_is_under_way_already_is_only_waited_for(aws, platform):
    aws.answer("UpdateEndpointWeightsAndCapacities", weights(blue=1, green=1))
    platform.set_split(TARGET, {"v1": 0.5, "v2": 0.5}, "run:1")

    assert len(aws.called("UpdateEndpointWeightsAndCapacities")) == 1
    assert platform.split(TARGET) == {"v1": 0.5, "v2": 0.5}


def test_somebody_elses_change_is_let_come_to_its_end_first(aws, platform):
    aws.answer("UpdateEndpointWeightsAndCapacities", weights(blue=1, green=1))
    platform.set_split(TARGET, {"v2": 1.0}, "run:1")

    assert platform.split(TARGET) == {"v1": 0.0, "v2": 1.0}


def test_a_change_whose_answer_was_lost_is_looked_for_and_not_made_again(aws, platform):
    aws.cut.add("UpdateEndpointWeightsAndCapacities")
    platform.set_split(TARGET, {"v2": 1.0}, "run:1")

    assert len(aws.called("UpdateEndpointWeightsAndCapacities")) == 1
    assert platform.split(TARGET) == {"v1": 0.0, "v2": 1.0}


def test_a_change_that_never_arrived_fails_long_before_patience_is_over(aws, platform):
    aws.deaf.add("UpdateEndpointWeightsAndCapacities")

    with pytest.raises(ActionFailed, match="late-arrivals has not taken the change: it is in service, but serves as before"):
        platform.set_split(TARGET, {"v2": 1.0}, "run:1")
    assert aws.seconds < 60


def test_an_endpoint_that_does_not_come_back_in_time_is_said(aws, platform):
    aws.takes_s = 10_000

    with pytest.raises(ActionFailed, match="has not taken the change within 900 s: the endpoint late-arrivals is Updating"):
        platform.set_split(TARGET, {"v2": 1.0}, "run:1")


def test_looks_that_fail_while_it_is_waited_are_made_again(aws, platform):
    looks = iter([Refusal("ThrottlingException", "Rate exceeded")] * 3)
    real = aws._DescribeEndpoint

    def hastened(**asked):
        if aws.endpoints["late-arrivals"]["status"] == "Updating" and (no := next(looks, None)):
            raise no
        return real(**asked)

    aws._DescribeEndpoint = hastened
    platform.set_split(TARGET, {"v2": 1.0}, "run:1")

    assert next(looks, None) is None
    assert platform.split(TARGET) == {"v1": 0.0, "v2": 1.0}


@pytest.mark.parametrize("status", ["Failed", "OutOfService", "UpdateRollbackFailed", "Deleting"])
def test_an_endpoint_that_cannot_come_back_by_itself_is_never_called_healthy(aws, platform, status):
    aws.endpoints["late-arrivals"].update(status=status, reason="No capacity.")

    with pytest.raises(ActionFailed, match=rf"the endpoint late-arrivals is {status} \(No capacity\)"):
        platform.split(TARGET)


def test_a_variant_without_instances_is_given_no_traffic(aws, platform):
    aws.endpoints["late-arrivals"]["variants"]["green"][2] = 0

    with pytest.raises(ActionFailed, match="'green' of late-arrivals has no instance"):
        platform.set_split(TARGET, {"v2": 1.0}, "run:1")


def test_traffic_that_goes_to_a_stranger_is_said(aws, platform):
    aws.endpoints["late-arrivals"]["variants"]["shadow"] = [1, 1, 1]

    with pytest.raises(ActionFailed, match=r"also sends traffic to its variant 'shadow', which aiops.yaml names for no version"):
        platform.split(TARGET)


def test_a_variant_that_is_not_there_is_said(aws, platform):
    del aws.endpoints["late-arrivals"]["variants"]["green"]

    with pytest.raises(ActionFailed, match="has no variant 'green'"):
        platform.split(TARGET)


def test_a_target_and_an_endpoint_that_are_not_there_are_named(aws, platform):
    del aws.endpoints["late-arrivals"]

    with pytest.raises(NotFound, match="'churn'"):
        platform.split("churn")
    with pytest.raises(NotFound, match=r"Could not find endpoint .*late-arrivals.*its region"):
        platform.split(TARGET)


# whole configurations


def test_a_version_that_is_a_configuration_gets_everything_by_an_update_of_the_endpoint(aws, whole):
    whole.set_split(OTHER, {"v2": 1.0}, "run:1")

    assert whole.split(OTHER) == {"v1": 0.0, "v2": 1.0}
    assert aws.called("UpdateEndpoint") == [
        {"EndpointName": "whole", "EndpointConfigName": "whole-2", "RetainDeploymentConfig": True}
    ]


def test_a_playbook_that_ramps_moves_everything_in_its_last_step(aws, whole):
    action, before, changes = SetTraffic("set_traffic"), None, []
    for share in (0.25, 0.5, 1):
        changes.append(action.plan(whole, OTHER, {"version": "v2", "share": share}, step="ramp", before=before))
        before = changes[-1].after

    assert [change.words for change in changes] == ["v1 100 % → v1 100 %", "v1 100 % → v1 100 %", "v1 100 % → v2 100 %"]


def test_a_configuration_cannot_have_a_part_of_the_traffic(whole):
    with pytest.raises(ActionFailed, match="whole configurations, so one of them gets all of the traffic or none"):
        whole.set_split(OTHER, {"v1": 0.5, "v2": 0.5}, "run:1")


def test_an_update_that_alarms_have_rolled_back_is_a_failure_with_the_reason(aws, whole):
    aws.rolls_back = True

    with pytest.raises(ActionFailed, match=r"serves as before. SageMaker says why: One or more alarms were in ALARM state"):
        whole.set_split(OTHER, {"v2": 1.0}, "run:1")
    assert whole.split(OTHER) == {"v1": 1.0, "v2": 0.0}


def test_while_configurations_change_nobody_knows_which_one_serves(aws, whole):
    aws.answer("UpdateEndpoint", {"EndpointName": "whole", "EndpointConfigName": "whole-2", "RetainDeploymentConfig": True})

    with pytest.raises(ActionFailed, match="Which version serves cannot be told now: the endpoint whole is Updating"):
        whole.split(OTHER)


def test_an_update_in_the_middle_of_which_the_bot_died_is_waited_for_and_not_made_again(aws, whole):
    aws.answer("UpdateEndpoint", {"EndpointName": "whole", "EndpointConfigName": "whole-2", "RetainDeploymentConfig": True})
    whole.set_split(OTHER, {"v2": 1.0}, "run:1")

    assert len(aws.called("UpdateEndpoint")) == 1
    assert whole.split(OTHER) == {"v1": 0.0, "v2": 1.0}


def test_a_configuration_that_was_deleted_is_asked_for_and_refused_before_anything_moves(aws, whole):
    del aws.configs["whole-2"]

    with pytest.raises(NotFound, match="Could not find endpoint configuration"):
        whole.set_split(OTHER, {"v2": 1.0}, "run:1")
    assert whole.split(OTHER) == {"v1": 1.0, "v2": 0.0}


def test_a_strangers_configuration_is_said(aws, whole):
    aws.has_endpoint("whole", "whole-9", {"all": 1})

    with pytest.raises(ActionFailed, match=r"has the configuration 'whole-9', which aiops.yaml names for no version"):
        whole.split(OTHER)


# counting


def test_only_whole_minutes_since_the_last_change_count(aws, platform):
    aws.invoke("late-arrivals", 500)
    platform.set_split(TARGET, {"v1": 0.5, "v2": 0.5}, "run:1")
    aws.invoke("late-arrivals", 70)  # in the minute of the change
    aws.sleep(60)
    aws.invoke("late-arrivals", 200)
    assert platform.requests(TARGET) == {"v1": 0, "v2": 0}  # CloudWatch is late

    aws.sleep(240)
    assert platform.requests(TARGET) == {"v1": 100, "v2": 100}


def test_the_count_goes_on_after_half_a_day_and_never_back(aws, platform):
    seen = []
    for _ in range(30):
        aws.invoke("late-arrivals", 10)
        aws.sleep(3_600)
        seen.append(platform.requests(TARGET)["v1"])

    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, 300)  # those of the minute in which it was last changed count once hours are counted whole


def test_cloudwatch_is_asked_once_for_many_looks(aws, platform):
    for _ in range(20):
        platform.requests(TARGET)
        aws.sleep(0.25)

    assert len(aws.called("GetMetricData")) == 1


def test_more_variants_than_a_page_holds_are_read_to_the_end(aws, platform):
    aws.page = 1
    aws.sleep(60)
    aws.endpoints["late-arrivals"]["variants"]["green"][:2] = [1, 1]
    aws.invoke("late-arrivals", 40)
    aws.sleep(240)

    assert platform.requests(TARGET) == {"v1": 20, "v2": 20}


def test_all_requests_of_a_configuration_are_its_versions(aws, whole):
    whole.set_split(OTHER, {"v2": 1.0}, "run:1")
    aws.sleep(60)
    aws.invoke("whole", 12)
    aws.sleep(240)

    assert whole.requests(OTHER) == {"v1": 0, "v2": 12}


DENIED = Refusal(
    "AccessDeniedException", "User: u is not authorized to perform: cloudwatch:GetMetricData because no policy allows it"
)


def test_what_cannot_be_counted_is_not_changed_but_put_back_all_the_same(aws, platform):
    aws.instead["GetMetricData"] = DENIED

    with pytest.raises(ActionFailed, match="its role lacks cloudwatch:GetMetricData"):
        platform.set_split(TARGET, {"v2": 1.0}, "run:1")
    assert aws.called("UpdateEndpointWeightsAndCapacities") == []

    platform.set_split(TARGET, {"v2": 1.0}, f"run:1{UNDO}")
    assert platform.split(TARGET) == {"v1": 0.0, "v2": 1.0}


def test_when_cloudwatch_falls_silent_what_it_said_stands_for_some_minutes(aws, platform):
    platform.requests(TARGET)
    aws.instead["GetMetricData"] = Refusal("ThrottlingException", "Rate exceeded")
    aws.sleep(60)
    assert platform.requests(TARGET) == {"v1": 0, "v2": 0}

    aws.sleep(400)
    with pytest.raises(ActionFailed, match="wants cloudwatch:GetMetricData to be called less often"):
        platform.requests(TARGET)


def test_a_step_of_a_playbook_waits_until_cloudwatch_has_counted_it(aws, platform):
    def sleep(_):
        aws.sleep(10)
        aws.invoke("late-arrivals", 100)

    action = SetTraffic("set_traffic", now=aws.now, sleep=sleep)
    change = action.plan(platform, TARGET, {"version": "v2", "share": 0.5}, step="half", before=None)
    action.apply(platform, change, "run:half")
    action.read_back(platform, change, "run:half")
    effect = action.measure(platform, change, "run:half")

    assert effect.measured["share"] == {"v1": 0.5, "v2": 0.5}


@pytest.mark.parametrize("waits", [1, 3], ids=["before the change", "while it changes"])
def test_an_abort_is_heard_while_it_settles_and_going_back_waits_until_it_takes_orders_again(aws, waits):
    def sleep(seconds):
        aws.sleep(seconds)
        slept.append(seconds)
        pause(0)

    def ear():
        if len(slept) == waits:
            raise Aborted("It was aborted.")

    slept, platform, action = [], connected(aws, sleep=sleep), SetTraffic("set_traffic")
    change = action.plan(platform, TARGET, {"version": "v2", "share": 0.5}, step="half", before=None)
    if waits == 1:
        aws.endpoints["late-arrivals"] |= {"status": "Updating", "ready": aws.seconds + 60, "wanted": ""}  # by somebody else
    with heard(ear), pytest.raises(Aborted):
        action.apply(platform, change, "run:half")
    assert len(slept) == waits

    assert action.undo(platform, change, f"run:half{UNDO}") == "Everything it had changed was put back and read back."
    assert platform.split(TARGET) == {"v1": 1.0, "v2": 0.0}
    assert aws.endpoints["late-arrivals"]["status"] == "InService"
    assert len(aws.called("UpdateEndpointWeightsAndCapacities")) == (0 if waits == 1 else 2)


@pytest.fixture
def rolled_back(aws):
    """Return a function that carries the shipped `rollback` out on the account, as the people of a room approve it."""

    def run():
        room, action = (
            Room(),
            SetTraffic("set_traffic", now=aws.now, sleep=lambda _: (aws.sleep(10), aws.invoke("late-arrivals", 100))),
        )
        serving = {"delays": {"endpoint": "late-arrivals", "variants": {"v2": "blue", "v1": "green"}}}
        room.lays(
            platforms={"edge": connected(aws, endpoints=serving)},
            actions={"set_traffic": action},
            playbooks={"rollback": shelf.read().playbooks["rollback"]},
            policies={"rollback": room.policy},
            expand=shelf.expand,
        )
        room.losing()
        proposal = propose(room.desk, 1, "rollback", {"to_version": "v1"}, by=room.person("ana"))
        approve(room.desk, proposal.id, by=room.person("bo"))
        return room.runs(proposal.id), room

    return run


def test_the_shipped_rollback_moves_an_endpoint_and_counts_each_step(aws, rolled_back):
    _, room = rolled_back()

    with room.store.read() as unit:
        [run] = unit.runs()
    assert [line.partition("\t")[2] for line in run.progress] == [
        "measured v2 75 % · v1 25 % over 600 requests",
        "measured v2 50 % · v1 50 % over 600 requests",
        "measured v1 100 % over 600 requests",
    ]
    # the fresh data of the room stay bad, so it goes back as it came
    assert len(aws.called("UpdateEndpointWeightsAndCapacities")) == 6


def test_a_rollback_that_nobody_could_count_changes_nothing_and_names_the_missing_right(aws, rolled_back):
    aws.instead["GetMetricData"] = DENIED
    run, _ = rolled_back()

    assert run["state"] == "compensated"
    assert "its role lacks cloudwatch:GetMetricData; add that to its IAM policy" in run["outcome"]
    assert aws.called("UpdateEndpointWeightsAndCapacities") == []


def test_the_doctor_hears_whether_it_could_be_changed_and_counted(aws, platform, whole):
    assert platform.ready(TARGET).startswith("the endpoint late-arrivals is InService, and CloudWatch counts its invocations")
    assert whole.ready(OTHER).startswith("the endpoint whole is InService")

    del aws.configs["whole-2"]
    with pytest.raises(NotFound, match="Could not find endpoint configuration"):
        whole.ready(OTHER)
