"""Calls to AWS by botocore, the library below boto3 and the AWS command line; the only file of the connector that imports it.

Not by `bot.http`: where a role's credentials come from (the instance's metadata, a container, a web identity) and how a call is
signed is botocore's trade, and metadata addresses are what our own client refuses to call. Nothing is retried here: a run repeats
what was refused, and reads back what was cut off.
"""

from collections.abc import Mapping
from threading import Lock
from typing import Any

from botocore import exceptions as aws
from botocore.config import Config
from botocore.session import Session
from botocore.validate import ParamValidator

from bot.connectors.sagemaker.refusals import AwsSilent, refused
from bot.core.actions import Json
from bot.core.errors import ActionFailed, ConfigError, OutcomeUnknown

SERVER_ERROR = 500
NOBODY = "The bot found no AWS credentials{of}: give it a role, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in its environment."
WHO = (
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.InvalidConfigError,
    aws.ProfileNotFound,
    aws.SSOError,
    aws.TokenRetrievalError,
)
UNSENT = (aws.ConnectTimeoutError, aws.EndpointConnectionError, aws.ProxyConnectionError, aws.SSLError)


class Aws:
    """Makes calls in one region; safe to share between threads. `urls` replace AWS's own of a service, e.g. of a VPC endpoint."""

    def __init__(self, region: str, *, profile: str = "", urls: Mapping[str, str] | None = None, timeout_s: float = 10.0) -> None:
        self._region, self._profile, self._urls, self._timeout_s = region, profile, urls or {}, timeout_s
        self._clients: dict[str, Any] = {}
        self._lock = Lock()

    def read(self, service: str, operation: str, asked: Json) -> Mapping[str, Any]:
        """Ask; raises AwsRefused, AwsSilent (no whole answer) or ActionFailed (nobody says who we are)."""
        try:
            return self.write(service, operation, asked)
        except OutcomeUnknown as error:  # harmless for a read
            raise AwsSilent(str(error)) from error

    def write(self, service: str, operation: str, asked: Json) -> Mapping[str, Any]:
        """Change something.

        Raises:
            AwsRefused: AWS said no, and did nothing.
            AwsSilent: AWS could not be reached; nothing was sent.
            ActionFailed: nobody says who we are; nothing was sent.
            OutcomeUnknown: it broke down over it, or its answer was cut off.
            ConfigError: these parameters are none that the operation takes.
        """
        try:
            return self._call(service, operation, asked)
        except WHO as error:
            raise ActionFailed(NOBODY.format(of=f" in the profile '{self._profile}'" if self._profile else "")) from error
        except UNSENT as error:
            raise AwsSilent(f"AWS {service} in {self._region} could not be reached; nothing was sent.") from error
        except aws.CredentialRetrievalError as error:
            raise AwsSilent("The bot's AWS credentials could not be renewed, and nothing was sent; is its role there?") from error
        except aws.ParamValidationError as error:
            raise ConfigError(f"AWS would not take this for {operation}: {_one_line(error.kwargs['report'])}") from error
        except (aws.HTTPClientError, aws.BotoCoreError) as error:
            words = f"AWS {service} in {self._region} gave no whole answer to {operation} within {self._timeout_s:g} s."
            raise OutcomeUnknown(words) from error

    def check(self, service: str, operation: str, asked: Json) -> None:
        """Raise ConfigError where the operation would not take these parameters; nobody is called."""
        shape = self.client(service).meta.service_model.operation_model(operation).input_shape
        report = ParamValidator().validate(asked, shape)
        if report.has_errors():
            raise ConfigError(f"AWS would not take this for {operation}: {_one_line(report.generate_report())}")

    def client(self, service: str) -> Any:
        """Return botocore's client of a service, made when it is first asked for: that takes half a second."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._made(service)
            return self._clients[service]

    def close(self) -> None:
        """Close idle connections."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def _made(self, service: str) -> Any:
        limits = Config(
            connect_timeout=self._timeout_s,
            read_timeout=self._timeout_s,
            retries={"total_max_attempts": 1},
            user_agent_extra="aiops-bot",
        )
        session = Session(profile=self._profile or None)
        return session.create_client(service, region_name=self._region, endpoint_url=self._urls.get(service), config=limits)

    def _call(self, service: str, operation: str, asked: Json) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = self.client(service)._make_api_call(operation, dict(asked))
        except aws.ClientError as error:
            told, status = error.response.get("Error", {}), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if status >= SERVER_ERROR:
                raise OutcomeUnknown(f"AWS {service} in {self._region} answered {status} to {operation}.") from error
            raise refused(str(told.get("Code", status)), str(told.get("Message", "")), f"{service}:{operation}") from error
        return answer


def _one_line(report: str) -> str:
    return "; ".join(line.strip() for line in report.splitlines() if line.strip())[:300].rstrip(".") + "."
