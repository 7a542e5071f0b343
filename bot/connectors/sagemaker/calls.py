"""What the connector needs of AWS, as a protocol: `api.py` keeps it by botocore, the tests in memory."""

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.core.actions import Json
from bot.core.errors import ActionFailed

SAGEMAKER, CLOUDWATCH = "sagemaker", "cloudwatch"


class Calls(Protocol):
    """Calls to AWS in one region; `operation` is AWS's name for it, e.g. "DescribeEndpoint"."""

    def read(self, service: str, operation: str, asked: Json) -> Mapping[str, Any]:
        """Ask; raises AwsRefused, AwsSilent (no whole answer) or ActionFailed (nobody says who we are)."""
        ...

    def write(self, service: str, operation: str, asked: Json) -> Mapping[str, Any]:
        """Change something; raises as `read` does, or OutcomeUnknown (cut off), or ConfigError (misshapen)."""
        ...

    def check(self, service: str, operation: str, asked: Json) -> None:
        """Raise ConfigError where the operation would not take these parameters; nobody is called."""
        ...

    def close(self) -> None:
        """Close idle connections."""
        ...


class Told(BaseModel):
    """What an answer says, as far as it is read; field names are AWS's, by alias."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, hide_input_in_errors=True)


T = TypeVar("T", bound=Told)


def told(kind: type[T], answer: Mapping[str, Any], by: str) -> T:
    """Return the answer as this kind; ActionFailed names the operation whose answer is no such thing."""
    try:
        return kind.model_validate(answer)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise ActionFailed(f"What answers {by} does not tell `{where}` as SageMaker does; is its URL really AWS's?") from None
