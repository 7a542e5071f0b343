"""The grammar of a playbook's file: every setting, its kind and its limits."""

from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.core.checks import Family
from bot.core.findings import SERVED
from bot.core.incidents import Severity
from bot.core.playbooks import Parameter
from bot.shelf.expressions import Value
from bot.shelf.filling import typed
from bot.validation import Duration

Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$")]
Identifier = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[a-z][a-z0-9_]*$")]
Choice = Annotated[str, Field(min_length=1, max_length=75)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Offered(_Part):
    """When it is offered: for these families at these severities, to models of these tiers in these environments."""

    families: tuple[Family, ...] = Field(min_length=1)
    severities: tuple[Severity, ...] = tuple(Severity)
    tiers: tuple[Literal["low", "standard", "critical"], ...] | None = Field(None, min_length=1, description="Left out: all.")
    environments: tuple[Name, ...] | None = Field(None, min_length=1, description="Left out: all.")


class ParameterPart(_Part):
    """A typed input. Without a default it must be chosen; a version, feature, split or team is suggested by the evidence.

    `min` and `max` limit a share or a number, `choices` are all that a text may be.
    """

    name: Identifier
    kind: Literal["version", "feature", "split", "team", "share", "number", "text"]
    title: str = ""
    default: str | float | None = None
    min: float | None = Field(None, allow_inf_nan=False)
    max: float | None = Field(None, allow_inf_nan=False)
    choices: tuple[Choice, ...] = Field((), max_length=100)

    @model_validator(mode="after")
    def _limits_fit(self) -> Self:
        if self.kind not in ("share", "number") and (self.min is not None or self.max is not None):
            raise ValueError(f"is a {self.kind}, and only a share or a number can have min or max")
        if self.choices and self.kind != "text":
            raise ValueError(f"is a {self.kind}, and only a text can have choices")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("has a min above its max, so that nothing could be chosen")
        if len(set(self.choices)) < len(self.choices):
            raise ValueError("names one of its choices twice")
        return self

    @model_validator(mode="after")
    def _default_is_allowed(self) -> Self:
        if self.default is not None and self.default != "":
            try:
                typed(self.noun(), self.default)
            except ValueError as reason:
                raise ValueError(f"has a default that cannot be chosen: it {reason}") from None
        return self

    def noun(self) -> Parameter:
        """Return it as the core knows it."""
        default = f"{self.default:.15g}" if isinstance(self.default, float) else self.default or ""
        return Parameter(self.name, self.kind, default, self.title, self.min, self.max, self.choices)


class RetriesPart(_Part):
    """How often a step is asked for again that was refused, and after which pause; only where nothing has happened."""

    times: int = Field(ge=1, le=10)
    pause: Duration = Field("30s", validate_default=True)

    @model_validator(mode="after")
    def _before_people_wonder(self) -> Self:
        if self.pause > timedelta(minutes=10):
            raise ValueError("must not pause longer than 10m: an abort is heard after it only")
        return self


class StepPart(_Part):
    """One action on the platform that plays the part `on`, left out where `when` works out as false.

    `hold` is how long it is measured at least, `within` how far the measured shares may be off, `timeout` how long what goes on by
    itself may take. An `optional` step is left out where nothing plays its part for the model. Before a step with a `gate` the run
    waits until a person continues it, `gate_timeout` at most; then it goes back.
    """

    name: Name
    action: Identifier
    parameters: dict[str, Value | dict[str, Value]] = Field(default_factory=dict)
    on: Identifier = "serving"
    when: str = ""
    hold: Duration | None = None
    timeout: Duration = Field("6h", validate_default=True)
    within: float = Field(0.05, gt=0, lt=1)
    optional: bool = False
    gate: str = Field("", max_length=300, description="What a person has to look at before this step.")
    gate_timeout: Duration = Field("4h", validate_default=True)
    retries: RetriesPart | None = None


class VerificationPart(_Part):
    """What fresh data must show before the incident may close; `same` are the checks that opened it."""

    checks: Literal["same"] | tuple[str, ...] = "same"
    least_rows: int = Field(0, ge=0)
    within: Duration

    @model_validator(mode="after")
    def _on_rows(self) -> Self:
        if not self.least_rows and self.checks != (SERVED,):
            raise ValueError("must say on how many rows its checks have to be healthy: least_rows, 1 or more")
        return self


class PlaybookFile(_Part):
    """One playbook.

    `cooldown` is how long it rests for a model after a run of it ended there, `max_attempts` how often it may be tried on one
    incident.
    """

    name: Identifier
    title: str = Field(min_length=1, max_length=75)
    summary: str = Field(min_length=1, max_length=400)
    owner: str = Field("", max_length=80, description="The team that looks after this playbook.")
    risk: Literal["low", "medium", "high"] = "medium"
    offered: Offered
    cooldown: Duration | None = None
    max_attempts: int | None = Field(None, ge=1, le=100)
    parameters: tuple[ParameterPart, ...] = ()
    steps: tuple[StepPart, ...] = Field(min_length=1, max_length=20)
    verification: VerificationPart | None = Field(None, description="Left out: people go on when it is done.")

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        for what, names in (("parameter", [p.name for p in self.parameters]), ("step", [s.name for s in self.steps])):
            if doubled := {name for name in names if names.count(name) > 1}:
                raise ValueError(f"the {what} '{min(doubled)}' stands here twice")
        return self


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a playbook file, for editors."""
    return PlaybookFile.model_json_schema()
