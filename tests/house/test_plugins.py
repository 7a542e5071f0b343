"""Every plug-in has its test; a page lists it (`test_pages.py`)."""

import importlib
import pkgutil
import re

import pytest

from bot import actions, checks, connectors, shelf, sources
from bot.core.actions import Action
from bot.core.checks import Check
from bot.core.ports import ConnectorKind, SourceKind
from bot.slack import commands
from bot.slack.command import Command
from tests.house import tables
from tests.house.house import python

ROOMS = [(checks, Check), (actions, Action), (sources, SourceKind), (connectors, ConnectorKind), (commands, Command)]
TESTS = {path: path.read_text(encoding="utf-8") for path in python("tests") if path.name.startswith("test_")}


def plugins() -> list[str]:
    """Return the modules that make a plug-in, e.g. "bot.checks.ks"."""
    found = []
    for package, kind in ROOMS:
        for info in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            module = importlib.import_module(info.name)
            if any(isinstance(value, kind) for value in vars(module).values() if not isinstance(value, type)):
                found.append(info.name)
    return found


def has_test(module: str) -> bool:
    """Return whether a test file is named after it, or imports it."""
    room, _, stem = module.rpartition(".")
    named = re.compile(rf"test_(\w+_)?{re.escape(stem)}(_\w+)?")
    imported = re.compile(rf"{re.escape(module)}\b|from {re.escape(room)} import [^\n]*\b{re.escape(stem)}\b")
    return any(named.fullmatch(path.stem) or imported.search(text) for path, text in TESTS.items())


def test_there_are_plugins_of_every_kind():
    rooms = {module.rpartition(".")[0] for module in plugins()}

    assert rooms == {package.__name__ for package, _ in ROOMS}


@pytest.mark.parametrize("module", plugins())
def test_a_plugin_has_its_test(module):
    assert has_test(module), f"{module} has no test: name one after it, or import it in one"


def test_a_plugin_without_a_test_would_be_noticed():
    assert not has_test("bot.checks." + "not_there"[::-1])


@pytest.mark.parametrize("name", sorted(shelf.read().playbooks))
def test_a_playbook_has_its_test(name):
    assert any(f'"{name}"' in text or f"{name}.yaml" in text for text in TESTS.values())


def test_a_stale_table_is_made_anew():
    old = "before\n<!-- commands -->\nold\n<!-- /commands -->\nafter\n"

    fresh = tables.refreshed(old)

    assert "old" not in fresh
    assert fresh.startswith("before\n<!-- commands -->\n| command |")
    assert fresh.endswith("\n<!-- /commands -->\nafter\n")


@pytest.mark.parametrize("playbook", sorted(shelf.read().playbooks))
def test_every_packaged_playbook_has_its_story(playbook):
    company = re.compile(rf'\b(offers|serves|rolls_out)\(house, (kube, )?"{playbook}"')
    told = [path.name for path in python("tests/story") if company.search(path.read_text(encoding="utf-8"))]

    assert told or playbook == "rollback"  # the demo's own, which tests/story/test_year.py plays
