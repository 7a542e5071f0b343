"""SageMaker's connector on the wire: moto as far as it goes, and whatever else may answer.

moto says less than AWS: it changes endpoints and ends trainings at once, knows no `update_endpoint` and no `stop_training_job`, and
no error where a name is taken; `test_sagemaker` and `test_sagemaker_jobs` have those.
"""

import socket
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from bot.connectors.sagemaker import make
from bot.connectors.sagemaker.refusals import AwsSilent
from bot.core.actions import UNDO
from bot.core.errors import ActionFailed, ConfigError, OutcomeUnknown
from bot.core.jobs import Stage
from bot.demo.ports import free_port
from tests.contract import servers
from tests.contract.sagemaker_house import GIVEN, KEYS, OTHER, SECTION, TARGET, TRAINING, botocore
from tests.fakes.aws import REGION
from tests.fakes.loopback import serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def there():
    with botocore():
        yield


@pytest.fixture
def key():
    return f"run_playbook:{uuid4()}:train"


class Moto:
    """A moto server with an endpoint of two variants and a pipeline."""

    def __init__(self, stack, folder):
        self.url = f"http://127.0.0.1:{free_port()}"
        serve = [servers.command("moto", "moto_server"), "-H", "127.0.0.1", "-p", self.url.rpartition(":")[2]]
        log = folder / "moto.log"
        stack.enter_context(
            servers.running(serve, servers.environment("moto", {}), log, servers.answers(f"{self.url}/moto-api/data.json"), 60)
        )
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
def moto(there, tmp_path_factory):
    with ExitStack() as stack:
        yield Moto(stack, tmp_path_factory.mktemp("moto"))


def test_moto_weights_are_set_read_back_and_put_back(moto):
    assert moto.connector.split(TARGET) == {"v1": 1.0, "v2": 0.0}

    moto.connector.set_split(TARGET, {"v1": 0.9, "v2": 0.1}, "run:1")
    assert moto.connector.split(TARGET) == {"v1": 0.9, "v2": 0.1}

    moto.connector.set_split(TARGET, {"v1": 1.0}, f"run:1{UNDO}")
    assert moto.connector.split(TARGET) == {"v1": 1.0, "v2": 0.0}


def test_moto_invocations_are_counted_over_the_wire(moto):
    other = make({**SECTION, "url": moto.url, "cloudwatch_url": moto.url})
    minute = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=2)
    for variant, n in (("blue", 90.0), ("green", 10.0)):
        named = [{"Name": "EndpointName", "Value": "late-arrivals"}, {"Name": "VariantName", "Value": variant}]
        row = {"MetricName": "Invocations", "Dimensions": named, "Timestamp": minute, "Value": n, "Unit": "None"}
        moto.cloudwatch.put_metric_data(Namespace="AWS/SageMaker", MetricData=[row])

    assert other.requests(TARGET) == {"v1": 90, "v2": 10}


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


# what botocore makes of the world


def through(url, **more):
    return make({**SECTION, "url": url, "cloudwatch_url": url, "timeout": 0.5, **more})


def test_a_request_that_aws_would_not_take_is_refused_before_anybody_approves_it():
    jobs = {"retrain": {"training": {**TRAINING, "ResourceConfig": {"InstanceCount": "one"}}}}

    with pytest.raises(ConfigError, match=r"AWS would not take this for CreateTrainingJob: .*InstanceCount"):
        make({**SECTION, "jobs": jobs}).order("retrain", GIVEN)


def test_an_address_where_nobody_listens_means_that_nothing_was_sent(key):
    platform = through(f"http://127.0.0.1:{free_port()}")

    with pytest.raises(AwsSilent, match="could not be reached; nothing was sent"):
        platform.split(TARGET)
    assert platform.job("retrain", key).stage is Stage.UNKNOWN


def test_a_server_that_falls_silent_leaves_the_outcome_open_and_the_job_unknown(key):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        platform = through(f"http://127.0.0.1:{silent.getsockname()[1]}")

        assert platform.job("retrain", key).stage is Stage.UNKNOWN
        with pytest.raises(OutcomeUnknown, match=r"gave no whole answer to StopTrainingJob within 0.5 s"):
            platform._aws.write("sagemaker", "StopTrainingJob", {"TrainingJobName": "x"})


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
def test_whatever_answers_becomes_one_sentence(told, words):
    with serving(lambda *_: told) as url, pytest.raises(ActionFailed, match=words):
        through(url).split(TARGET)


def test_nobodys_credentials_are_said_with_the_way_out(monkeypatch):
    for name in KEYS:
        monkeypatch.delenv(name)

    with pytest.raises(ActionFailed, match="found no AWS credentials: give it a role"):
        make(SECTION).split(TARGET)
    with pytest.raises(ActionFailed, match="found no AWS credentials in the profile 'nobody'"):
        make({**SECTION, "profile": "nobody"}).split(TARGET)
