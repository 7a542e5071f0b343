"""`aiops.yaml`: one strict file, no secrets in it.

Every mistake is one sentence with file and line. A secret is named, never written: `${env:NAME}` or `${file:/run/secrets/name}`.
`aiops config schema` prints the JSON Schema that editors complete from.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from bot.core import own
from bot.core.approvals import Policy, Principal
from bot.core.checks import Check, Threshold
from bot.core.errors import ConfigError
from bot.core.lines import FalseAlarms, Learn
from bot.core.metrics import UNITS, Metrics
from bot.core.models import Feature, LogColumns, Model, Persistence, Recovery, Watch
from bot.core.readings import TOP
from bot.core.rules import Rule
from bot.core.seasons import Season
from bot.core.windows import Window
from bot.core.words import duration
from bot.keeping import KeepPart
from bot.policies import Approvals, BrakePart, wrong_approvals
from bot.validation import Duration, Part, Size, validated
from bot.yaml import load_file

DEFAULT_PATH = Path("aiops.yaml")
REFERENCE = re.compile(r"\$\{(env|file):([^}]+)\}")
LITERAL_PASSWORD = re.compile(r"://[^/@:\s]*:[^@/\s]+@")
ZONED = re.compile(r"(.+)\s+([A-Za-z_]+/[A-Za-z][A-Za-z0-9_+/-]*|UTC)\s*")
PRIMARY = {"regression": "mae_ratio", "ranking": "ndcg_lost"}
SECRET_NAME = re.compile(r"(password|secret|token|api[-_]?key|authorization|cookie)$", re.IGNORECASE)


def zoned(cadence: str) -> tuple[str, str]:
    """Return the fields of a cron text, and the time zone that it names; UTC where it names none."""
    fields, zone = found.groups() if (found := ZONED.fullmatch(cadence)) else (cadence, "UTC")
    return fields, zone


def _cron(text: str) -> str:
    fields, zone = zoned(text)
    try:
        CronSim(fields, datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)))
    except (CronSimError, ZoneInfoNotFoundError, ValueError) as reason:
        raise ValueError(f"is no cron text such as '0 9 * * *' or '0 9 * * 1-5 Europe/Berlin': {reason}") from None
    return text


Cron = Annotated[str, AfterValidator(_cron)]
Query = Annotated[str, Field(max_length=4_000)]
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


class Plug(BaseModel):
    """A source, platform or scorer: its kind, and the options that this kind explains."""

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)

    kind: Name

    @property
    def options(self) -> Mapping[str, object]:
        """The options with their secrets looked up."""
        return {name: resolved(value, name) for name, value in (self.model_extra or {}).items()}


class SlackPart(Part):
    """How the bot meets Slack. Tokens come from SLACK_BOT_TOKEN, SLACK_APP_TOKEN and SLACK_SIGNING_SECRET."""

    transport: Literal["socket", "http"] = "socket"
    channel: str = Field("ml-incidents", description="Where incidents go when their team names no channel.")
    digest: str = Field("", description="Where the daily digest goes; empty: the same channel.")
    base_url: str = Field("", description="Only for a simulator: its Web API.")
    host: str = Field("127.0.0.1", description="Where HTTP, health and metrics listen; 0.0.0.0 in a container.")
    port: int = Field(3000, ge=0, le=65_535, description="Their port; 0: any free one.")


class TeamPart(Part):
    """A team: where its incidents go and how it is mentioned."""

    channel: str = ""
    group: str = Field("", description="Slack user group id, S…; needs a paid plan.")
    members: tuple[str, ...] = Field((), description="Slack user ids, U…; used where there is no group.")


class FeaturePart(Part):
    """An input column."""

    kind: Literal["numeric", "categorical"] = "numeric"
    importance: float = Field(0.0, ge=0, le=1)
    team: str = Field("", description="Who feeds it; empty: the model's owner.")


class ColumnsPart(Part):
    """What the prediction log calls its columns."""

    time: str = "time"
    request: str = "request_id"
    version: str = "version"
    score: str = "score"
    label: str = "label"
    label_time: str = "label_time"
    latency_ms: str = "latency_ms"
    error: str = "error"
    prediction: str = Field("", description="The class that was decided on; needed where there are more than two.")
    group: str = Field("", description="Of a ranking: the id of the query or session whose items were ranked together.")


class LearnPart(Part):
    """A line from the reference's own windows, at the length that is judged."""

    source: Literal["deviations", "quantiles"] = Field("deviations", alias="from")
    k: float = Field(3.0, gt=0, description="For deviations: so many standard deviations from the windows' mean.")
    upper: float = Field(0.99, gt=0, lt=1, description="For quantiles: the share of the windows that stay within.")


class FalseAlarmsPart(Part):
    """How often a model may wake people for nothing, over all its watches, checks and features together."""

    at_most: float = Field(1.0, gt=0)
    per: Duration = Field("30d", validate_default=True)


class RecoverPart(Part):
    """When an incident's finding counts as recovered."""

    windows: int = Field(0, ge=0, description="Healthy so many windows in a row; 0: as many as `persist` looks at.")
    under: float = Field(1.0, gt=0, le=1, description="And under this share of the warning line, so that hovering is not recovery.")


class ThresholdPart(Part):
    """Lines of one's own; what is left out stays as the check has it."""

    warning: float | None = None
    critical: float | None = None
    least_rows: int | None = Field(None, ge=0)
    significance: float | None = Field(None, gt=0, lt=1)
    null: float | None = None
    learn: LearnPart | None = Field(None, description="Measure the critical line on the reference's own windows instead.")

    @property
    def fixed(self) -> bool:
        """Whether it says anything that is not measured."""
        return bool(self.model_dump(exclude_none=True, exclude={"learn"}))

    def over(self, own: Threshold) -> Threshold:
        """Return the check's own threshold with these lines."""
        return replace(own, **self.model_dump(exclude_none=True, exclude={"learn"}))


class PersistPart(Part):
    """`k` bad windows out of the last `n`."""

    k: int = Field(2, ge=1)
    n: int = Field(3, ge=1)

    @model_validator(mode="after")
    def _possible(self) -> "PersistPart":
        if self.k > self.n:
            raise ValueError("cannot ask for more bad windows than it looks at")
        return self


class WatchPart(Part):
    """One rhythm of looking at a model."""

    name: Name
    every: Cron = Field(description="Cron text, UTC.")
    window: Duration
    lag: Duration | None = Field(None, description="The window ends so long before the look: time for labels to arrive.")
    checks: tuple[str, ...] = Field(min_length=1)
    persist: PersistPart = PersistPart()
    recover: RecoverPart = RecoverPart()
    least_rows: int = Field(0, ge=0, description="Windows of fewer rows are not judged; data quality always is.")
    season: Literal["day", "week"] | None = Field(
        None, description="Hold each window against the reference's same hours of the day or week, by the clock of `every`'s zone."
    )

    @model_validator(mode="after")
    def _shorter_than_its_season(self) -> "WatchPart":
        if self.season and self.window >= Season(self.season).length:
            raise ValueError(
                f"has `season: {self.season}`, but its window holds every hour of a {self.season}; leave the season out"
            )
        return self


class StretchPart(Part):
    """A stretch of time, `[start, end)`."""

    start: AwareDatetime
    end: AwareDatetime

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.start >= self.end:
            raise ValueError("must start before it ends")
        return self

    @property
    def window(self) -> Window:
        """It as the bot knows it."""
        return Window(self.start, self.end)


class ReferencePart(StretchPart):
    """The stretch that a model is compared with."""

    source: str = Field("", description="Where it lies when it is not in the log, e.g. a training set.")


class LimitsPart(Part):
    """What must not be passed, in each metric's own unit; of throughput it is the least, of the others the most."""

    cpu: Size | None = None
    memory: Size | None = Field(None, description="Bytes: 8GiB.")
    gpu: Size | None = None
    gpu_memory: Size | None = Field(None, description="Bytes: 24GiB.")
    latency_p95: Size | None = Field(None, description="Milliseconds.")
    latency_p99: Size | None = Field(None, description="Milliseconds.")
    error_rate: Size | None = Field(None, description="A share, 0 to 1.")
    throughput: Size | None = Field(None, description="Requests a second, at least.")


class MetricsPart(Part):
    """Queries (PromQL) for a model's operational numbers; each must answer with one series."""

    source: str = Field(description="A source of kind prometheus.")
    cpu: Query = Field("", description="Cores, or a share of them.")
    memory: Query = Field("", description="Bytes.")
    gpu: Query = Field("", description="Use of the GPUs, in whatever unit.")
    gpu_memory: Query = Field("", description="Bytes.")
    latency_p95: Query = Field("", description="Milliseconds.")
    latency_p99: Query = Field("", description="Milliseconds.")
    error_rate: Query = Field("", description="The share of requests that fail, 0 to 1.")
    throughput: Query = Field("", description="Requests a second.")
    limits: LimitsPart = LimitsPart()
    reference: StretchPart | None = Field(None, description="What is usual, where the model's own reference is too old for it.")

    @property
    def queries(self) -> dict[str, str]:
        """The queries that are given, by metric."""
        return {name: query for name in UNITS if (query := getattr(self, name).strip())}

    @property
    def limited(self) -> dict[str, float]:
        """The limits that are given, by metric."""
        return {name: limit for name in UNITS if (limit := getattr(self.limits, name)) is not None}

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if not self.queries:
            raise ValueError(f"names no query; give at least one of {', '.join(UNITS)}")
        if lost := [name for name in self.limited if name not in self.queries]:
            raise ValueError(f"limits {lost[0]}, but has no query for it")
        return self


class ModelPart(Part):
    """One model in one environment."""

    name: Name
    environment: Name = "production"
    team: str
    tier: Literal["low", "standard", "critical"] = "standard"
    source: str
    serving: str = Field("", description="The platform that shares its traffic between versions.")
    connectors: Mapping[str, str] = Field(
        default_factory=dict, description="Which platform plays which other part for it, e.g. trainer: nightly-jobs."
    )
    scorer: str = ""
    reference: ReferencePart
    features: Mapping[str, FeaturePart] = Field(default_factory=dict)
    columns: ColumnsPart = ColumnsPart()
    task: Literal["binary", "multiclass", "regression", "ranking"] = "binary"
    top: int = Field(TOP, ge=1, le=10_000, description="Of a ranking: how many items of a group count, the k of NDCG@k.")
    primary: str = Field(
        "",
        description="The performance metric that may open an incident; calibration_gap, mae_ratio or ndcg_lost by the task.",
    )
    thresholds: Mapping[str, ThresholdPart] = Field(default_factory=dict, description="By 'check' or 'check.subject'.")
    false_alarms: FalseAlarmsPart | None = Field(None, description="Measure lines so that false incidents stay this rare.")
    mode: Literal["page", "record"] = Field("page", description="record: measure and keep all, but wake nobody.")
    segments: tuple[str, ...] = Field((), description="Features of categories; every check looks at each of their levels, too.")
    segments_page: bool = Field(False, description="Whether what is found on one level may open an incident by itself.")
    metrics: MetricsPart | None = Field(None, description="Operational numbers that somebody else measures.")
    watches: tuple[WatchPart, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _segments_are_categories(self) -> "ModelPart":
        for name in self.segments:
            if name not in self.features or self.features[name].kind != "categorical":
                raise ValueError(f"segment '{name}' of model '{self.name}' must be one of its features of kind categorical")
        return self

    @model_validator(mode="after")
    def _ranks_groups(self) -> "ModelPart":
        ranks = self.task == "ranking"
        if ranks and not self.columns.group:
            raise ValueError(
                f"model '{self.name}' ranks, so its `columns` must name a `group`: the query or session whose items stand together"
            )
        for name, given in (("columns.group", self.columns.group), ("top", "top" in self.model_fields_set)):
            if given and not ranks:
                raise ValueError(f"model '{self.name}' has `{name}`, which only a `task: ranking` has")
        return self


class AuditPart(Part):
    """Where the audit log's signing key and its outside copies live; never inside the database."""

    key: str = "aiops-audit.key"
    checkpoints: str = "aiops-checkpoints.txt"


class ReplayPart(Part):
    """Only where history is replayed: data time then comes from a file, and the slots of the last `lookback` are all looked at."""

    clock: str = Field("", description="A file that holds the time the data have reached, ISO 8601; empty: the wall clock.")
    tick: Duration = Field("300ms", validate_default=True)
    lookback: Duration = Field("3d", validate_default=True)


class Settings(Part):
    """The whole of `aiops.yaml`."""

    database: str = "sqlite:///aiops.db"
    slack: SlackPart = SlackPart()
    teams: Mapping[str, TeamPart] = Field(default_factory=dict)
    roles: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    sources: Mapping[str, Plug] = Field(default_factory=dict)
    platforms: Mapping[str, Plug] = Field(default_factory=dict)
    scorers: Mapping[str, Plug] = Field(default_factory=dict)
    models: tuple[ModelPart, ...] = ()
    approvals: Approvals = Field(default_factory=dict)
    brake: BrakePart = BrakePart()
    audit: AuditPart = AuditPart()
    replay: ReplayPart = ReplayPart()
    keep: KeepPart = KeepPart()
    poll: Duration = Field("30s", validate_default=True, description="How often a verification looks again.")

    @model_validator(mode="after")
    def _names_meet(self) -> "Settings":
        """Every name that is used is defined; the first that is not is said, with what there is."""
        for model in self.models:
            for asked, shelf, what in (
                (model.source, self.sources, "sources"),
                (model.reference.source, self.sources, "sources"),
                (model.metrics.source if model.metrics else "", self.sources, "sources"),
                (model.serving, self.platforms, "platforms"),
                (model.scorer, self.scorers, "scorers"),
                *((name, self.platforms, "platforms") for name in model.connectors.values()),
                (model.team, self.teams, "teams"),
            ):
                if asked and asked not in shelf:
                    known = ", ".join(shelf) or "none"
                    raise ValueError(f"model '{model.name}' uses '{asked}', which is not under {what} (there: {known})")
        keys = [f"{m.name}@{m.environment}" for m in self.models]
        if doubled := {key for key in keys if keys.count(key) > 1}:
            raise ValueError(f"the model '{min(doubled)}' is defined twice")
        if own.NAME in self.platforms:
            raise ValueError(f"a platform is called '{own.NAME}', which is the bot's own name; give it another one")
        for wrong in wrong_approvals(self.approvals, self.brake, self.roles, {model.environment for model in self.models}):
            raise ValueError(wrong)
        return self

    @property
    def database_url(self) -> str:
        """The database with its secret looked up."""
        return str(resolved(self.database, "database"))

    def policies(self) -> dict[str, Policy]:
        """Return who may approve what, where that is said by playbook."""
        return {name: part.policy for name, part in self.approvals.items()} if isinstance(self.approvals, Mapping) else {}

    def rules(self) -> tuple[Rule, ...]:
        """Return who may approve what, where that is said in rules."""
        return () if isinstance(self.approvals, Mapping) else tuple(part.rule for part in self.approvals)

    def models_with(self, checks: Mapping[str, Check]) -> dict[str, Model]:
        """Return the models, their thresholds laid over the checks' own; an unknown check is refused by name."""
        return {model.key: model for model in (_model(part, checks) for part in self.models)}


def _model(part: ModelPart, checks: Mapping[str, Check]) -> Model:
    used = [name for watch in part.watches for name in watch.checks]
    for name in (*used, *(key.partition(".")[0] for key in part.thresholds)):
        if name not in checks:
            raise ConfigError(f"Model '{part.name}' uses the check '{name}', which does not exist. There are: {', '.join(checks)}.")
    reference = part.reference.window
    return Model(
        name=part.name,
        environment=part.environment,
        team=part.team,
        tier=part.tier,
        source=part.source,
        serving=part.serving,
        connectors=part.connectors,
        reference=reference,
        reference_source=part.reference.source,
        features=tuple(Feature(name, f.kind, f.importance, f.team or part.team) for name, f in part.features.items()),
        columns=LogColumns(**part.columns.model_dump()),
        task=part.task,
        top=part.top,
        primary=part.primary or PRIMARY.get(part.task, "calibration_gap"),
        segments=part.segments,
        segments_page=part.segments_page,
        thresholds={
            key: lines.over(checks[key.partition(".")[0]].judged_by(key.partition(".")[2]))
            for key, lines in part.thresholds.items()
            if lines.fixed
        },
        learned={key: _learn(lines) for key, lines in part.thresholds.items() if lines.learn},
        false_alarms=FalseAlarms(part.false_alarms.at_most, part.false_alarms.per) if part.false_alarms else None,
        mode=part.mode,
        metrics=_metrics(part.metrics) if part.metrics else None,
        watches=tuple(_watch(watch, reference) for watch in part.watches),
    )


def _metrics(part: MetricsPart) -> Metrics:
    return Metrics(part.source, part.queries, part.limited, part.reference.window if part.reference else None)


def _learn(part: ThresholdPart) -> Learn:
    """Return how the line is learned; a critical line beside it is kept as a floor."""
    asked = part.learn or LearnPart()
    return Learn(asked.source, asked.k, asked.upper, sole=part.critical is None)


def shortest_step(cadence: str) -> timedelta:
    """Return the shortest time between two of the next slots of a cron text."""
    fields, zone = zoned(cadence)
    slots = list(islice(CronSim(fields, datetime(2026, 1, 5, tzinfo=ZoneInfo(zone))), 50))
    return min((later - earlier for earlier, later in pairwise(slots)), default=timedelta(0))


def _season(part: WatchPart, reference: Window) -> Season | None:
    if part.season is None:
        return None
    season = Season(part.season, zoned(part.every)[1])
    if reference.length < 2 * season.length:
        raise ConfigError(
            f"Watch '{part.name}' has `season: {part.season}`, but its reference is only {duration(reference.length)} long; "
            f"it must be two {part.season}s or more, so that every hour has come twice."
        )
    return season


def _watch(part: WatchPart, reference: Window) -> Watch:
    persistence = Persistence(part.persist.k, part.persist.n)
    watch = Watch(part.name, part.every, part.window, part.checks, persistence=persistence)
    extras = {
        "step": shortest_step(part.every),
        "least_rows": part.least_rows,
        "recovery": Recovery(part.recover.windows, part.recover.under),
        "season": _season(part, reference),
    }
    return replace(watch, lag=part.lag or watch.lag, **extras)  # type: ignore[arg-type]


def load_settings(path: Path = DEFAULT_PATH) -> Settings:
    """Read and check the file.

    Raises:
        ConfigError: one sentence with file and line.
    """
    if not path.exists():
        raise ConfigError(f"There is no {path}. Write one with: aiops init")
    document = load_file(path)
    settings = validated(document, Settings)
    refuse_literal_secrets(settings)
    return settings


def refuse_literal_secrets(settings: Settings) -> None:
    """Raise when a password stands in the file itself, where every reader of the repository could see it."""
    if LITERAL_PASSWORD.search(settings.database):
        raise ConfigError("database: a password stands in the URL; name it instead, e.g. ${env:AIOPS_DATABASE_URL}.")
    for shelf in (settings.sources, settings.platforms, settings.scorers):
        for name, plug in shelf.items():
            for option, text in _options(plug.model_extra or {}):
                named = SECRET_NAME.search(option) and text and not named_secret(text)
                if named or LITERAL_PASSWORD.search(text):
                    raise ConfigError(f"'{name}': the option '{option}' holds a secret; name it instead, e.g. ${{env:MY_SECRET}}.")


def named_secret(text: str) -> bool:
    """Return whether a text holds nothing of a secret itself; how it is sent ("Bearer ${env:TOKEN}") is none."""
    return REFERENCE.fullmatch(text.removeprefix("Bearer ").removeprefix("Basic ")) is not None


def _options(given: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield every option that is text, those inside mappings too."""
    for option, value in given.items():
        if isinstance(value, Mapping):
            yield from _options(value)
        elif isinstance(value, str):
            yield option, value


def resolved(value: object, where: str) -> object:
    """Return the value with every `${env:…}` and `${file:…}` looked up, inside lists and mappings too."""
    if isinstance(value, Mapping):
        return {key: resolved(inner, where) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [resolved(inner, where) for inner in value]
    if not isinstance(value, str):
        return value
    return REFERENCE.sub(lambda found: _looked_up(found[1], found[2], where), value)


def _looked_up(kind: str, name: str, where: str) -> str:
    if kind == "env":
        if name not in os.environ:
            raise ConfigError(f"{where} needs the environment variable {name}, which is not set.")
        return os.environ[name]
    try:
        return Path(name).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{where} needs the file {name}, which cannot be read: {error.strerror}.") from error


class Phonebook:
    """The `Directory` that the configuration is: roles by person, channels and mentions by team."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def principal(self, slack_id: str) -> Principal:
        """Return the person with the roles that the configuration gives them now."""
        roles = frozenset(role for role, people in self._settings.roles.items() if slack_id in people)
        return Principal(slack_id, roles=roles)

    def mention(self, team: str) -> str:
        """Return how Slack mentions a team or a role: its group, else its people, else its plain name."""
        part = self._settings.teams.get(team)
        if part and part.group:
            return f"<!subteam^{part.group}>"
        people = part.members if part and part.members else self._settings.roles.get(team, ())
        return " ".join(f"<@{person}>" for person in people) or team

    def channel(self, team: str) -> str:
        """Return where a team's incidents go."""
        part = self._settings.teams.get(team)
        return part.channel if part and part.channel else self._settings.slack.channel

    def teams(self) -> Sequence[str]:
        """Return the teams that are known, sorted."""
        return sorted(self._settings.teams)
