"""The habits of the house: names that say something, files read at one sitting, no mocks, no pickles, nobody's own machine."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.house.house import ROOT, name_of, python, tracked

EMPTY_WORDS = {"util", "utils", "helper", "helpers", "manager", "managers", "service", "services", "base", "common"}
BANNED = {"unittest.mock": "write a fake", "mock": "write a fake", "pickle": "the bot never unpickles", "cloudpickle": "as pickle"}
MOST_LINES, MOST_LINES_OF_FACTS = 300, 550
"""A test file is a list of facts that nobody reads from start to end; it may be longer."""
LONG = {
    "bot/config.py": "the whole of aiops.yaml, one part after the other",
    "bot/demo/story.py": "the demo's story from quiet to resolved, in the order in which people see it",
    "bot/engine/durable.py": "the one class that stands between us and the library",
    "bot/simulator/blocks.py": "Block Kit's rules, one a block: a list, not a story",
    "bot/simulator/people.py": "everything that a person in a test can do, as one vocabulary",
    "bot/simulator/ui.py": "the page's whole API, one route after the other",
}
PLACES = {
    "a registry": re.compile(
        "pypi" + r"\.org|python" + r"hosted\.org|registry\.npm" + r"js|proxy\.golang" + r"\.org|/opt/py" + "pi"
    ),
    "a machine's path": re.compile(r"(?<![\w.])/(wor" + r"k|roo" + r"t|home/\w+|opt/whee" + r"ls)/"),
}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def words(name: str) -> set[str]:
    """Return a name's words, whichever way it is written."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


@cache
def imported(module: ast.Module) -> set[str]:
    """Return every module that is imported, and every name that may be one."""
    found = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def undocumented(module: ast.Module) -> list[str]:
    """Return public functions, classes and methods without a docstring; what is inside a function is nobody else's business."""
    found = [] if ast.get_docstring(module) else ["the module itself"]
    todo = [(node, "") for node in module.body]
    while todo:
        node, inside = todo.pop()
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node) and "overload" not in map(ast.unparse, node.decorator_list):
            found.append(f"{inside}{node.name}")
        if isinstance(node, ast.ClassDef):
            todo += [(inner, f"{node.name}.") for inner in node.body]
    return found


@pytest.mark.parametrize(("banned", "instead"), BANNED.items())
def test_nobody_imports_what_is_banned(banned, instead):
    guilty = [name_of(path) for path in python() if banned in imported(tree(path))]

    assert not guilty, f"{banned}: {instead}"


def test_no_file_or_class_has_an_empty_name():
    files = [name_of(path) for path in tracked() if words(path.stem) & EMPTY_WORDS]
    classes = [
        f"{name_of(path)}: {node.name}"
        for path in python()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and words(node.name) & EMPTY_WORDS
    ]

    assert not files + classes


def test_everything_public_says_what_it_is_for():
    missing = [f"{name_of(path)}: {name}" for path in python("bot") for name in undocumented(tree(path))]

    assert not missing


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_a_file_is_read_at_one_sitting():
    code = [path for path in tracked("bot", "playbooks", "templates") if path.suffix in (".py", ".js", ".j2", ".yaml")]
    long = {name_of(path) for path in code if lines(path) > MOST_LINES}

    assert long <= set(LONG), "split it, or give the reason here"


def test_a_list_of_facts_has_an_end():
    long = [name_of(path) for path in python("tests") if lines(path) > MOST_LINES_OF_FACTS]

    assert not long


def test_an_exception_that_is_no_longer_needed_is_taken_out():
    needless = [name for name in LONG if not (ROOT / name).exists() or lines(ROOT / name) <= MOST_LINES]

    assert not needless


@pytest.mark.parametrize("what", PLACES)
def test_no_file_names_somebodys_machine_or_registry(what):
    guilty = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:  # a picture
            continue
        guilty += [f"{name_of(path)}: {found[0]}" for found in PLACES[what].finditer(text)][:1]

    assert not guilty


@pytest.mark.parametrize(("name", "empty"), [("StringUtils", True), ("db_helpers", True), ("Database", False), ("basement", False)])
def test_a_name_is_judged_word_by_word(name, empty):
    assert bool(words(name) & EMPTY_WORDS) is empty


def test_a_docstring_is_missed_where_it_lacks():
    module = ast.parse('"""Room."""\nclass Tidy:\n    """It."""\n    def lost(self): ...\n    def _own(self): ...\n')

    assert undocumented(module) == ["Tidy.lost"]


def test_no_two_test_files_have_one_name():
    names = [path.name for path in python("tests") if path.name.startswith("test_")]

    assert {name for name in names if names.count(name) > 1} == set()  # pytest imports them by it
