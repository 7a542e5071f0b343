"""Fixtures for tests of your own playbooks: `slack`, a running simulator with a default workspace.

Override `slack_workspace` in a conftest.py to bring your own people, channels and app.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bot.simulator import Person, Simulator, Workspace


@pytest.fixture
def slack_workspace() -> Workspace:
    """Return the workspace in which the test happens."""
    from bot.simulator import default_workspace  # noqa: PLC0415  a plug-in is loaded for every run; stay light

    return default_workspace()


@pytest.fixture
def slack(slack_workspace: Workspace) -> Iterator[Simulator]:
    """Run a simulator for one test; it forgets everything afterwards."""
    from bot.simulator import Simulator  # noqa: PLC0415

    with Simulator(slack_workspace) as running:
        yield running


@pytest.fixture
def person(slack: Simulator) -> Iterator[Callable[[str], Person]]:
    """Yield a function that returns somebody of the workspace by name."""
    from bot.simulator import Person  # noqa: PLC0415

    met: dict[str, Person] = {}

    def meet(name: str) -> Person:
        return met.setdefault(name, Person(slack, name))

    yield meet
    for somebody in met.values():
        somebody.close()
