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


def holes(*texts: str) -> set[str]:
    """Return the parameters that these texts ask for."""
    return {name for text in texts for name in HOLE.findall(text)}


def complete(job: str, asked: set[str], parameters: Json) -> None:
    """Raise ConfigError where a parameter that is asked for is not given."""
    if missing := sorted(asked - set(parameters)):
        raise ConfigError(f"The job '{job}' needs '{missing[0]}', which the playbook does not give it.")


def filled(text: str, parameters: Json, written: Callable[[str], str] = str) -> str:
    """Return the text with its holes filled, each value as `written` has it and cut at 500 characters."""
    return HOLE.sub(lambda hole: written(str(parameters.get(hole[1], ""))[:LONGEST]), text)


def short(key: str) -> str:
    """Return a start's key as one word that any API takes as an id: it may hold spaces and colons itself."""
    return f"aiops-{hashlib.sha256(key.encode()).hexdigest()[:32]}"
