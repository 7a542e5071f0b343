"""Which test shows which failure, read from the tests' own marks."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.faults.failures import FAILURES
from tests.house.house import ROOT, python

BOTH = ("postgresql", "sqlite")
ON_BOTH = {"engine_url", "database_url", "onlooker", "working", "office", "house", "company"}
"""Fixtures that give a test a database of either kind, one after the other."""


@dataclass(frozen=True)
class Showing:
    """One test, the failure that it shows and the databases on which it does."""

    failure: str
    file: Path
    test: str
    databases: tuple[str, ...]


@cache
def showings() -> tuple[Showing, ...]:
    """Return every test that is marked with a failure, by file."""
    files = sorted(path for path in python("tests") if path.name.startswith("test_"))
    return tuple(showing for path in files if "mark.failure" in (text := path.read_text("utf-8")) for showing in marked(path, text))


def marked(path: Path, text: str) -> Iterator[Showing]:
    """Yield the marked tests of one file."""
    tree = ast.parse(text)
    of_the_file = [
        mark for node in tree.body if isinstance(node, ast.Assign) and _is_pytestmark(node) for mark in _marks(node.value)
    ]
    for test in (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")):
        for mark in (*of_the_file, *(mark for decorator in test.decorator_list for mark in _marks(decorator))):
            (failure,), only = mark.args, [keyword.value for keyword in mark.keywords]
            databases = tuple(str(ast.literal_eval(one)) for one in only) or _databases(test)
            yield Showing(str(ast.literal_eval(failure)), path.relative_to(ROOT), test.name, databases)


def _is_pytestmark(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)


def _marks(node: ast.AST) -> list[ast.Call]:
    calls = (inner for inner in ast.walk(node) if isinstance(inner, ast.Call))
    return [call for call in calls if isinstance(call.func, ast.Attribute) and ast.unparse(call.func) == "pytest.mark.failure"]


def _databases(test: ast.FunctionDef) -> tuple[str, ...]:
    return BOTH if ON_BOTH & {argument.arg for argument in test.args.args} else ()


def of(failure: str) -> list[Showing]:
    """Return the tests that show this failure."""
    assert failure in FAILURES
    return [showing for showing in showings() if showing.failure == failure]
