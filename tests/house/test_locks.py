"""The locks: every package hashed, no index named, and they are what pyproject asks for."""

import re
import tomllib

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.house.house import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
WANTED = {
    "requirements.lock": [*PROJECT["dependencies"], *EXTRAS["demo"], *(r for r in EXTRAS["test"] if not r.startswith("aiops-bot"))],
    "requirements-runtime.lock": PROJECT["dependencies"],
}
ENTRY = re.compile(r"^([A-Za-z0-9_.\-]+)(?:\[[\w,]+\])?==([^\s;\\]+)((?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE)
LOCKS = sorted(WANTED)


def text(lock: str) -> str:
    return (ROOT / lock).read_text(encoding="utf-8")


def pins(lock: str) -> dict[str, list[Version]]:
    found: dict[str, list[Version]] = {}
    for name, version, _ in ENTRY.findall(text(lock)):
        found.setdefault(canonicalize_name(name), []).append(Version(version))
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_and_hashed(lock):
    entries = ENTRY.findall(text(lock))
    bare = [name for name, _, rest in entries if "--hash=sha256:" not in rest]

    assert len(entries) > 20
    assert not bare
    assert len(re.findall(r"^[A-Za-z0-9]", text(lock), re.MULTILINE)) == len(entries)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_place_to_load_from(lock):
    assert "://" not in text(lock)
    assert not re.search(r"^\s*(-i|-f|--(extra-)?index|--find-links|--trusted-host)\b", text(lock), re.MULTILINE)


@pytest.mark.parametrize(("lock", "wanted"), [(lock, wanted) for lock in LOCKS for wanted in WANTED[lock]])
def test_a_lock_fits_what_the_project_asks_for(lock, wanted):
    requirement = Requirement(wanted)
    applies = requirement.marker is None or requirement.marker.evaluate({**default_environment(), "extra": ""})
    pinned = pins(lock).get(canonicalize_name(requirement.name), [])

    assert not applies or pinned, "missing; run: make lock"
    assert all(requirement.specifier.contains(version, prereleases=True) for version in pinned), "stale; run: make lock"


def test_both_locks_agree():
    developers = pins("requirements.lock")

    assert {
        name: versions for name, versions in pins("requirements-runtime.lock").items() if developers.get(name) != versions
    } == {}
