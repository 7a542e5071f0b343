"""The shelf of playbooks: YAML files, read strictly, and their steps filled in with what people chose.

Files are looked up in the user's folder first and then in the packaged copy; a file of the user's with a playbook's name takes its
place. A broken file takes only itself off the shelf: `read` says what is wrong with it and keeps the others.

In a step's parameters a text may hold expressions, `{{ share / 2 }}`. They see the playbook's parameters and nothing else: names,
constants, comparison, + - /, `if`/`else`. Jinja parses them; they are never compiled: the names become constants and the tree is
folded, so there is no call, no attribute and no loop to break out of, and nothing that could grow.
"""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer
from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.core.actions import Json, Verification
from bot.core.checks import Family
from bot.core.errors import ConfigError
from bot.core.findings import SERVED
from bot.core.incidents import Severity
from bot.core.playbooks import Parameter, Playbook, Step
from bot.validation import Duration, validated
from bot.yaml import Document, load_file

HERE = Path(__file__).parent
PACKAGED = (HERE / "data" / "playbooks", HERE.parent / "playbooks")
"""In a wheel, and in a checkout."""

HARMLESS = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Compare,
    nodes.Operand,
    nodes.CondExpr,
    nodes.Add,
    nodes.Sub,
    nodes.Div,
    nodes.Neg,
    nodes.And,
    nodes.Or,
    nodes.Not,
)
LONGEST = 500

Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$")]
Identifier = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[a-z][a-z0-9_]*$")]
Value = str | int | float | bool

_jinja = ImmutableSandboxedEnvironment()


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Offered(_Part):
    """When it is offered: for these families at these severities."""

    families: tuple[Family, ...] = Field(min_length=1)
    severities: tuple[Severity, ...] = tuple(Severity)


class ParameterPart(_Part):
    """A typed input. Without a default it must be chosen; a version, feature or split is suggested by the incident's evidence."""

    name: Identifier
    kind: Literal["version", "feature", "split", "share", "text"]
    title: str = ""
    default: str | float | None = None


class StepPart(_Part):
    """One action on the platform that plays the part `on`, left out where `when` works out as false.

    An `optional` one is left out where nothing plays its part. `hold` is how long it is measured at least, `within` how far the
    measured shares may be off, `timeout` how long what goes on by itself may take.
    """

    name: Name
    action: Identifier
    parameters: dict[str, Value | dict[str, Value]] = Field(default_factory=dict)
    on: Identifier = "serving"
    optional: bool = False
    when: str = ""
    hold: Duration | None = None
    timeout: Duration = Field("6h", validate_default=True)
    within: float = Field(0.05, gt=0, lt=1)


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
    """One playbook."""

    name: Identifier
    title: str = Field(min_length=1, max_length=75)
    summary: str = Field(min_length=1, max_length=400)
    risk: Literal["low", "medium", "high"] = "medium"
    offered: Offered
    parameters: tuple[ParameterPart, ...] = ()
    steps: tuple[StepPart, ...] = Field(min_length=1, max_length=20)
    verification: VerificationPart | None = Field(None, description="Left out: people go on when it is done.")

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        for what, names in (("parameter", [p.name for p in self.parameters]), ("step", [s.name for s in self.steps])):
            if doubled := {name for name in names if names.count(name) > 1}:
                raise ValueError(f"the {what} '{min(doubled)}' stands here twice")
        return self


@dataclass(frozen=True, slots=True)
class Shelf:
    """What could be read, by name; and one sentence for each file that could not."""

    playbooks: Mapping[str, Playbook] = field(default_factory=dict)
    wrong: tuple[str, ...] = ()


def read(folder: Path | None = None, *, actions: Collection[str] | None = None) -> Shelf:
    """Return the playbooks of the user's folder and the packaged ones; with `actions`, steps may use these only."""
    found: dict[str, Playbook] = {}
    wrong: list[str] = []
    broken: set[str] = set()
    for here in (packaged(), *([folder] if folder else [])):
        mine: dict[str, Playbook] = {}
        broken = set()
        for path in sorted((*here.glob("*.yaml"), *here.glob("*.yml"))):
            try:
                _put(mine, load(path, actions=actions), path)
            except ConfigError as error:
                wrong.append(str(error))
                broken.add(path.stem)
        found |= mine
    # a broken file of the user's does not bring back the packaged playbook that it was meant to replace
    return Shelf({name: found[name] for name in sorted(found) if name not in broken - set(mine)}, tuple(wrong))


def _put(shelf: dict[str, Playbook], playbook: Playbook, path: Path) -> None:
    if playbook.name in shelf:
        raise ConfigError(f"{path}: the playbook '{playbook.name}' is defined by another file of this folder, too; rename one.")
    shelf[playbook.name] = playbook


def packaged() -> Path:
    """Return the folder of the playbooks that came with the bot."""
    return next((folder for folder in PACKAGED if folder.is_dir()), PACKAGED[0])


def load(path: Path, *, actions: Collection[str] | None = None) -> Playbook:
    """Return the playbook in this file.

    Raises:
        ConfigError: it is not one; the sentence names file and line.
    """
    document = load_file(path)
    part = validated(document, PlaybookFile)
    for number, step in enumerate(part.steps):
        place = ("steps", number, "action")
        if actions is not None and step.action not in actions:
            known = ", ".join(sorted(actions)) or "none"
            raise document.wrong(place, f"there is no action '{step.action}'; known: {known}.")
        _check_expressions(document, part, number)
    return _playbook(part, document)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a playbook file, for editors."""
    return PlaybookFile.model_json_schema()


def expand(playbook: Playbook, parameters: Json) -> list[Step]:
    """Return the playbook's steps with every expression replaced by its value.

    Raises:
        ConfigError: a parameter is missing, unknown or not of its kind, or an expression cannot be worked out.
    """
    chosen = _chosen(playbook, parameters)
    return [
        replace(step, parameters=_filled(playbook, step, step.parameters, chosen), when="")
        for step in playbook.steps
        if not step.when or _filled(playbook, step, step.when, chosen) in (True, "True", "true")
    ]


def _playbook(part: PlaybookFile, document: Document) -> Playbook:
    return Playbook(
        name=part.name,
        title=part.title,
        summary=part.summary,
        families=frozenset(part.offered.families),
        severities=frozenset(part.offered.severities),
        parameters=tuple(Parameter(p.name, p.kind, _text(p.default), p.title) for p in part.parameters),
        steps=tuple(_step(s) for s in part.steps),
        verification=_verification(part.verification),
        risk=part.risk,
        content=document.data,
    )


def _step(part: StepPart) -> Step:
    hold = part.hold.total_seconds() if part.hold else 0.0
    patience = part.timeout.total_seconds()
    return Step(part.name, part.action, part.parameters, hold, part.within, part.on, part.when, patience, part.optional)


def _verification(part: VerificationPart | None) -> Verification:
    if part is None:
        return Verification()
    checks = (part.checks,) if isinstance(part.checks, str) else part.checks
    return Verification(checks, part.least_rows, part.within.total_seconds())


def _check_expressions(document: Document, part: PlaybookFile, number: int) -> None:
    known = {parameter.name for parameter in part.parameters}
    step = part.steps[number]
    for path, text in (*_texts(step.parameters, ("steps", number, "parameters")), *_texts(step.when, ("steps", number, "when"))):
        try:
            parsed = _parsed(text)
        except ValueError as reason:
            raise document.wrong(path, f"{reason}.") from None
        for name in parsed.find_all(nodes.Name):
            if name.name not in known:
                raise document.wrong(path, f"the expression uses '{name.name}', which is no parameter of this playbook.")


def _texts(value: object, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts(inner, (*path, str(name)))


def _parsed(text: str) -> nodes.Template:
    if len(text) > LONGEST:
        raise ValueError(f"this text is longer than {LONGEST} characters")
    try:
        parsed = _jinja.parse(text)
    except jinja2.TemplateSyntaxError:
        raise ValueError("this expression cannot be read; write it like {{ name }}") from None
    except RecursionError:
        raise ValueError("this expression is nested too deep") from None
    if any(not isinstance(node, HARMLESS) for node in (parsed, *parsed.find_all(nodes.Node))):
        raise ValueError("this expression does more than it may; use names, constants, comparisons, + - / and if/else only")
    return parsed


def _filled(playbook: Playbook, step: Step, value: Any, chosen: Mapping[str, Value]) -> Any:
    if isinstance(value, Mapping):
        return {name: _filled(playbook, step, inner, chosen) for name, inner in value.items()}
    if not isinstance(value, str):
        return value
    try:
        return _folded(_Filled(chosen).visit(_parsed(value)))
    except (ValueError, TypeError, RecursionError, nodes.Impossible):
        raise ConfigError(
            f"Playbook '{playbook.name}', step '{step.name}': an expression cannot be worked out with what was chosen."
        ) from None


class _Filled(NodeTransformer):
    """Puts what was chosen in the place of the names."""

    def __init__(self, chosen: Mapping[str, Value]) -> None:
        self._chosen = chosen

    def visit_Name(self, node: nodes.Name) -> nodes.Const:  # noqa: N802 - jinja's name
        return nodes.Const(self._chosen[node.name], lineno=node.lineno, environment=node.environment)


def _folded(parsed: nodes.Template) -> Value:
    """A text that is one expression keeps its type; any other becomes text."""
    values = [node.as_const() for output in parsed.find_all(nodes.Output) for node in output.nodes]
    if len(values) != 1:
        return "".join(str(value) for value in values)
    only = values[0]
    if not isinstance(only, str | int | float) or (isinstance(only, float) and not math.isfinite(only)):
        raise TypeError("an expression gives text, a finite number, true or false")
    return only


def _chosen(playbook: Playbook, parameters: Json) -> Mapping[str, Value]:
    known = {parameter.name: parameter for parameter in playbook.parameters}
    stranger = next((name for name in parameters if name not in known), None)
    if stranger is not None:
        raise ConfigError(f"Playbook '{playbook.name}' has no parameter '{str(stranger)[:60]}'.")
    return {name: _typed(playbook, parameter, parameters.get(name, parameter.default)) for name, parameter in known.items()}


def _typed(playbook: Playbook, parameter: Parameter, value: object) -> Value:
    """Return a chosen value as its kind; what people type arrives as text."""
    named = f"Playbook '{playbook.name}': '{parameter.title or parameter.name}'"
    if value is None or value == "":
        raise ConfigError(f"{named} must be chosen.")
    if parameter.kind != "share":
        return str(value)[:LONGEST]
    try:
        share = float(str(value))
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise ConfigError(f"{named} must be a number from 0 to 1.")
    return share


def _text(default: str | float | None) -> str:
    return "" if default is None else str(default)
