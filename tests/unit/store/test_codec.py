"""Nouns to JSON and back."""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.actions import canonical
from bot.core.findings import Finding, Verdict
from bot.core.incidents import Incident
from bot.core.metrics import Series
from bot.core.profiles import CategoryProfile, NumericProfile
from bot.core.readings import Reading
from bot.core.windows import Window
from bot.store.codec import brief, dumps, loads, pack, unpack
from tests.fakes.nouns import NOON, a_finding, an_incident
from tests.fakes.readings import a_reading

FINITE = st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text() | st.datetimes(timezones=st.just(UTC)),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just("$time") | st.just("$pairs"), inner, max_size=3)
    ),
    max_leaves=12,
)
FREE = PLAIN | st.dictionaries(st.text(), st.floats(allow_nan=False), max_size=3)


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Leaf:
    size: int
    when: datetime | None = None


@dataclass(frozen=True)
class Tree:
    name: str
    leaf: Leaf
    colours: tuple[Colour, ...] = ()
    pair: tuple[float, float] | None = None
    roles: frozenset[str] = frozenset()
    wait: timedelta = timedelta(0)
    leaves: Mapping[str, Leaf] = field(default_factory=dict)
    free: Mapping[str, object] = field(default_factory=dict)


TREE = Tree(
    "oak",
    Leaf(3, NOON),
    (Colour.RED,),
    (1.5, float("inf")),
    frozenset({"b", "a"}),
    timedelta(microseconds=1),
    {"$array": Leaf(1)},
    {"rows": 3, "since": NOON, "wait": timedelta(1), "names": ["a"], "deep": {"x": None}},
)


def test_a_noun_comes_back_equal():
    assert loads(Tree, dumps(TREE)) == TREE


@given(st.dictionaries(st.text(), FREE, max_size=4))
def test_any_free_form_content_comes_back_equal(content):
    incident = an_incident(evidence=content)

    assert loads(Incident, dumps(incident)) == incident


@given(st.dictionaries(st.text(), PLAIN, max_size=4))
def test_free_form_content_keeps_its_canonical_form_so_that_a_plans_hash_holds(content):
    def form(value):
        return canonical(asdict(an_incident(evidence=value)))

    back = loads(Incident, dumps(an_incident(evidence=content)))

    assert form(back.evidence) == form(content)


def test_what_is_written_is_ascii_that_any_database_takes():
    assert dumps(Tree("\x00\ud800ü", Leaf(1))).isascii()


def test_numpys_numbers_are_written_as_numbers():
    assert json.loads(dumps({"a": np.int64(3), "b": np.float64(0.5), "c": np.bool_(True)})) == {"a": 3, "b": 0.5, "c": True}


def test_a_field_that_was_added_later_takes_its_default():
    assert loads(Tree, '{"name": "oak", "leaf": {"size": 1}}') == Tree("oak", Leaf(1))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"name": "oak"}', "lacks leaf"),
        ('{"name": "oak", "leaf": {"size": 1}, "age": 3}', "no field age"),
        ('{"name": 3, "leaf": {"size": 1}}', r"Tree\.name should be str"),
        ('{"name": "oak", "leaf": {"size": true}}', r"Tree\.leaf\.size should be a whole number"),
        ('{"name": "oak", "leaf": {"size": "1"}}', r"Tree\.leaf\.size should be int"),
        ('{"name": "oak", "leaf": []}', r"Tree\.leaf should be dict"),
        ('{"name": "oak", "leaf": {"size": 1}, "colours": ["blue"]}', "blue"),
        ('{"name": "oak", "leaf": {"size": 1}, "pair": [1.0]}', "should have 2 items"),
        ('{"name": "oak", "leaf": {"size": 1, "when": "yesterday"}}', r"when should be datetime"),
        ("[", "Expecting"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_with_its_place(text: str, words: str):
    with pytest.raises(ValueError, match=words):
        loads(Tree, text)


def test_a_thing_that_is_no_data_is_refused():
    with pytest.raises(TypeError, match="cannot be stored"):
        dumps({"x": object()})


def test_a_naive_time_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        dumps({"x": datetime(2013, 7, 1)})  # noqa: DTZ001


def test_an_array_needs_a_place_beside_the_row():
    with pytest.raises(TypeError, match="short list"):
        dumps({"x": np.zeros(3)})


def test_arrays_come_back_with_shape_and_type():
    arrays = {"a": np.arange(3), "b": np.array(["v1", "v22"]), "c": np.zeros((2, 2), bool)}
    back = unpack(pack(arrays))

    assert {name: (array.dtype, array.tolist()) for name, array in back.items()} == {
        name: (array.dtype, array.tolist()) for name, array in arrays.items()
    }


def test_an_array_of_objects_is_not_written():
    with pytest.raises(ValueError, match="Python objects"):
        pack({"a": np.array([{}], dtype=object)})


def test_a_pickle_in_the_database_is_refused_and_never_run():
    buffer = io.BytesIO()
    np.savez(buffer, a=np.array([{}], dtype=object))
    assert b"numpy" in zipfile.ZipFile(buffer).read("a.npy")

    with pytest.raises(ValueError, match="allow_pickle=False"):
        unpack(buffer.getvalue())


def test_profiles_that_were_stored_before_data_quality_asked_for_more_stay_readable():
    arrays: dict[str, np.ndarray] = {}
    reading = a_reading({"x": np.arange(5.0), "carrier": ["UA", "N/A"]})
    stored = json.loads(dumps(reading, arrays))
    for column in stored["columns"].values():
        for later in ("far", "magnitudes", "sentinels", "changes", "followed"):
            column.pop(later, None)
    del stored["duplicates"]

    old = loads(Reading, json.dumps(stored), arrays)

    assert old.duplicates is None
    assert isinstance(old.columns["x"], NumericProfile)
    assert (old.columns["x"].far, old.columns["x"].magnitudes, old.columns["x"].followed) == (None, None, 0)
    assert isinstance(old.columns["carrier"], CategoryProfile)
    assert old.columns["carrier"].sentinels is None


def test_a_profile_comes_back_with_what_data_quality_asks_for():
    arrays: dict[str, np.ndarray] = {}
    reading = a_reading({"x": np.array([0.0, -999.0]), "carrier": ["UA", "N/A"]}, duplicates=3)

    back = loads(Reading, dumps(reading, arrays), unpack(pack(arrays)))

    assert back.duplicates == 3
    assert back.columns["x"].sentinels.tolist() == reading.columns["x"].sentinels.tolist()
    assert back.columns["carrier"].sentinels == {"N/A": 1}


def test_a_reference_keeps_its_metrics():
    arrays = {}
    text = dumps(a_reading(resources={"cpu": Series(np.array([0.5, 0.7]), 4, limit=2.0)}), arrays)
    back = loads(Reading, text, unpack(pack(arrays))).resources["cpu"]

    assert (back.values.tolist(), back.asked, back.trouble, back.limit) == ([0.5, 0.7], 4, "", 2.0)


NUMBER = st.none() | st.floats()


@given(
    st.builds(
        a_finding,
        subject=st.text(),
        verdict=st.sampled_from(Verdict),
        reason=st.text(),
        unit=st.text(max_size=3),
        value=NUMBER,
        reference=NUMBER,
        interval=st.none() | st.tuples(st.floats(), st.floats()),
        p_value=NUMBER,
        threshold=NUMBER,
        n=st.integers(),
        importance=st.floats().map(lambda given: given + 0.0),  # minus zero is the default, and is left out as it is
        label=st.text(max_size=3),
        slice=st.text(max_size=3),
        window=st.timedeltas(timedelta(0), timedelta(days=9_999)).map(
            lambda later: Window.ending(NOON + later, timedelta(hours=1))
        ),
    )
)
def test_a_brief_finding_reads_as_the_whole_one_does(finding: Finding):
    assert repr(loads(Finding, brief(finding))) == repr(loads(Finding, dumps(finding)))


def test_a_brief_finding_says_nothing_that_goes_without_saying():
    finding = Finding("m", "psi", a_finding().family, "x", Verdict.HEALTHY, "", a_finding().window)

    assert set(json.loads(brief(finding))) == {"model", "check", "family", "subject", "verdict", "reason", "window"}


def test_equal_moments_of_different_zones_are_written_alike():
    berlin = NOON.astimezone(timezone(timedelta(hours=2)))

    assert dumps([NOON, berlin]) == dumps([NOON, NOON])
