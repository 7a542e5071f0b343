"""The wheel runs in an empty folder: playbooks and templates travel in it, and nothing of the checkout is needed."""

import importlib.util
import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.house.house import ROOT, tracked

SEES = "import os, sys; sys.path.append(os.environ['AIOPS_TEST_LIBRARIES'])"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Build it. With hatchling at hand nothing is fetched; else pip fetches it for the build alone."""
    folder = tmp_path_factory.mktemp("dist")
    near = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", *near, "--wheel-dir", folder, ROOT]
    subprocess.run(command, check=True, timeout=120)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def aiops(wheel, tmp_path_factory):
    """Install it into a folder of its own; the libraries that it needs are lent by this environment, without our checkout.

    `site` is left out (-S), because its .pth files would put the checkout on the path.
    """
    home = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(home)
    libraries = sysconfig.get_path("purelib")
    program = f"{SEES}; from bot.cli import main; sys.exit(main())"

    def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(home), "AIOPS_TEST_LIBRARIES": libraries, "HOME": str(cwd)}
        command = [sys.executable, "-S", "-c", program, *words]
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False)

    return run


def test_every_playbook_and_template_travels_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())

    wanted = {f"bot/data/{path.relative_to(ROOT).as_posix()}" for path in tracked("playbooks", "templates")}
    assert wanted
    assert wanted <= inside


def test_every_file_of_the_package_travels_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())

    assert {path.relative_to(ROOT).as_posix() for path in tracked("bot")} <= inside


def test_tests_stay_at_home(wheel):
    with zipfile.ZipFile(wheel) as archive:
        strangers = [name for name in archive.namelist() if not name.startswith(("bot/", "aiops_bot-"))]

    assert not strangers


def test_it_runs_from_the_wheel_and_not_from_the_checkout(aiops, tmp_path):
    told = json.loads(aiops("version", "--json", cwd=tmp_path).stdout)

    assert not told["where"].startswith(str(ROOT))


def test_a_newcomer_gets_from_init_to_a_valid_configuration(aiops, tmp_path):
    written = aiops("init", cwd=tmp_path)
    checked = aiops("config", "check", "--json", cwd=tmp_path)

    assert written.returncode == 0, written.stderr
    assert json.loads(checked.stdout) == {"file": "aiops.yaml", "valid": True, "problems": []}


def test_the_packaged_playbooks_are_on_the_shelf(aiops, tmp_path):
    told = json.loads(aiops("playbooks", "--json", cwd=tmp_path).stdout)

    assert {playbook["name"] for playbook in told["playbooks"]} == {path.stem for path in tracked("playbooks/*.yaml")}
    assert told["wrong"] == []
