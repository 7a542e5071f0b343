"""SageMaker's connector where settings or answers are none, and what becomes of refusals. When well: tests/contract."""

import sys

import pytest

import bot.connectors
from bot.connectors.orders import short
from bot.connectors.sagemaker import Options, SageMaker, make, sagemaker
from bot.connectors.sagemaker.refusals import AwsHasty, AwsMissing, AwsSilent, refused
from bot.core.errors import ActionFailed, ConfigError, NotFound
from bot.core.jobs import Stage
from bot.core.ports import ConnectorKind
from bot.core.registry import discover
from bot.engine.outcomes import answer, outcome
from tests.fakes.aws import REGION, FakeAws

VARIANTS = {"endpoint": "churn", "variants": {"v1": "blue", "v2": "green"}}
WELL = {"region": REGION, "endpoints": {"churn": VARIANTS}, "jobs": {"retrain": {"pipeline": "churn"}}}


def test_it_is_found_by_its_name():
    assert discover(bot.connectors, ConnectorKind)["sagemaker"] is sagemaker


def test_without_botocore_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "botocore", None)
    monkeypatch.delitem(sys.modules, "bot.connectors.sagemaker.api", raising=False)

    with pytest.raises(ConfigError, match=r"needs botocore, which is not installed; run: pip install 'aiops-bot\[sagemaker\]'"):
        make(WELL)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"region": "Frankfurt"}, "region"),
        ({"secret_key": "x"}, "secret_key"),
        ({"url": "ftp://here"}, "url"),
        ({"url": "https://me:word@here"}, "url"),
        ({"endpoints": {"churn": {"endpoint": "churn"}}}, "variants"),
        ({"endpoints": {"churn": {**VARIANTS, "configs": {"v1": "a"}}}}, "variants"),
        ({"endpoints": {"churn": {**VARIANTS, "variants": {}}}}, "variants"),
        ({"endpoints": {"churn": {**VARIANTS, "variants": {"v1": "a", "v2": "a"}}}}, "another one for each version"),
        ({"endpoints": {"churn": {**VARIANTS, "endpoint": "a b"}}}, "endpoint"),
        ({"endpoints": {"churn": "churn"}}, "churn"),
        ({"endpoints": {"churn": VARIANTS, "b": {"endpoint": "b", "configs": {"v1": "c"}}}}, "make two platforms of them"),
        ({"jobs": {"retrain": {}}}, "`training` or `pipeline`, and not both"),
        ({"jobs": {"retrain": {"pipeline": "a", "training": {"RoleArn": "r"}}}}, "`training` or `pipeline`, and not both"),
        ({"jobs": {"retrain": {"training": {"TrainingJobName": "mine"}}}}, "must not give TrainingJobName"),
        ({"jobs": {"retrain": {"training": {"RoleArn": "r"}, "parameters": {"a": "b"}}}}, "`parameters` with `pipeline` only"),
        ({"settle": 0.0}, "settle"),
    ],
    ids=[
        "region",
        "secret",
        "scheme",
        "password in the URL",
        "no versions",
        "both ways",
        "none",
        "one variant twice",
        "endpoint's name",
        "no place",
        "both ways in one",
        "no job",
        "both jobs",
        "own name",
        "parameters",
        "no patience",
    ],
)
def test_a_section_that_cannot_work_is_refused_with_what_is_wrong(wrong, words):
    with pytest.raises(ConfigError) as said:
        make({**WELL, **wrong})

    assert words in str(said.value)
    assert "word@" not in str(said.value)


@pytest.mark.parametrize(
    ("code", "message", "kind", "words"),
    [
        (
            "AccessDeniedException",
            "User: u is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/t",
            0,
            "iam:PassRole on role/t",
        ),
        ("AccessDenied", "", 0, "its role lacks sagemaker:X; add that to its IAM policy"),
        ("ExpiredTokenException", "", 0, "does not accept the bot's credentials (ExpiredTokenException); renew them"),
        ("ThrottlingException", "Rate exceeded", AwsHasty, "wants sagemaker:X to be called less often"),
        ("ValidationException", 'Could not find endpoint "arn".', AwsMissing, "AWS has no such thing: Could not find endpoint"),
        ("ResourceNotFound", "", AwsMissing, "AWS has no such thing: ResourceNotFound"),
        ("ValidationException", "1 validation\n error", 0, "AWS refused sagemaker:X (ValidationException): 1 validation error."),
        ("ResourceLimitExceeded", "x" * 900, 0, "x" * 200 + "."),
    ],
    ids=["another action", "no action told", "expired", "throttled", "no endpoint", "no resource", "wrong", "long"],
)
def test_a_refusal_is_one_sentence_with_what_has_to_be_mended(code, message, kind, words):
    error = refused(code, message, "sagemaker:X")

    assert words in str(error)
    assert len(str(error)) < 300
    assert "\n" not in str(error)
    assert error.code == code
    assert isinstance(error, kind or ActionFailed)


def test_haste_may_be_asked_again_and_a_missing_thing_is_not_found():
    assert issubclass(AwsHasty, AwsSilent)
    assert issubclass(AwsMissing, NotFound)


@pytest.mark.parametrize("code", ["AccessDenied", "ThrottlingException", "ResourceNotFound"])
def test_a_refusal_outlives_a_restart_as_what_it_was(code):
    error = refused(code, "", "sagemaker:X")

    def refuse():
        raise error

    with pytest.raises(type(error)) as again:
        answer(outcome("ramp/apply", refuse))
    assert str(again.value) == str(error)


class Says(FakeAws):
    """Answers whatever it is told to."""

    def __init__(self, **answers):
        super().__init__()
        self.answers = answers

    def answer(self, operation, asked):
        return self.answers[operation]


def platform(**answers):
    return SageMaker(Options.model_validate(WELL), Says(**answers))


WELL_TOLD = {
    "EndpointName": "churn",
    "EndpointStatus": "InService",
    "LastModifiedTime": FakeAws().today(),
    "ProductionVariants": [
        {"VariantName": "blue", "CurrentWeight": 1.0, "DesiredWeight": 1.0},
        {"VariantName": "green"},
    ],
}


def test_a_weight_that_is_not_told_beside_others_is_none_of_the_traffic():
    assert platform(DescribeEndpoint=WELL_TOLD).split("churn") == {"v1": 1.0, "v2": 0.0}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"EndpointStatus": None}, "`EndpointStatus`"),
        ({"LastModifiedTime": "yesterday"}, "`LastModifiedTime`"),
        ({"ProductionVariants": [{"VariantName": "blue", "CurrentWeight": -1.0}]}, "`ProductionVariants.0.CurrentWeight`"),
        ({"ProductionVariants": [{"VariantName": "blue", "CurrentWeight": float("nan")}]}, "`ProductionVariants.0.CurrentWeight`"),
        ({"ProductionVariants": [{"VariantName": "blue"}]}, "have no weights"),
        ({"ProductionVariants": []}, "have no weights"),
        ({"EndpointStatus": "Dancing"}, "is Dancing"),
    ],
    ids=["no status", "no time", "negative", "NaN", "inference components", "no variants", "unknown status"],
)
def test_an_answer_that_is_none_is_never_taken_for_a_split(wrong, words):
    with pytest.raises(ActionFailed) as said:
        platform(DescribeEndpoint={**WELL_TOLD, **wrong}).split("churn")

    assert words in str(said.value)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, "`MetricDataResults`"),
        ({"MetricDataResults": [{"Id": "v0", "Values": [-1.0]}]}, "`MetricDataResults.0.Values.0`"),
        ({"MetricDataResults": [{"Id": "v0", "Values": [1.0], "StatusCode": "Forbidden"}]}, "could not count all"),
        ({"MetricDataResults": [], "NextToken": "again"}, "more than 50 pages"),
    ],
    ids=["nothing", "negative", "forbidden", "endless"],
)
def test_a_count_that_is_none_is_never_taken_for_one(told, words):
    with pytest.raises(ActionFailed) as said:
        platform(DescribeEndpoint=WELL_TOLD, GetMetricData=told).requests("churn")

    assert words in str(said.value)


def test_what_others_were_asked_of_counts_for_no_version():
    seen = {**WELL_TOLD, "ProductionVariants": [*WELL_TOLD["ProductionVariants"], {"VariantName": "shadow", "CurrentWeight": 0.0}]}
    rows = [{"Id": "v0", "Values": [2.0, 3.0]}, {"Id": "v2", "Values": [9.0]}, {"Id": "v9", "Values": [9.0]}]
    told = platform(DescribeEndpoint=seen, GetMetricData={"MetricDataResults": rows})

    assert told.requests("churn") == {"v1": 5, "v2": 0}


def test_an_endpoint_without_variants_has_nothing_to_be_counted():
    with pytest.raises(ActionFailed, match="no variants, so nothing counts its requests"):
        platform(DescribeEndpoint={**WELL_TOLD, "ProductionVariants": []}).requests("churn")


def test_an_endpoint_that_is_just_changing_is_not_ready():
    with pytest.raises(ActionFailed, match="A change would have to wait: the endpoint churn is Updating"):
        platform(DescribeEndpoint={**WELL_TOLD, "EndpointStatus": "Updating"}).ready("churn")


def test_a_state_of_a_job_that_nobody_knows_is_no_success():
    rows = {"PipelineExecutionSummaries": [{"PipelineExecutionArn": "arn", "PipelineExecutionDisplayName": short("key")}]}
    told = platform(ListPipelineExecutions=rows, DescribePipelineExecution={"PipelineExecutionStatus": "Dreaming"})

    with pytest.raises(ActionFailed, match="a pipeline execution that is 'Dreaming', a state that this bot does not know"):
        told.job("retrain", "key")


def test_a_list_of_executions_without_end_is_given_up():
    told = platform(ListPipelineExecutions={"PipelineExecutionSummaries": [], "NextToken": "again"})

    assert told.job("retrain", "key").stage is Stage.ABSENT
