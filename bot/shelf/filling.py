"""Filling in: what people chose, held against each parameter's kind and limits, and put into the steps."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.core.actions import Json
from bot.core.errors import ConfigError
from bot.core.playbooks import Parameter, Playbook, Step
from bot.shelf.expressions import LONGEST, Value, worked_out


def expand(playbook: Playbook, parameters: Json) -> list[Step]:
    """Return the playbook's steps with every expression replaced by its value.

    Raises:
        ConfigError: a parameter is missing, unknown or not of its kind, or an expression cannot be worked out.
    """
    chosen = _chosen(playbook, parameters)
    return [
        replace(
            step,
            parameters=_filled(playbook, step, step.parameters, chosen),
            gate=str(_filled(playbook, step, step.gate, chosen)),
            when="",
        )
        for step in playbook.steps
        if not step.when or _filled(playbook, step, step.when, chosen) in (True, "True", "true")
    ]


def typed(parameter: Parameter, value: object) -> Value:
    """Return a chosen value as its kind; what people type arrives as text.

    Raises:
        ValueError: it is not of its kind, or outside its limits; the message goes on after the parameter's name.
    """
    if value is None or value == "":
        raise ValueError("must be chosen")
    if parameter.kind not in ("share", "number"):
        text = str(value)[:LONGEST]
        if parameter.choices and text not in parameter.choices:
            raise ValueError(f"must be one of {', '.join(parameter.choices)}")
        return text
    least, most = _limits(parameter)
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not least <= number <= most or math.isinf(number):
        raise ValueError(f"must be a number{_between(least, most)}")
    return int(number) if parameter.kind == "number" and number.is_integer() else number


def _limits(parameter: Parameter) -> tuple[float, float]:
    """Return the least and the most that a number may be; infinite where nothing limits it."""
    widest = (0.0, 1.0) if parameter.kind == "share" else (-math.inf, math.inf)
    return (
        widest[0] if parameter.least is None else max(widest[0], parameter.least),
        widest[1] if parameter.most is None else min(widest[1], parameter.most),
    )


def _between(least: float, most: float) -> str:
    low, high = math.isfinite(least), math.isfinite(most)
    if low and high:
        return f" from {least:g} to {most:g}"
    return f", {least:g} at least" if low else f", {most:g} at most" if high else ""


def _chosen(playbook: Playbook, parameters: Json) -> Mapping[str, Value]:
    known = {parameter.name: parameter for parameter in playbook.parameters}
    stranger = next((name for name in parameters if name not in known), None)
    if stranger is not None:
        raise ConfigError(f"Playbook '{playbook.name}' has no parameter '{str(stranger)[:60]}'.")
    return {name: _typed(playbook, parameter, parameters.get(name, parameter.default)) for name, parameter in known.items()}


def _typed(playbook: Playbook, parameter: Parameter, value: object) -> Value:
    try:
        return typed(parameter, value)
    except ValueError as reason:
        raise ConfigError(f"Playbook '{playbook.name}': '{parameter.title or parameter.name}' {reason}.") from None


def _filled(playbook: Playbook, step: Step, value: Any, chosen: Mapping[str, Value]) -> Any:
    if isinstance(value, Mapping):
        return {name: _filled(playbook, step, inner, chosen) for name, inner in value.items()}
    if not isinstance(value, str):
        return value
    try:
        return worked_out(value, chosen)
    except ValueError:
        raise ConfigError(
            f"Playbook '{playbook.name}', step '{step.name}': an expression cannot be worked out with what was chosen."
        ) from None
