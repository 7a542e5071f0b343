"""Orders, no connector: what the platforms of jobs do alike. Their texts have holes, `{version}`, for a playbook's parameters."""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from bot.core.actions import Json
from bot.core.errors import ConfigError, NotFound

HOLE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
LONGEST = 500

J = TypeVar("J")


def known(jobs: Mapping[str, J], job: str) -> J:
    """Return what is configured for a job, or raise NotFound."""
    if job not in jobs:
        raise NotFound(f"There is no job '{job}' here; known: {', '.join(sorted(jobs))}.")
    return jobs[job]


def holes(*values: object) -> set[str]:
    """Return the parameters that those of these values that are texts ask for."""
    return {name for value in values if isinstance(value, str) for name in HOLE.findall(value)}


def complete(job: str, asked: set[str], parameters: Json) -> None:
    """Raise ConfigError where a parameter that is asked for is not given."""
    if missing := sorted(asked - set(parameters)):
        raise ConfigError(f"The job '{job}' needs '{missing[0]}', which the playbook does not give it.")


def filled(text: str, parameters: Json, written: Callable[[str], str] = str) -> str:
    """Return the text with its holes filled, each value as `written` has it and cut at 500 characters."""
    return HOLE.sub(lambda hole: written(str(parameters.get(hole[1], ""))[:LONGEST]), text)


def all_filled(values: Mapping[str, object], parameters: Json) -> dict[str, object]:
    """Return what a job is told: values as they are, of texts the holes filled."""
    return {name: filled(value, parameters) if isinstance(value, str) else value for name, value in values.items()}


def in_words(job: str, what: str, given: Mapping[str, object]) -> str:
    """Return an order in words: "retrain: DAG train with model churn"."""
    words = ", ".join(f"{name} {value}" for name, value in sorted(given.items()))
    return f"{job}: {what}{f' with {words}' if words else ''}"


def short(key: str) -> str:
    """Return a start's key as one word that any API takes as an id: it may hold spaces and colons itself."""
    return f"aiops-{hashlib.sha256(key.encode()).hexdigest()[:32]}"
