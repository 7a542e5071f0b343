"""Amazon SageMaker: endpoints that share traffic between versions, training jobs and pipelines; by botocore, an optional extra.

No key or secret stands in the configuration: botocore takes them from where AWS keeps them (a role, the environment, a profile).
Never run on AWS itself: shown on moto, and on a fake that is held to the shapes of botocore's own model where moto has no answer.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from bot import validation
from bot.connectors.sagemaker.calls import CLOUDWATCH, SAGEMAKER, Calls
from bot.connectors.sagemaker.places import Place
from bot.connectors.sagemaker.serving import Serving
from bot.connectors.sagemaker.trainer import Order, Trainer
from bot.core.errors import ConfigError
from bot.core.ports import ConnectorKind
from bot.validation import Part

URL = r"^(https?://[^\s@]{1,500})?$"


def _one_way(endpoints: dict[str, Place]) -> dict[str, Place]:
    if len({type(place) for place in endpoints.values()}) > 1:
        raise ValueError("must all have `variants` or all `configs`: make two platforms of them")
    return endpoints


class Options(Part):
    """The section of `aiops.yaml`."""

    region: str = Field(pattern=r"^[a-z]{2}(-[a-z0-9]+){2,4}$")
    endpoints: Annotated[dict[str, Place], AfterValidator(_one_way)] = Field({})
    jobs: dict[str, Order] = Field({})
    profile: str = ""
    url: str = Field("", pattern=URL)
    cloudwatch_url: str = Field("", pattern=URL)
    settle: float = Field(default=900.0, gt=0, le=7_200)
    timeout: float = Field(default=10.0, gt=0, le=60)


class SageMaker(Serving, Trainer):
    """Implements `Splitter` and `Jobs`; what is not configured is not known to it."""

    name = "sagemaker"

    def __init__(self, options: Options, aws: Calls, **time: Callable[..., Any]) -> None:
        Serving.__init__(self, aws, options.endpoints, options.settle, **time)
        Trainer.__init__(self, aws, options.jobs)

    def close(self) -> None:
        """Close idle connections."""
        self._aws.close()


def make(options: Mapping[str, object]) -> SageMaker:
    """Build it from its section of the configuration.

    Raises:
        ConfigError: an option is missing or wrong, or botocore is not installed.
    """
    read = validation.options(options, Options, of="Connector sagemaker")
    try:
        from bot.connectors.sagemaker.api import Aws  # noqa: PLC0415 - botocore is an extra, and takes its time to load
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"Connector sagemaker needs {error.name}, which is not installed; run: pip install 'aiops-bot[sagemaker]'."
        ) from error
    urls = {service: url for service, url in ((SAGEMAKER, read.url), (CLOUDWATCH, read.cloudwatch_url)) if url}
    return SageMaker(read, Aws(read.region, profile=read.profile, urls=urls, timeout_s=read.timeout))


sagemaker = ConnectorKind(
    name="sagemaker",
    make=make,
    options={
        "region": "AWS's, e.g. eu-central-1; credentials come from the bot's role or environment, never from here",
        "endpoints": "for each model: endpoint, and variants (version → its variant) or configs (version → its configuration)",
        "jobs": "for each job: training (a CreateTrainingJob request without a name), or pipeline and parameters; with {parameter}",
        "profile": "of the AWS configuration files, where it is not the default one",
        "settle": "seconds that an endpoint may take to be in service again; 900 by default",
        "timeout": "seconds without a byte after which a call is given up; 10 by default",
        "url": "instead of AWS's own for SageMaker, e.g. of a VPC endpoint",
        "cloudwatch_url": "instead of AWS's own for CloudWatch",
    },
    summary="Amazon SageMaker: traffic by variants or endpoint configurations, counted by CloudWatch; training jobs and pipelines",
)
