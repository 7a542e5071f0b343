"""What every unit test may count on: random numbers that no other test has drawn from."""

from typing import Any

import numpy as np
import pytest

_AT_IMPORT: dict[str, dict[str, Any]] = {}


@pytest.fixture(autouse=True)
def _the_same_draws(request: pytest.FixtureRequest) -> None:
    """Let a module's generators begin anew, so that a test draws the same alone, in any order and in any worker."""
    generators = {name: value for name, value in vars(request.module).items() if isinstance(value, np.random.Generator)}
    known = _AT_IMPORT.setdefault(request.module.__name__, {name: g.bit_generator.state for name, g in generators.items()})
    for name, generator in generators.items():
        generator.bit_generator.state = known[name]
