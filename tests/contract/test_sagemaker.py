"""One suite for SageMaker in memory, the same under real botocore, and moto: traffic set and counted, jobs started once.

Under botocore every request, answer and error is held to the shapes of AWS's own model. moto says less than AWS: it changes
endpoints and ends trainings at once, knows no `update_endpoint` and no `stop_training_job`, and no error where a name is taken.
"""

import socket
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from bot.actions.set_traffic import SetTraffic
from bot.connectors.orders import short
from bot.connectors.sagemaker import Options, SageMaker, make
from bot.connectors.sagemaker.refusals import Silent
from bot.core.actions import UNDO
from bot.core.errors import ActionFailed, ConfigError, NotFound, OutcomeUnknown
from bot.core.jobs import Stage
from tests.contract import servers
from tests.fakes.aws import ARN, REGION, FakeAws, Refusal
from tests.fakes.loopback import serving

TARGET, OTHER = "late arrivals", "blue green"
TRAINING = {
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::123456789012:role/training",
    "OutputDataConfig": {"S3OutputPath": "s3://models/{model}"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    "HyperParameters": {"until": "{until}"},
}
SECTION = {
    "region": REGION,
    "endpoints": {
        TARGET: {"endpoint": "late-arrivals", "variants": {"v1": "blue", "v2": "green"}},
        OTHER: {"endpoint": "whole", "configs": {"v1": "whole-1", "v2": "whole-2"}},
    },
    "jobs": {
        "retrain": {"training": TRAINING},
        "pipeline": {"pipeline": "churn", "parameters": {"Until": "{until}"}},
        "nowhere": {"pipeline": "nowhere"},
    },
}
GIVEN = {"until": "2026-01-01", "model": "late arrivals"}
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


@pytest.fixture(scope="module")
def keys():
    with pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        patch.setenv("AWS_CONFIG_FILE", "/dev/null")
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(params=["fake", pytest.param("botocore", marks=pytest.mark.slow)])
def aws(request):
    """SageMaker in memory: two variants, two configurations, a pipeline."""
    fake = FakeAws()
    fake.has_config("whole-2", {"all": 1})
    fake.has_endpoint("whole", "whole-1", {"all": 1})
    fake.has_endpoint("late-arrivals", "late-arrivals-1", {"blue": 1, "green": 0})
    fake.pipelines.add("churn")
    fake.calls_to = fake
    if request.param == "botocore":
        request.getfixturevalue("keys")
        with servers.borrowed("moto"):
            from bot.connectors.sagemaker.api import Aws  # noqa: PLC0415 - needs what lies in moto's environment

            fake.calls_to = Aws(REGION)
            for service in ("sagemaker", "cloudwatch"):
                fake.plays(fake.calls_to.client(service))
            yield fake
            fake.calls_to.close()
    else:
        yield fake


@pytest.fixture
def platform(aws):
    return connected(aws)


def connected(aws, **more):
    options = Options.model_validate({**SECTION, **more})
    return SageMaker(options, aws.calls_to, now=aws.now, sleep=aws.sleep, today=aws.today)


@pytest.fixture
def key():
    return f"run_playbook:{uuid4()}:train"


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


def test_a_version_that_is_a_configuration_gets_everything_by_an_update_of_the_endpoint(aws, platform):
    platform.set_split(OTHER, {"v2": 1.0}, "run:1")

    assert platform.split(OTHER) == {"v1": 0.0, "v2": 1.0}
    assert aws.called("UpdateEndpoint") == [
        {"EndpointName": "whole", "EndpointConfigName": "whole-2", "RetainDeploymentConfig": True}
    ]


def test_a_configuration_cannot_have_a_part_of_the_traffic(platform):
    with pytest.raises(ActionFailed, match="whole configurations, so one of them gets all of the traffic or none"):
        platform.set_split(OTHER, {"v1": 0.5, "v2": 0.5}, "run:1")


def test_an_update_that_alarms_have_rolled_back_is_a_failure_with_the_reason(aws, platform):
    aws.rolls_back = True

    with pytest.raises(ActionFailed, match=r"serves as before. SageMaker says why: One or more alarms were in ALARM state"):
        platform.set_split(OTHER, {"v2": 1.0}, "run:1")
    assert platform.split(OTHER) == {"v1": 1.0, "v2": 0.0}


def test_while_configurations_change_nobody_knows_which_one_serves(aws, platform):
    aws.answer("UpdateEndpoint", {"EndpointName": "whole", "EndpointConfigName": "whole-2", "RetainDeploymentConfig": True})

    with pytest.raises(ActionFailed, match="Which version serves cannot be told now: the endpoint whole is Updating"):
        platform.split(OTHER)


def test_a_configuration_that_was_deleted_is_asked_for_and_refused_before_anything_moves(aws, platform):
    del aws.configs["whole-2"]

    with pytest.raises(NotFound, match="Could not find endpoint configuration"):
        platform.set_split(OTHER, {"v2": 1.0}, "run:1")
    assert platform.split(OTHER) == {"v1": 1.0, "v2": 0.0}


def test_a_strangers_configuration_is_said(aws, platform):
    aws.has_endpoint("whole", "whole-9", {"all": 1})

    with pytest.raises(ActionFailed, match=r"has the configuration 'whole-9', which aiops.yaml names for no version"):
        platform.split(OTHER)


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


def test_all_requests_of_a_configuration_are_its_versions(aws, platform):
    platform.set_split(OTHER, {"v2": 1.0}, "run:1")
    aws.sleep(60)
    aws.invoke("whole", 12)
    aws.sleep(240)

    assert platform.requests(OTHER) == {"v1": 0, "v2": 12}


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


def test_the_doctor_hears_whether_it_could_be_changed_and_counted(aws, platform):
    assert platform.ready(TARGET).startswith("the endpoint late-arrivals is InService, and CloudWatch counts its invocations")
    assert platform.ready(OTHER).startswith("the endpoint whole is InService")

    del aws.configs["whole-2"]
    with pytest.raises(NotFound, match="Could not find endpoint configuration"):
        platform.ready(OTHER)


# jobs


def test_the_order_says_what_would_be_started(platform):
    assert platform.order("retrain", GIVEN) == "retrain: a SageMaker training job with model late arrivals, until 2026-01-01"
    assert platform.order("pipeline", GIVEN) == "pipeline: pipeline churn with until 2026-01-01"


def test_a_parameter_that_is_missing_and_a_job_that_is_not_there_are_said(platform):
    with pytest.raises(ConfigError, match="needs 'until'"):
        platform.order("retrain", {"model": "churn"})
    with pytest.raises(NotFound, match="'other'"):
        platform.order("other", {})


def test_a_training_is_started_once_a_key_with_its_parameters(aws, platform, key):
    platform.start("retrain", GIVEN, key)
    connected(aws).start("retrain", GIVEN, key)

    assert aws.called("CreateTrainingJob") == [
        {
            **TRAINING,
            "OutputDataConfig": {"S3OutputPath": "s3://models/late arrivals"},
            "HyperParameters": {"until": "2026-01-01"},
            "TrainingJobName": short(key),
        }
    ]


def test_a_name_that_is_taken_means_that_it_was_started(aws, platform, key):
    platform.start("retrain", GIVEN, key)
    aws.blind_once = True
    platform.start("retrain", GIVEN, key)

    assert (len(aws.called("CreateTrainingJob")), len(aws.trainings)) == (2, 1)


def test_a_training_is_followed_to_its_end(aws, platform, key):
    assert platform.job("retrain", key).stage is Stage.ABSENT
    platform.start("retrain", GIVEN, key)
    assert (platform.job("retrain", key).stage, platform.job("retrain", key).words) == (Stage.RUNNING, "Training")

    aws.ends(short(key), "Completed")
    job = platform.job("retrain", key)

    assert (job.stage, job.words) == (Stage.SUCCEEDED, "trained; the model lies in s3://models/churn/model.tar.gz")
    assert job.result == {"model": "s3://models/churn/model.tar.gz", "auc": 0.8125, "billed_s": 61}


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ({"status": "Failed", "reason": "AlgorithmError: no data"}, "AlgorithmError: no data"),
        ({"status": "Stopped", "detail": "MaxRuntimeExceeded"}, "it is Stopped (MaxRuntimeExceeded)"),
    ],
    ids=["failed", "stopped"],
)
def test_a_training_that_came_to_nothing_says_why(aws, platform, key, end, words):
    platform.start("retrain", GIVEN, key)
    aws.ends(short(key), **end)

    assert (platform.job("retrain", key).stage, platform.job("retrain", key).words) == (Stage.FAILED, words)


def test_a_training_is_stopped_while_it_runs_and_left_when_it_has_ended(aws, platform, key):
    platform.cancel("retrain", key)  # never started
    platform.start("retrain", GIVEN, key)
    platform.cancel("retrain", key)
    assert aws.trainings[short(key)]["status"] == "Stopping"

    aws.ends(short(key), "Stopped")
    platform.cancel("retrain", key)
    assert len(aws.called("StopTrainingJob")) == 1


def test_a_training_that_ends_while_it_is_told_to_stop_is_no_error(aws, platform, key):
    platform.start("retrain", GIVEN, key)

    def too_late(**_):
        aws.ends(short(key), "Completed")
        raise Refusal("ValidationException", "The request was rejected because the training job is in status Completed.")

    aws._StopTrainingJob = too_late
    platform.cancel("retrain", key)

    assert platform.job("retrain", key).stage is Stage.SUCCEEDED


def test_a_stop_that_is_refused_while_it_runs_is_said(aws, platform, key):
    platform.start("retrain", GIVEN, key)
    aws.instead["StopTrainingJob"] = Refusal(
        "AccessDeniedException",
        "User: u is not authorized to perform: sagemaker:StopTrainingJob on resource: " + ARN + ":training-job/x",
    )

    with pytest.raises(
        ActionFailed, match="its role lacks sagemaker:StopTrainingJob on training-job/x; add that to its IAM policy"
    ):
        platform.cancel("retrain", key)


def test_a_pipeline_is_started_once_a_key_and_found_by_whoever_did_not_start_it(aws, platform, key):
    platform.start("pipeline", GIVEN, key)
    for _ in range(3):
        platform.start("pipeline", GIVEN, f"{key}:other{_}")
    aws.page = 2
    other = connected(aws)
    other.start("pipeline", GIVEN, key)

    assert [asked["PipelineParameters"] for asked in aws.called("StartPipelineExecution")] == [[UNTIL]] * 4
    assert other.job("pipeline", key).stage is Stage.RUNNING
    assert other.job("pipeline", f"{key}:never").stage is Stage.ABSENT


UNTIL = {"Name": "Until", "Value": "2026-01-01"}


def test_a_pipeline_that_succeeds_says_so_and_one_that_fails_names_the_step(aws, platform, key):
    platform.start("pipeline", GIVEN, key)
    arn = next(iter(aws.executions))
    aws.ends(arn, "Succeeded")
    assert (platform.job("pipeline", key).stage, platform.job("pipeline", key).result) == (Stage.SUCCEEDED, {"execution": arn})

    steps = [
        {"StepName": "Read", "StepStatus": "Succeeded"},
        {"StepName": "Train", "StepStatus": "Failed", "FailureReason": "ClientError: no such image"},
    ]
    aws.ends(arn, "Failed", reason="Step failure: One or multiple steps failed.", steps=steps)
    assert platform.job("pipeline", key).words == "step Train: ClientError: no such image"

    aws.instead["ListPipelineExecutionSteps"] = DENIED
    assert platform.job("pipeline", key).words == "Step failure: One or multiple steps failed."


def test_a_pipeline_is_stopped_by_another_life_of_the_bot(aws, platform, key):
    platform.start("pipeline", GIVEN, key)
    connected(aws).cancel("pipeline", key)

    assert [one["status"] for one in aws.executions.values()] == ["Stopping"]


def test_a_pipeline_that_is_not_there_is_named(platform, key):
    with pytest.raises(NotFound, match="pipeline/nowhere' does not exist"):
        platform.start("nowhere", {}, key)


def test_a_start_whose_answer_was_lost_is_found_by_reading_back(aws, platform, key):
    aws.cut |= {"CreateTrainingJob", "StartPipelineExecution"}
    for job in ("retrain", "pipeline"):
        with pytest.raises(OutcomeUnknown):
            platform.start(job, GIVEN, key)
        assert platform.job(job, key).stage is Stage.RUNNING


@pytest.mark.parametrize("job", ["retrain", "pipeline"])
def test_a_job_that_cannot_be_asked_now_is_unknown_and_not_absent(aws, platform, key, job):
    platform.start(job, GIVEN, key)
    aws.instead |= dict.fromkeys(["DescribeTrainingJob", "DescribePipelineExecution"], Refusal("InternalFailure", "", 500))

    assert platform.job(job, key).stage is Stage.UNKNOWN


def test_a_start_that_aws_refuses_says_what_is_missing(aws, platform, key):
    aws.instead["CreateTrainingJob"] = Refusal(
        "AccessDeniedException",
        "User: u is not authorized to perform: iam:PassRole on resource: arn:aws:iam::123456789012:role/training because …",
    )

    with pytest.raises(ActionFailed, match="its role lacks iam:PassRole on role/training"):
        platform.start("retrain", GIVEN, key)


def test_the_doctor_hears_that_jobs_can_be_asked_about_and_nothing_is_started(aws, platform):
    with pytest.raises(NotFound, match="pipeline/nowhere' does not exist"):
        platform.startable()

    aws.pipelines.add("nowhere")
    assert platform.startable().startswith("AWS answers about retrain, pipeline, nowhere; whether the bot may start")
    assert (aws.trainings, aws.executions) == ({}, {})

    with pytest.raises(ConfigError, match="has no `jobs`"):
        connected(aws, jobs={}).startable()


# moto: what the wire is like


class Moto:
    """A moto server with an endpoint of two variants and a pipeline."""

    def __init__(self, stack, folder):
        self.url = f"http://127.0.0.1:{servers.free_port()}"
        serve = [servers.command("moto", "moto_server"), "-H", "127.0.0.1", "-p", self.url.rpartition(":")[2]]
        log = folder / "moto.log"
        stack.enter_context(
            servers.running(serve, servers.environment("moto", {}), log, servers.answers(f"{self.url}/moto-api/data.json"), 60)
        )
        stack.enter_context(servers.borrowed("moto"))
        from botocore.session import Session  # noqa: PLC0415

        self.sagemaker, self.cloudwatch = (
            Session().create_client(name, region_name=REGION, endpoint_url=self.url) for name in ("sagemaker", "cloudwatch")
        )
        role = TRAINING["RoleArn"]
        self.sagemaker.create_model(ModelName="churn", ExecutionRoleArn=role, PrimaryContainer={"Image": "image"})
        variants = [
            {
                "VariantName": name,
                "ModelName": "churn",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
                "InitialVariantWeight": w,
            }
            for name, w in (("blue", 1.0), ("green", 0.0))
        ]
        self.sagemaker.create_endpoint_config(EndpointConfigName="churn-1", ProductionVariants=variants)
        self.sagemaker.create_endpoint(EndpointName="late-arrivals", EndpointConfigName="churn-1")
        definition = '{"Version": "2020-12-01", "Steps": []}'
        self.sagemaker.create_pipeline(
            PipelineName="churn", PipelineDefinition=definition, ClientRequestToken="x" * 32, RoleArn=role
        )
        self.connector = make({**SECTION, "url": self.url, "cloudwatch_url": self.url})
        stack.callback(self.connector.close)


@pytest.fixture(scope="module")
def moto(keys, tmp_path_factory):
    with ExitStack() as stack:
        yield Moto(stack, tmp_path_factory.mktemp("moto"))


@pytest.mark.slow
def test_moto_weights_are_set_read_back_and_put_back(moto):
    assert moto.connector.split(TARGET) == {"v1": 1.0, "v2": 0.0}

    moto.connector.set_split(TARGET, {"v1": 0.9, "v2": 0.1}, "run:1")
    assert moto.connector.split(TARGET) == {"v1": 0.9, "v2": 0.1}

    moto.connector.set_split(TARGET, {"v1": 1.0}, f"run:1{UNDO}")
    assert moto.connector.split(TARGET) == {"v1": 1.0, "v2": 0.0}


@pytest.mark.slow
def test_moto_invocations_are_counted_over_the_wire(moto):
    other = make({**SECTION, "url": moto.url, "cloudwatch_url": moto.url})
    minute = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=2)
    for variant, n in (("blue", 90.0), ("green", 10.0)):
        named = [{"Name": "EndpointName", "Value": "late-arrivals"}, {"Name": "VariantName", "Value": variant}]
        row = {"MetricName": "Invocations", "Dimensions": named, "Timestamp": minute, "Value": n, "Unit": "None"}
        moto.cloudwatch.put_metric_data(Namespace="AWS/SageMaker", MetricData=[row])

    assert other.requests(TARGET) == {"v1": 90, "v2": 10}


@pytest.mark.slow
@pytest.mark.parametrize("job", ["retrain", "pipeline"])
def test_moto_takes_a_second_start_and_is_asked_for_none(moto, key, job):
    assert moto.connector.job(job, key).stage is Stage.ABSENT
    before = started(moto)

    for connector in (moto.connector, make({**SECTION, "url": moto.url, "cloudwatch_url": moto.url})):
        connector.start(job, GIVEN, key)

    assert started(moto) == before + 1
    assert moto.connector.job(job, key).stage is Stage.SUCCEEDED


def started(moto):
    trainings = moto.sagemaker.list_training_jobs()["TrainingJobSummaries"]
    return len(trainings) + len(moto.sagemaker.list_pipeline_executions(PipelineName="churn")["PipelineExecutionSummaries"])


@pytest.mark.slow
def test_moto_has_no_update_of_an_endpoint_and_the_answer_is_a_sentence(moto):
    moto.sagemaker.create_endpoint_config(
        EndpointConfigName="whole-2",
        ProductionVariants=[{"VariantName": "all", "ModelName": "churn", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}],
    )
    place = {"endpoint": "late-arrivals", "configs": {"v1": "churn-1", "v2": "whole-2"}}
    endpoints = {OTHER: place}
    whole = make({**SECTION, "endpoints": endpoints, "url": moto.url, "cloudwatch_url": moto.url, "settle": 1.0})
    assert whole.split(OTHER) == {"v1": 1.0, "v2": 0.0}

    with pytest.raises(ActionFailed, match="late-arrivals has not taken the change"):
        whole.set_split(OTHER, {"v2": 1.0}, "run:1")


# botocore: what it makes of the world


@pytest.fixture
def botocore(keys):
    with servers.borrowed("moto"):
        yield


def through(url, **more):
    return make({**SECTION, "url": url, "cloudwatch_url": url, "timeout": 0.5, **more})


@pytest.mark.slow
def test_a_request_that_aws_would_not_take_is_refused_before_anybody_approves_it(botocore):
    jobs = {"retrain": {"training": {**TRAINING, "ResourceConfig": {"InstanceCount": "one"}}}}

    with pytest.raises(ConfigError, match=r"AWS would not take this for CreateTrainingJob: .*InstanceCount"):
        make({**SECTION, "jobs": jobs}).order("retrain", GIVEN)


@pytest.mark.slow
def test_an_address_where_nobody_listens_means_that_nothing_was_sent(botocore, key):
    platform = through(f"http://127.0.0.1:{servers.free_port()}")

    with pytest.raises(Silent, match="could not be reached; nothing was sent"):
        platform.split(TARGET)
    assert platform.job("retrain", key).stage is Stage.UNKNOWN


@pytest.mark.slow
def test_a_server_that_falls_silent_leaves_the_outcome_open_and_the_job_unknown(botocore, key):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        platform = through(f"http://127.0.0.1:{silent.getsockname()[1]}")

        assert platform.job("retrain", key).stage is Stage.UNKNOWN
        with pytest.raises(OutcomeUnknown, match=r"gave no whole answer to StopTrainingJob within 0.5 s"):
            platform._aws.write("sagemaker", "StopTrainingJob", {"TrainingJobName": "x"})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("told", "words"),
    [
        ((403, {"__type": "AccessDeniedException", "Message": "no"}), "its role lacks sagemaker:DescribeEndpoint; add that"),
        (
            (400, {"__type": "ExpiredTokenException", "message": "x"}),
            r"does not accept the bot's credentials \(ExpiredTokenException\)",
        ),
        ((500, {"__type": "InternalFailure"}), "answered 500 to DescribeEndpoint"),
        ((200, {}), "does not tell `EndpointName` as SageMaker does"),
        ((200, b"<html>"), "gave no whole answer|does not tell"),
        ((302, {}, {"location": "http://127.0.0.1:1/"}), "AWS refused|gave no whole answer"),
    ],
    ids=["denied", "expired", "broken", "stranger", "no json", "redirect"],
)
def test_whatever_answers_becomes_one_sentence(botocore, told, words):
    with serving(lambda *_: told) as url, pytest.raises(ActionFailed, match=words):
        through(url).split(TARGET)


@pytest.mark.slow
def test_nobodys_credentials_are_said_with_the_way_out(botocore, monkeypatch):
    for name in KEYS:
        monkeypatch.delenv(name)

    with pytest.raises(ActionFailed, match="found no AWS credentials: give it a role"):
        make(SECTION).split(TARGET)
    with pytest.raises(ActionFailed, match="found no AWS credentials in the profile 'nobody'"):
        make({**SECTION, "profile": "nobody"}).split(TARGET)
