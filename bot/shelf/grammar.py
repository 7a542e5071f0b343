"""The grammar of a playbook's file: every setting, its kind and its limits."""

from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from bot.core.checks import Family
from bot.core.findings import SERVED
from bot.core.incidents import Severity
from bot.core.playbooks import Parameter
from bot.shelf import commands
from bot.shelf.expressions import Value
from bot.shelf.filling import typed
from bot.validation import Duration, Part

Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$")]
Identifier = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[a-z][a-z0-9_]*$")]
MODEL = "model"
"""The lock that every playbook has anyway: one run a model."""

Choice = Annotated[str, Field(min_length=1, max_length=75)]


class Offered(Part):
    """When it is offered: for these families at these severities, to models of these tiers in these environments."""

    families: tuple[Family, ...] = Field(min_length=1)
    severities: tuple[Severity, ...] = tuple(Severity)
    tiers: tuple[Literal["low", "standard", "critical"], ...] | None = Field(None, min_length=1, description="Left out: all.")
    environments: tuple[Name, ...] | None = Field(None, min_length=1, description="Left out: all.")


class ParameterPart(Part):
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


class RetriesPart(Part):
    """How often a step is asked for again that was refused, and after which pause; only where nothing has happened."""

    times: int = Field(ge=1, le=10)
    pause: Duration = Field("30s", validate_default=True)

    @model_validator(mode="after")
    def _before_people_wonder(self) -> Self:
        if self.pause > timedelta(minutes=10):
            raise ValueError("must not pause longer than 10m: nobody should have to wonder what it waits for")
        return self


class _Act(Part):
    name: Name
    parameters: dict[str, Value | dict[str, Value]] = Field(default_factory=dict)
    on: Identifier = "serving"
    when: str = ""
    hold: Duration | None = None
    timeout: Duration = Field("6h", validate_default=True)
    within: float = Field(0.05, gt=0, lt=1)
    optional: bool = False
    retries: RetriesPart | None = None
    back: Literal["again"] | None = None


class ParallelPart(_Act):
    """One of several steps that begin together; like any other, but for its gate, which they have in common."""

    action: Identifier


class StepPart(_Act):
    """One action on the platform that plays the part `on`, left out where `when` works out as false.

    `hold` is how long it is measured at least, `within` how far the measured shares may be off, `timeout` how long what goes on by
    itself may take. An `optional` step is left out where nothing plays its part for the model. Before a step with a `gate` the run
    waits until a person continues it, `gate_timeout` at most; then it goes back. With `back: again` it is carried out once more on
    the way back, where what was put back (a registry's alias) is not in effect without it.

    Instead of an action it may hold `parallel` steps: they begin together and are all awaited; when one fails the others come to
    their end, and then everything goes back in reverse order.
    """

    action: Identifier | None = None
    parallel: tuple[ParallelPart, ...] | None = Field(None, min_length=2, max_length=10)
    gate: str = Field("", max_length=300, description="What a person has to look at before this step.")
    gate_timeout: Duration = Field("4h", validate_default=True)

    @model_validator(mode="after")
    def _acts_or_holds(self) -> Self:
        if self.parallel is None:
            if self.action is None:
                raise ValueError("needs an action, or parallel steps that have one each")
            return self
        if stray := sorted(self.model_fields_set - {"name", "parallel", "gate", "gate_timeout"}):
            raise ValueError(f"holds parallel steps, so '{stray[0]}' belongs into those; it takes a gate at most")
        return self

    @property
    def acts(self) -> tuple["StepPart | ParallelPart", ...]:
        """The steps that act: those that it holds, or itself."""
        return self.parallel or (self,)


class VerificationPart(Part):
    """What fresh data must show before the incident may close; `same` are the checks that opened it."""

    checks: Literal["same"] | tuple[str, ...] = "same"
    least_rows: int = Field(0, ge=0)
    within: Duration

    @model_validator(mode="after")
    def _on_rows(self) -> Self:
        if not self.least_rows and self.checks != (SERVED,):
            raise ValueError("must say on how many rows its checks have to be healthy: least_rows, 1 or more")
        return self


class PlaybookFile(Part):
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
    command: str | None = Field(
        None,
        max_length=commands.LONGEST,
        pattern=commands.PATTERN,
        description="Its own slash command in Slack, such as /rollback. Slack learns it from: aiops slack manifest",
    )
    lock: Name = Field(
        MODEL, description="Runs that share this name never overlap, whatever their model; `model`: only one run a model."
    )
    cooldown: Duration | None = None
    max_attempts: int | None = Field(None, ge=1, le=100)
    parameters: tuple[ParameterPart, ...] = ()
    steps: tuple[StepPart, ...] = Field(min_length=1, max_length=20)
    verification: VerificationPart | None = Field(None, description="Left out: people go on when it is done.")

    @field_validator("command")
    @classmethod
    def _is_free(cls, command: str | None) -> str | None:
        if command and (owner := commands.owner(command)):
            raise ValueError(f"cannot be {command}: that is {owner} own; choose another one")
        return command

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        steps = [name for step in self.steps for name in (step.name, *(inner.name for inner in step.parallel or ()))]
        for what, names in (("parameter", [p.name for p in self.parameters]), ("step", steps)):
            if doubled := {name for name in names if names.count(name) > 1}:
                raise ValueError(f"the {what} '{min(doubled)}' stands here twice")
        return self


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a playbook file, for editors."""
    return PlaybookFile.model_json_schema()
