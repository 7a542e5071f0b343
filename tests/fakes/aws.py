"""SageMaker and CloudWatch in memory, as their reference has them: refusals by AWS's own codes and words, changes that take time.

By itself it is what the connector calls (`Calls`). `plays` puts it under a real botocore client instead, which then holds every
request, every answer and every error to the shapes of AWS's own model.
"""

# ruff: noqa: N802, N803 - operations and parameters are called what AWS calls them

from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from bot.connectors.sagemaker.refusals import AwsSilent, refused
from bot.core.errors import OutcomeUnknown

REGION = "eu-central-1"
ARN = f"arn:aws:sagemaker:{REGION}:123456789012"
START = datetime(2026, 3, 2, 3, 0, 20, tzinfo=UTC)
COMMON = {"AccessDeniedException", "ThrottlingException", "ValidationException", "InternalFailure", "ExpiredTokenException"}
"""Errors that any operation may answer; the others must be those that the model lists for it."""


class Refusal(Exception):
    def __init__(self, code, message="", status=400):
        self.code, self.message, self.status = code, message, status


class FakeAws:
    """One account. A change of an endpoint takes `takes_s`; CloudWatch counts by the minute and tells it `late_s` later.

    `instead` maps an operation to a refusal; `cut` names operations that are done, but whose answer is lost; `deaf` operations that
    never arrive.
    """

    def __init__(self):
        self.seconds, self.takes_s, self.late_s = 0.0, 90.0, 120.0
        self.endpoints, self.configs, self.trainings, self.executions, self.pipelines = {}, {}, {}, {}, set()
        self.invoked, self.calls, self.instead, self.cut, self.deaf, self.page = Counter(), [], {}, set(), set(), 100
        self.rolls_back = self.blind_once = False

    # what the world does

    def now(self):
        return self.seconds

    def today(self):
        return START + timedelta(seconds=self.seconds)

    def sleep(self, seconds):
        self.seconds += seconds

    def has_endpoint(self, name, config, variants, **more):
        """Let there be an endpoint whose configuration has these variants: name → weight."""
        self.has_config(config, variants)
        self.endpoints[name] = {
            "status": "InService",
            "config": config,
            "modified": self.today(),
            "ready": None,
            "reason": "",
            **more,
        }
        self.endpoints[name]["variants"] = {v: [w, w, 1] for v, w in variants.items()}  # current, desired, instances

    def has_config(self, config, variants):
        self.configs[config] = dict(variants)

    def invoke(self, name, n):
        """Let n requests come in, shared exactly by the weights of this moment."""
        self._pass(name)
        variants = self.endpoints[name]["variants"]
        total, minute = sum(weight for weight, *_ in variants.values()), self.today().replace(second=0, microsecond=0)
        for variant, (weight, *_) in variants.items():
            self.invoked[name, variant, minute] += round(n * weight / total)

    def ends(self, name, status, **more):
        """Let a training or an execution end."""
        ({**self.trainings, **self.executions})[name].update(status=status, **more)

    def called(self, operation):
        return [asked for one, asked in self.calls if one == operation]

    # what the connector calls

    def read(self, service, operation, asked):
        try:
            return self.write(service, operation, asked)
        except OutcomeUnknown as error:
            raise AwsSilent(str(error)) from error

    def write(self, service, operation, asked):
        try:
            return self.answer(operation, asked)
        except Refusal as no:
            if no.status >= 500:
                raise OutcomeUnknown(f"AWS {service} in {REGION} answered {no.status} to {operation}.") from no
            raise refused(no.code, no.message, f"{service}:{operation}") from no

    def check(self, service, operation, asked):
        """The shapes are botocore's to know."""

    def close(self):
        pass

    def answer(self, operation, asked):
        self.calls.append((operation, asked))
        if operation in self.instead:
            raise self.instead[operation]
        if operation in self.deaf:
            raise Refusal("InternalFailure", "", 500)
        told = getattr(self, f"_{operation}")(**asked)
        if operation in self.cut:
            raise Refusal("InternalFailure", "", 500)
        return told

    @contextmanager
    def plays(self, client):
        """Answer in place of AWS under a botocore client, both ways by its model."""
        from botocore.awsrequest import AWSResponse  # noqa: PLC0415 - lies in moto's environment
        from botocore.validate import ParamValidator  # noqa: PLC0415

        given = {}

        def listed(model, code):
            assert code in COMMON | {shape.name for shape in model.error_shapes}, f"{model.name} lists no error {code}"

        def remember(params, model, **_):
            given[model.name] = dict(params)

        def answer(model, **_):
            try:
                told, status = self.answer(model.name, given[model.name]), 200
            except Refusal as no:
                listed(model, no.code)
                told, status = {"Error": {"Code": no.code, "Message": no.message}}, no.status
            else:
                report = ParamValidator().validate(told, model.output_shape) if model.output_shape else None
                assert report is None or not report.has_errors(), report.generate_report()
            return AWSResponse("", status, {}, None), {**told, "ResponseMetadata": {"HTTPStatusCode": status}}

        heard = {"before-parameter-build.*.*": remember, "before-call.*.*": answer}
        for event, hears in heard.items():
            client.meta.events.register_first(event, hears)
        yield
        for event, hears in heard.items():
            client.meta.events.unregister(event, hears)

    # endpoints

    def _pass(self, name):
        one = self.endpoints[name]
        if one["ready"] is None or self.seconds < one["ready"]:
            return
        if self.rolls_back:
            one.update(reason="One or more alarms were in ALARM state.")
            for variant in one["variants"].values():
                variant[1] = variant[0]
        elif one["wanted"]:
            one.update(config=one["wanted"], variants={v: [w, w, 1] for v, w in self.configs[one["wanted"]].items()})
        else:
            for variant in one["variants"].values():
                variant[0] = variant[1]
        one.update(status="InService", modified=START + timedelta(seconds=one["ready"]), ready=None)

    def _endpoint(self, name):
        if name not in self.endpoints:
            raise Refusal("ValidationException", f'Could not find endpoint "{ARN}:endpoint/{name}".')
        self._pass(name)
        return self.endpoints[name]

    def _config(self, name):
        if name not in self.configs:
            raise Refusal("ValidationException", f'Could not find endpoint configuration "{ARN}:endpoint-config/{name}".')
        return self.configs[name]

    def _begin(self, name, wanted):
        one = self._endpoint(name)
        if one["status"] != "InService":
            raise Refusal("ValidationException", f'Cannot update in-progress endpoint "{ARN}:endpoint/{name}".')
        one.update(status="Updating", ready=self.seconds + self.takes_s, wanted=wanted, reason="")
        return {"EndpointArn": f"{ARN}:endpoint/{name}"}

    def _DescribeEndpoint(self, EndpointName):
        one = self._endpoint(EndpointName)
        variants = [
            {"VariantName": v, "CurrentWeight": float(now), "DesiredWeight": float(wanted), "CurrentInstanceCount": n}
            for v, (now, wanted, n) in one["variants"].items()
        ]
        return {
            "EndpointName": EndpointName,
            "EndpointArn": f"{ARN}:endpoint/{EndpointName}",
            "EndpointConfigName": one["config"],
            "EndpointStatus": one["status"],
            "ProductionVariants": variants,
            "CreationTime": START - timedelta(days=9),
            "LastModifiedTime": one["modified"],
            **({"FailureReason": one["reason"]} if one["reason"] else {}),
        }

    def _DescribeEndpointConfig(self, EndpointConfigName):
        self._config(EndpointConfigName)
        return {
            "EndpointConfigName": EndpointConfigName,
            "EndpointConfigArn": f"{ARN}:endpoint-config/{EndpointConfigName}",
            "ProductionVariants": [{"VariantName": v} for v in self.configs[EndpointConfigName]],
            "CreationTime": START,
        }

    def _UpdateEndpointWeightsAndCapacities(self, EndpointName, DesiredWeightsAndCapacities):
        told = self._begin(EndpointName, None)
        for change in DesiredWeightsAndCapacities:
            self.endpoints[EndpointName]["variants"][change["VariantName"]][1] = change["DesiredWeight"]
        return told

    def _UpdateEndpoint(self, EndpointName, EndpointConfigName, RetainDeploymentConfig):
        assert RetainDeploymentConfig
        self._config(EndpointConfigName)
        return self._begin(EndpointName, EndpointConfigName)

    # counts

    def _GetMetricData(self, MetricDataQueries, StartTime, EndTime, NextToken=None):
        told = self.today() - timedelta(seconds=self.late_s)
        rows = []
        for query in MetricDataQueries:
            stat = query["MetricStat"]
            assert (stat["Metric"]["Namespace"], stat["Metric"]["MetricName"], stat["Stat"]) == (
                "AWS/SageMaker",
                "Invocations",
                "Sum",
            )
            who = {one["Name"]: one["Value"] for one in stat["Metric"]["Dimensions"]}
            at = {
                minute: float(n)
                for (name, variant, minute), n in self.invoked.items()
                if (name, variant) == (who["EndpointName"], who["VariantName"]) and StartTime <= minute < min(EndTime, told)
            }
            times = sorted(at)
            values = [at[time] for time in times]
            rows.append(
                {"Id": query["Id"], "Label": "Invocations", "Timestamps": times, "Values": values, "StatusCode": "Complete"}
            )
        if self.page >= len(rows):
            return {"MetricDataResults": rows}
        first = int(NextToken or 0)
        more = {"NextToken": str(first + self.page)} if first + self.page < len(rows) else {}
        return {"MetricDataResults": rows[first : first + self.page], **more}

    # training jobs and pipelines

    def _DescribeTrainingJob(self, TrainingJobName):
        if self.blind_once or TrainingJobName not in self.trainings:
            self.blind_once = False
            raise Refusal("ValidationException", "Requested resource not found.")
        one = self.trainings[TrainingJobName]
        return {
            "TrainingJobName": TrainingJobName,
            "TrainingJobArn": f"{ARN}:training-job/{TrainingJobName}",
            "ModelArtifacts": {"S3ModelArtifacts": "s3://models/churn/model.tar.gz"},
            "TrainingJobStatus": one["status"],
            "SecondaryStatus": one.get("detail", "Training"),
            "AlgorithmSpecification": {"TrainingInputMode": "File"},
            "ResourceConfig": {"VolumeSizeInGB": 1},
            "StoppingCondition": {},
            "CreationTime": START,
            "FinalMetricDataList": [{"MetricName": "auc", "Value": 0.8125, "Timestamp": START}],
            "BillableTimeInSeconds": 61,
            **({"FailureReason": one["reason"]} if "reason" in one else {}),
        }

    def _CreateTrainingJob(self, TrainingJobName, **_):
        if TrainingJobName in self.trainings:
            raise Refusal("ResourceInUse", "Training job names must be unique within an AWS account and region")
        self.trainings[TrainingJobName] = {"status": "InProgress"}
        return {"TrainingJobArn": f"{ARN}:training-job/{TrainingJobName}"}

    def _StopTrainingJob(self, TrainingJobName):
        one = self.trainings[TrainingJobName]
        if one["status"] != "InProgress":
            raise Refusal("ValidationException", f"The request was rejected because the training job is in status {one['status']}.")
        one["status"] = "Stopping"
        return {}

    def _StartPipelineExecution(self, PipelineName, ClientRequestToken, PipelineExecutionDisplayName, PipelineParameters=()):
        self._pipeline(PipelineName)
        assert 32 <= len(ClientRequestToken) <= 128
        known = next((arn for arn, one in self.executions.items() if one["token"] == ClientRequestToken), None)
        arn = known or f"{ARN}:pipeline/{PipelineName}/execution/{len(self.executions):012d}"
        if known is None:
            named = {"pipeline": PipelineName, "token": ClientRequestToken, "shown": PipelineExecutionDisplayName}
            self.executions[arn] = {"status": "Executing", **named}
        return {"PipelineExecutionArn": arn}

    def _ListPipelineExecutions(self, PipelineName, SortBy, SortOrder, MaxResults, NextToken=None):
        self._pipeline(PipelineName)
        first = int(NextToken or 0)
        rows = [(arn, one) for arn, one in reversed(self.executions.items()) if one["pipeline"] == PipelineName]
        told = [
            {"PipelineExecutionArn": arn, "PipelineExecutionStatus": one["status"], "PipelineExecutionDisplayName": one["shown"]}
            for arn, one in rows[first : first + self.page]
        ]
        more = {"NextToken": str(first + self.page)} if first + self.page < len(rows) else {}
        return {"PipelineExecutionSummaries": told, **more}

    def _pipeline(self, name):
        if name not in self.pipelines:
            raise Refusal("ResourceNotFound", f"Pipeline '{ARN}:pipeline/{name}' does not exist.")

    def _DescribePipelineExecution(self, PipelineExecutionArn):
        one = self.executions[PipelineExecutionArn]
        reason = {"FailureReason": one["reason"]} if "reason" in one else {}
        return {"PipelineExecutionArn": PipelineExecutionArn, "PipelineExecutionStatus": one["status"], **reason}

    def _ListPipelineExecutionSteps(self, PipelineExecutionArn):
        return {"PipelineExecutionSteps": self.executions[PipelineExecutionArn].get("steps", [])}

    def _StopPipelineExecution(self, PipelineExecutionArn, ClientRequestToken):
        assert 32 <= len(ClientRequestToken) <= 128
        self.executions[PipelineExecutionArn]["status"] = "Stopping"
        return {"PipelineExecutionArn": PipelineExecutionArn}
