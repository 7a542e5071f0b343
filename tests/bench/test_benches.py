"""A benchmark that nobody could start any more would be noticed only when its numbers are wanted."""

import importlib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
OURS = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("test_") and path.stem != "speed_says")


@pytest.mark.parametrize("name", OURS)
def test_a_benchmark_can_be_started(name):
    assert importlib.import_module(f"tests.bench.{name}").__doc__
