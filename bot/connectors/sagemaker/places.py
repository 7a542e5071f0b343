"""Where the versions of a model stand at an endpoint: as its production variants, or as configurations of which it has one.

Variants share traffic by weights. Of configurations one serves everything, and changing it is SageMaker's blue/green deployment.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, Discriminator, Field, StringConstraints, Tag

from bot.connectors.sagemaker.calls import Told
from bot.core.actions import Json
from bot.core.errors import ActionFailed
from bot.core.models import Split, whole_steps
from bot.validation import Part

TOTAL = 10_000
"""The weights that are set add up to this, so a share is exact to 0.01 %."""
IN_SERVICE = "InService"
Name = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$")]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Variant(Told):
    """A production variant; a serverless one has no instances to count, one of inference components no weights."""

    name: str = Field(alias="VariantName")
    weight: Weight | None = Field(None, alias="CurrentWeight")
    wanted: Weight | None = Field(None, alias="DesiredWeight")
    instances: int | None = Field(None, alias="CurrentInstanceCount")


class Endpoint(Told):
    """What DescribeEndpoint tells."""

    name: str = Field(alias="EndpointName")
    status: str = Field(alias="EndpointStatus")
    config: str = Field("", alias="EndpointConfigName")
    modified: AwareDatetime = Field(alias="LastModifiedTime")
    variants: list[Variant] = Field([], alias="ProductionVariants")
    reason: str = Field("", alias="FailureReason")

    @property
    def words(self) -> str:
        """How it stands, for people."""
        return f"the endpoint {self.name} is {self.status}" + (f" ({self.reason[:200].rstrip('.')})" if self.reason else "")

    @property
    def routed(self) -> dict[str, float]:
        """The weight of each variant by which requests are routed now; one that is not told is 0, unless none is told at all."""
        return _weights({variant.name: variant.weight for variant in self.variants})

    @property
    def desired(self) -> dict[str, float]:
        """The weights that it is on its way to, as `routed`."""
        return _weights({variant.name: variant.wanted for variant in self.variants})

    @property
    def counted_from(self) -> datetime:
        """The first whole minute after its last change, UTC."""
        whole = self.modified.astimezone(UTC).replace(second=0, microsecond=0)
        return whole if whole == self.modified else datetime.fromtimestamp(whole.timestamp() + 60, UTC)


def _weights(told: Mapping[str, float | None]) -> dict[str, float]:
    return {name: weight or 0.0 for name, weight in told.items()} if any(weight is not None for weight in told.values()) else {}


def _apart(names: dict[str, str]) -> dict[str, str]:
    if len(set(names.values())) < len(names):
        raise ValueError("must name another one for each version")
    return names


Versions = Annotated[dict[str, Name], Field(min_length=1), AfterValidator(_apart)]


class ByVariant(Part):
    """Versions are production variants of one endpoint, which share its traffic."""

    endpoint: Name
    variants: Versions

    @property
    def versions(self) -> Mapping[str, str]:
        """What each version is called at SageMaker."""
        return self.variants

    def shares(self, seen: Endpoint) -> Split:
        """Return the shares by the weights that SageMaker routes by now.

        Raises:
            ActionFailed: a variant is not there, has no weight, or a stranger gets traffic as well.
        """
        weights, known = seen.routed, set(self.variants.values())
        if not weights:
            raise ActionFailed(
                f"The variants of the endpoint {seen.name} have no weights, so it shares its traffic by something else."
            )
        lost = next((name for name in self.variants.values() if name not in weights), None)
        if lost is not None:
            raise ActionFailed(f"The endpoint {seen.name} has no variant '{lost}'; compare it with aiops.yaml.")
        stranger = next((name for name, weight in weights.items() if weight and name not in known), None)
        if stranger is not None:
            raise ActionFailed(
                f"The endpoint {seen.name} also sends traffic to its variant '{stranger}', which aiops.yaml names for no version."
            )
        total = sum(weights[name] for name in known)
        return {version: weights[name] / total if total else 0.0 for version, name in self.variants.items()}

    def order(self, shares: Mapping[str, float], seen: Endpoint) -> tuple[str, Json]:
        """Return the call that sets these shares; ActionFailed where a variant that would serve has no instance to do so."""
        idle = {variant.name for variant in seen.variants if variant.instances == 0}
        empty = next((name for version, name in self.variants.items() if shares[version] and name in idle), None)
        if empty is not None:
            raise ActionFailed(f"The variant '{empty}' of {seen.name} has no instance and would serve nobody; scale it up first.")
        steps = whole_steps(shares, TOTAL)
        weights = [{"VariantName": self.variants[version], "DesiredWeight": float(steps[version])} for version in shares]
        return "UpdateEndpointWeightsAndCapacities", {"EndpointName": self.endpoint, "DesiredWeightsAndCapacities": weights}

    def there(self, shares: Mapping[str, float], seen: Endpoint) -> bool:
        """Return whether it serves these shares, and is not on its way to others."""
        return seen.desired in ({}, seen.routed) and whole_steps(self.shares(seen), TOTAL) == whole_steps(shares, TOTAL)

    def version_of(self, variant: str, seen: Endpoint) -> str:  # noqa: ARG002 - as the other place has it
        """Return the version that a variant's requests were for; empty text for a stranger's."""
        return next((version for version, name in self.variants.items() if name == variant), "")


class ByConfig(Part):
    """Versions are endpoint configurations; one of them serves everything."""

    endpoint: Name
    configs: Versions

    @property
    def versions(self) -> Mapping[str, str]:
        """What each version is called at SageMaker."""
        return self.configs

    def shares(self, seen: Endpoint) -> Split:
        """Return 1 for the version that serves.

        Raises:
            ActionFailed: it is just changing, or has a configuration that is nobody's.
        """
        if seen.status != IN_SERVICE:
            raise ActionFailed(f"Which version serves cannot be told now: {seen.words}.")
        if seen.config not in self.configs.values():
            raise ActionFailed(
                f"The endpoint {seen.name} has the configuration '{seen.config}', which aiops.yaml names for no version."
            )
        return {version: float(name == seen.config) for version, name in self.configs.items()}

    def order(self, shares: Mapping[str, float], seen: Endpoint) -> tuple[str, Json]:
        """Return the call that makes a version serve; ActionFailed where several should."""
        if max(shares.values()) < 1:
            raise ActionFailed(
                f"The versions of {seen.name} are whole configurations, so one of them gets all of the traffic or none: "
                "choose 100 %, or make them `variants` of one configuration."
            )
        config = next(self.configs[version] for version, share in shares.items() if share)
        # the operators' own way of deploying, with the alarms that roll back by themselves
        return "UpdateEndpoint", {"EndpointName": self.endpoint, "EndpointConfigName": config, "RetainDeploymentConfig": True}

    def there(self, shares: Mapping[str, float], seen: Endpoint) -> bool:
        """Return whether it serves this version."""
        return seen.config == next((self.configs[version] for version, share in shares.items() if share == 1), None)

    def version_of(self, variant: str, seen: Endpoint) -> str:  # noqa: ARG002 - all of its variants belong to the one that serves
        """Return the version that a variant's requests were for; empty text for a stranger's."""
        return next((version for version, name in self.configs.items() if name == seen.config), "")


def _which(place: Any) -> str:
    return "(configs)" if isinstance(place, Mapping) and "configs" in place else "(variants)"


Place = Annotated[Annotated[ByVariant, Tag("(variants)")] | Annotated[ByConfig, Tag("(configs)")], Discriminator(_which)]
