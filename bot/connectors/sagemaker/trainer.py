"""Training jobs and pipelines as jobs: a start is named after its key, so it is there once, and is found by that name ever after.

A training job's name is unique for ever: a second one is refused (ResourceInUse), which is success. A pipeline's execution has no
name of ours in its id, so it carries one to be shown, and the same word as the token by which SageMaker starts it once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Self

from pydantic import Field, model_validator

from bot.connectors.orders import complete, filled, holes, in_words, known, short
from bot.connectors.sagemaker.calls import SAGEMAKER, Calls, Told, told
from bot.connectors.sagemaker.refusals import AwsMissing, AwsRefused, AwsSilent
from bot.core.actions import Json
from bot.core.errors import ActionFailed, ConfigError
from bot.core.jobs import Job, Stage
from bot.validation import Part

TRAININGS = {
    "InProgress": Stage.RUNNING,
    "Stopping": Stage.RUNNING,
    "Completed": Stage.SUCCEEDED,
    "Failed": Stage.FAILED,
    "Stopped": Stage.FAILED,
    "Deleting": Stage.FAILED,
}
PIPELINES = {
    "Executing": Stage.RUNNING,
    "Stopping": Stage.RUNNING,
    "Succeeded": Stage.SUCCEEDED,
    "Failed": Stage.FAILED,
    "Stopped": Stage.FAILED,
}
THERE = "ResourceInUse"
PAGES = 3
"""Of a hundred executions each, newest first: what is followed was started lately."""
OURS = "TrainingJobName"


class Order(Part):
    """One job: a training job's request as AWS has it, or a pipeline and its parameters; texts may have holes."""

    training: dict[str, Any] = Field({})
    pipeline: str = Field("", pattern=r"^([a-zA-Z0-9](-*[a-zA-Z0-9]){0,255})?$")
    parameters: dict[str, str] = Field({})

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.training) == bool(self.pipeline):
            raise ValueError("must have `training` or `pipeline`, and not both")
        if OURS in self.training:
            raise ValueError(f"must not give {OURS}: the bot names each start after its key")
        if self.training and self.parameters:
            raise ValueError("takes `parameters` with `pipeline` only; a training has HyperParameters")
        return self

    @property
    def holes(self) -> set[str]:
        """The playbook's parameters that it asks for."""
        return holes(*_texts(self.training), *self.parameters.values())

    def request(self, parameters: Json, name: str) -> tuple[str, Json]:
        """Return the call that starts it under this name."""
        if self.training:
            return "CreateTrainingJob", {**_deep(self.training, parameters), OURS: name}
        given = [{"Name": each, "Value": filled(text, parameters)} for each, text in self.parameters.items()]
        more = {"PipelineParameters": given} if given else {}
        named = {"PipelineExecutionDisplayName": name, "ClientRequestToken": name}
        return "StartPipelineExecution", {"PipelineName": self.pipeline, **named, **more}


class Metric(Told):
    """The last value of something that a training measured."""

    name: str = Field("", alias="MetricName")
    value: float = Field(0.0, alias="Value", allow_inf_nan=False)


class Artifacts(Told):
    """Where the model lies."""

    path: str = Field("", alias="S3ModelArtifacts")


class Training(Told):
    """What DescribeTrainingJob tells."""

    status: str = Field(alias="TrainingJobStatus")
    detail: str = Field("", alias="SecondaryStatus")
    reason: str = Field("", alias="FailureReason")
    artifacts: Artifacts = Field(Artifacts(), alias="ModelArtifacts")
    metrics: list[Metric] = Field([], alias="FinalMetricDataList")
    billed_s: int | None = Field(None, alias="BillableTimeInSeconds")

    def job(self) -> Job:
        """Return it as a job."""
        stage = _stage(TRAININGS, self.status, "training job")
        if stage is Stage.RUNNING:
            return Job(stage, self.detail or self.status)
        if stage is Stage.FAILED:
            return Job(stage, self.reason[:300] or f"it is {self.status}{f' ({self.detail})' if self.detail else ''}")
        result: dict[str, object] = {"model": self.artifacts.path, **{metric.name: metric.value for metric in self.metrics}}
        if self.billed_s is not None:
            result["billed_s"] = self.billed_s
        return Job(stage, f"trained; the model lies in {self.artifacts.path}" if self.artifacts.path else "trained", result)


class Execution(Told):
    """One row of ListPipelineExecutions."""

    arn: str = Field(alias="PipelineExecutionArn")
    name: str = Field("", alias="PipelineExecutionDisplayName")


class Executions(Told):
    """What ListPipelineExecutions tells."""

    rows: list[Execution] = Field([], alias="PipelineExecutionSummaries")
    more: str | None = Field(None, alias="NextToken")


class Described(Told):
    """What DescribePipelineExecution tells."""

    status: str = Field(alias="PipelineExecutionStatus")
    reason: str = Field("", alias="FailureReason")


class Step(Told):
    """One step of an execution."""

    name: str = Field("", alias="StepName")
    status: str = Field("", alias="StepStatus")
    reason: str = Field("", alias="FailureReason")


class Steps(Told):
    """What ListPipelineExecutionSteps tells, its first page."""

    rows: list[Step] = Field([], alias="PipelineExecutionSteps")


class Trainer:
    """Implements `Jobs`."""

    def __init__(self, aws: Calls, jobs: Mapping[str, Order]) -> None:
        self._aws, self._jobs = aws, jobs
        self._arns: dict[str, str] = {}

    def order(self, job: str, parameters: Json) -> str:
        """Return what would be started, with what.

        Raises:
            NotFound: there is no such job.
            ConfigError: a parameter is missing, or AWS would not take the request as it is written.
        """
        order = known(self._jobs, job)
        complete(job, order.holes, parameters)
        self._aws.check(SAGEMAKER, *order.request(parameters, short(job)))
        what = f"pipeline {order.pipeline}" if order.pipeline else "a SageMaker training job"
        return in_words(job, what, {name: str(parameters[name])[:100] for name in order.holes})

    def start(self, job: str, parameters: Json, key: str) -> None:
        """Start it, unless it was started under this key before."""
        order, name = known(self._jobs, job), short(key)
        if self._found(order, name):
            return
        try:
            answer = self._aws.write(SAGEMAKER, *order.request(parameters, name))
        except AwsRefused as no:
            if no.code != THERE or order.pipeline:
                raise
            return
        if order.pipeline and isinstance(answer.get("PipelineExecutionArn"), str):
            self._arns[name] = answer["PipelineExecutionArn"]

    def job(self, job: str, key: str) -> Job:
        """Return where this start stands; unknown where AWS cannot be asked now."""
        order, name = known(self._jobs, job), short(key)
        try:
            found = self._found(order, name)
            return found() if found else Job(Stage.ABSENT)
        except AwsSilent as silent:
            return Job(Stage.UNKNOWN, str(silent))

    def cancel(self, job: str, key: str) -> None:
        """Ask it to stop; nothing where it has ended or was never started."""
        order, name = known(self._jobs, job), short(key)
        found = self._found(order, name)
        if found is None or found().stage is not Stage.RUNNING:
            return
        try:
            self._aws.write(SAGEMAKER, *self._stop(order, name))
        except AwsRefused:
            if found().stage is Stage.RUNNING:  # else it has just ended by itself
                raise

    def startable(self) -> str:
        """Say, without starting anything, that AWS answers about every job and would take its order.

        Raises:
            ConfigError: there is no job, or AWS would not take one's order.
            ActionFailed: AWS does not let the bot ask, or cannot be asked now.
        """
        for job, order in self._jobs.items():
            self.order(job, dict.fromkeys(order.holes, "1"))
            self._found(order, short(job))
        if not self._jobs:
            raise ConfigError("It has no `jobs`, so it can start none; name them in aiops.yaml.")
        return f"AWS answers about {', '.join(self._jobs)}; whether the bot may start and stop them only a start can show"

    def _found(self, order: Order, name: str) -> Callable[[], Job] | None:
        """Return how to ask for it, or None where nothing was started under this name."""
        if order.pipeline:
            arn = self._arns.get(name) or self._listed(order.pipeline, name)
            return partial(self._execution, arn) if arn else None
        try:
            first = self._training(name)
        except AwsMissing:
            return None
        looks = iter([first])  # already had: the first question costs no second call
        return lambda: next(looks, None) or self._training(name)

    def _stop(self, order: Order, name: str) -> tuple[str, Json]:
        if order.training:
            return "StopTrainingJob", {OURS: name}
        return "StopPipelineExecution", {"PipelineExecutionArn": self._arns[name], "ClientRequestToken": f"{name}-stop"}

    def _training(self, name: str) -> Job:
        answer = self._aws.read(SAGEMAKER, "DescribeTrainingJob", {OURS: name})
        return told(Training, answer, "DescribeTrainingJob").job()

    def _listed(self, pipeline: str, name: str) -> str:
        """Return the ARN of the execution of this name; empty text where none of the newest has it."""
        asked: dict[str, object] = {
            "PipelineName": pipeline,
            "SortBy": "CreationTime",
            "SortOrder": "Descending",
            "MaxResults": 100,
        }
        for _ in range(PAGES):
            page = told(Executions, self._aws.read(SAGEMAKER, "ListPipelineExecutions", asked), "ListPipelineExecutions")
            self._arns |= {row.name: row.arn for row in page.rows if row.name == name}
            if name in self._arns or not page.more:
                break
            asked["NextToken"] = page.more
        return self._arns.get(name, "")

    def _execution(self, arn: str) -> Job:
        answer = self._aws.read(SAGEMAKER, "DescribePipelineExecution", {"PipelineExecutionArn": arn})
        seen = told(Described, answer, "DescribePipelineExecution")
        stage = _stage(PIPELINES, seen.status, "pipeline execution")
        if stage is Stage.FAILED:
            return Job(stage, (self._failed(arn) or seen.reason or f"it is {seen.status}")[:300])
        return Job(stage, seen.status, {"execution": arn} if stage is Stage.SUCCEEDED else {})

    def _failed(self, arn: str) -> str:
        """Name the step that failed, where that is told: an execution's own reason is that a step has failed."""
        try:
            answer = self._aws.read(SAGEMAKER, "ListPipelineExecutionSteps", {"PipelineExecutionArn": arn})
            steps = told(Steps, answer, "ListPipelineExecutionSteps").rows
        except ActionFailed:
            return ""
        return next((f"step {step.name}: {step.reason or 'no reason is given'}" for step in steps if step.status == "Failed"), "")


def _stage(stages: Mapping[str, Stage], status: str, what: str) -> Stage:
    if status not in stages:
        raise ActionFailed(f"SageMaker tells of a {what} that is '{status[:50]}', a state that this bot does not know.")
    return stages[status]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in _inner(value):
        yield from _texts(inner)


def _deep(value: Any, parameters: Json) -> Any:
    """Return a request with the holes of all its texts filled."""
    if isinstance(value, str):
        return filled(value, parameters)
    if isinstance(value, dict):
        return {name: _deep(inner, parameters) for name, inner in value.items()}
    return [_deep(inner, parameters) for inner in value] if isinstance(value, list) else value


def _inner(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
