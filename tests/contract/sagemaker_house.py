"""SageMaker for the suites: one section of configuration, and an account in memory, by itself or under real botocore."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

import pytest

from bot.connectors.sagemaker import Options, SageMaker
from tests.contract import servers
from tests.fakes.aws import REGION, FakeAws

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
    "endpoints": {TARGET: {"endpoint": "late-arrivals", "variants": {"v1": "blue", "v2": "green"}}},
    "jobs": {
        "retrain": {"training": TRAINING},
        "pipeline": {"pipeline": "churn", "parameters": {"Until": "{until}"}},
        "nowhere": {"pipeline": "nowhere"},
    },
}
GIVEN = {"until": "2026-01-01", "model": "late arrivals"}
WHOLE = {"endpoints": {OTHER: {"endpoint": "whole", "configs": {"v1": "whole-1", "v2": "whole-2"}}}}
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def connected(aws, *, sleep=None, **more):
    options = Options.model_validate({**SECTION, **more})
    return SageMaker(options, aws.calls_to, now=aws.now, sleep=sleep or aws.sleep, today=aws.today)


def in_memory():
    """Two variants at one endpoint, two configurations of another, a pipeline."""
    fake = FakeAws()
    fake.has_config("whole-2", {"all": 1})
    fake.has_endpoint("whole", "whole-1", {"all": 1})
    fake.has_endpoint("late-arrivals", "late-arrivals-1", {"blue": 1, "green": 0})
    fake.pipelines.add("churn")
    fake.calls_to = fake
    return fake


@contextmanager
def botocore() -> Iterator[None]:
    """Let botocore be there, with keys that nobody knows, and nothing else that it could ask for some."""
    alone = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true"}
    with servers.borrowed("moto"), pytest.MonkeyPatch.context() as patch:
        for name, value in {**dict.fromkeys(KEYS, "testing"), **alone}.items():
            patch.setenv(name, value)
        yield


@contextmanager
def under_botocore() -> Iterator[FakeAws]:
    """The account in memory, asked through real clients."""
    with botocore(), ExitStack() as stack:
        fake = in_memory()
        fake.calls_to = _clients()
        for service in ("sagemaker", "cloudwatch"):
            stack.enter_context(fake.plays(fake.calls_to.client(service)))
        yield fake


@cache
def _clients():
    """Real clients, made once: it takes botocore a second to read AWS's model."""
    from bot.connectors.sagemaker.api import Aws  # noqa: PLC0415 - needs what lies in moto's environment

    return Aws(REGION)
