"""Who may import whom. Each contract holds, and each one is sabotaged once to see that it can fail."""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.house import ROOT, python

CONTRACTS = Path(__file__).with_name("contracts.ini")
PREFIX = "importlinter:contract:"
LINTER = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"

SABOTAGE = {
    "floors": ("bot/core/windows.py", "import bot.flow.desk"),
    "workshop-without-story": ("bot/checks/ks.py", "import bot.flow.triage"),
    "surfaces-without-workshop": ("bot/scheduler.py", "import bot.store.database"),
    "simulator-alone": ("bot/simulator/clock.py", "import bot.core.windows"),
    "nouns-and-verbs-are-plain": ("bot/flow/triage.py", "import sqlalchemy"),
    "one-room-for-dbos": ("bot/scheduler.py", "import dbos"),
    "numerics-know-profiles": ("bot/stats/rates.py", "import bot.core.incidents"),
    "plug-ins-alone": ("bot/checks/ks.py", "import bot.checks.psi"),
    "sources-alone": ("bot/sources/files.py", "import bot.sources.sql"),
    "no-cycles": ("bot/core/windows.py", "import bot.core.readings"),
}


def names() -> list[str]:
    contracts = configparser.ConfigParser()
    contracts.read(CONTRACTS)
    return [section.removeprefix(PREFIX) for section in contracts.sections() if section.startswith(PREFIX)]


def judged(folder: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    chosen = [word for name in contracts for word in ("--contract", name)]
    command = [sys.executable, "-c", LINTER, "--config", str(CONTRACTS), "--no-cache", *chosen]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("house")
    for path in python("bot"):
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return folder


def test_every_import_respects_the_floors():
    seen = judged(ROOT)

    assert seen.returncode == 0, seen.stdout


def test_every_contract_has_its_sabotage():
    assert sorted(SABOTAGE) == sorted(names())


@pytest.mark.parametrize("name", sorted(SABOTAGE))
def test_a_forbidden_import_breaks_its_contract(copy, name):
    place, smuggled = SABOTAGE[name]
    path = copy / place
    honest = path.read_text(encoding="utf-8")
    path.write_text(f"{honest}\n{smuggled}\n", encoding="utf-8")
    try:
        seen = judged(copy, name)
    finally:
        path.write_text(honest, encoding="utf-8")

    assert seen.returncode == 1, seen.stdout
    assert "1 broken" in seen.stdout
    assert smuggled.removeprefix("import ").rsplit(".", 1)[-1] in seen.stdout.rsplit("Broken contracts", 1)[-1]
