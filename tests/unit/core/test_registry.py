"""Plug-ins are collected from a package and from what is installed; a doubled name is refused."""

import importlib

import pytest

from bot.core.checks import Check
from bot.core.errors import ConfigError
from bot.core.registry import GROUP, discover

A_CHECK = """
from bot.core.checks import Family, check

@check("{name}", family=Family.DRIFT, unit="")
def {name}(_reference, _current):
    yield from ()

noise = "not a check"
"""


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A package of checks, and a place where a third party's module and its entry points lie installed."""
    monkeypatch.syspath_prepend(str(tmp_path))
    package = f"shelf_{tmp_path.name}"
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").touch()

    def lay(**modules):
        for module, name in modules.items():
            (tmp_path / package / f"{module}.py").write_text(A_CHECK.format(name=name))
        return importlib.import_module(package)

    def install(name, points):
        module = f"third_{tmp_path.name}"
        (tmp_path / f"{module}.py").write_text(A_CHECK.format(name=name))
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n" + "\n".join(p.format(module=module) for p in points))

    lay.install = install
    return lay


def test_every_value_of_the_type_is_collected_by_name(shelf):
    found = discover(shelf(second="zebra", first="ape"), Check)

    assert list(found) == ["ape", "zebra"]
    assert all(isinstance(value, Check) for value in found.values())


def test_a_value_that_two_modules_share_is_one_value(shelf, tmp_path):
    package = shelf(first="ape")
    (tmp_path / package.__name__ / "second.py").write_text(f"from {package.__name__}.first import ape\n")

    assert list(discover(package, Check)) == ["ape"]


def test_a_doubled_name_is_refused_and_both_places_are_named(shelf):
    package = shelf(first="ape", second="ape")
    where = f"in {package.__name__}.first and {package.__name__}.second; rename one"

    with pytest.raises(ConfigError, match=f"Check 'ape' is made twice, {where}"):
        discover(package, Check)


def test_a_third_party_adds_its_own_through_an_entry_point(shelf):
    shelf.install("lemur", ["mine = {module}"])

    assert list(discover(shelf(first="ape"), Check)) == ["ape", "lemur"]


def test_an_entry_point_that_names_no_module_adds_nothing(shelf):
    shelf.install("lemur", ["mine = {module}:lemur"])

    assert list(discover(shelf(first="ape"), Check)) == ["ape"]


def test_a_third_party_cannot_take_the_name_of_one_of_ours(shelf):
    shelf.install("ape", ["mine = {module}"])

    with pytest.raises(ConfigError, match="Check 'ape' is made twice"):
        discover(shelf(first="ape"), Check)
