"""Training jobs and pipelines of SageMaker in memory, and the same under real botocore: started once, followed, stopped."""

from uuid import uuid4

import pytest

from bot.connectors.orders import short
from bot.core.errors import ActionFailed, ConfigError, NotFound, OutcomeUnknown
from bot.core.jobs import Stage
from tests.contract.sagemaker_house import GIVEN, TRAINING, connected
from tests.fakes.aws import ARN, Refusal

DENIED = Refusal("AccessDeniedException", "no")


@pytest.fixture
def platform(aws):
    return connected(aws)


@pytest.fixture
def key():
    return f"run_playbook:{uuid4()}:train"


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
