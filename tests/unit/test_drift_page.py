"""The page of a comparison: whole, readable, alone in the world, and deaf to what data would have it do."""

import re
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.render.page import drift_page, percent, shown
from bot.sources.compare.measures import MEASURES
from tests.unit.sources.two_tables import comparison

RNG = np.random.default_rng(9)
LABELS = {name: measure.label for name, measure in MEASURES.items()}
VOID = {"meta", "rect", "br", "link", "img", "input"}
HOSTILE = "</title><script>alert('x')</script><img src=x onerror=alert(1)>\"'&\u202e\x00"


class Reader(HTMLParser):
    """Reads a page strictly: every element is closed in its turn; keeps tags, attributes and text."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def page_of(then, now, **wish):
    found = comparison(then, now, pictures=True, every=True, **wish)
    return drift_page(found.told, found.pictures, {"reference": "then.parquet", "current": "now.parquet"}, LABELS)


def read(page):
    reader = Reader(page)
    return reader, " ".join(" ".join(reader.text).split())


THEN = {"x": RNG.normal(size=2_000), "c": RNG.choice(["red", "blue"], 2_000), "quiet": RNG.random(2_000)}
NOW = {"x": RNG.normal(1, 1, 2_000), "c": RNG.choice(["red", "green"], 2_000), "quiet": RNG.random(2_000)}


def test_it_says_what_moved_which_files_and_every_measure():
    _, text = read(page_of(THEN, NOW))

    assert "moved most" in text
    assert "then.parquet reference, 2,000 rows" in text
    assert "2 critical 1 healthy" in text
    for label in LABELS.values():
        assert label in text


def test_both_sides_of_every_column_are_drawn():
    reader, text = read(page_of(THEN, NOW))
    drawn = [dict(reader.attributes[i : i + 1]) for i in range(len(reader.attributes))]
    bars = [a["class"] for a in drawn if a.get("class", "").startswith(("reference", "current"))]

    assert bars.count("reference") == bars.count("current") > 40
    assert {"red", "blue", "green"} <= set(text.split())


def test_it_needs_nothing_from_anywhere():
    page = page_of(THEN, NOW)
    reader = Reader(page)

    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(reader.tags)
    assert not re.search(r"https?://|//cdn|@import|url\(", page)
    assert {value for name, value in reader.attributes if name == "href" and not value.startswith("#")} == set()
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page


def test_hostile_names_and_levels_are_only_text():
    then = pa.table({HOSTILE: [HOSTILE, "a"] * 200})
    found = comparison(then, pa.table({HOSTILE: [HOSTILE + "!", "a"] * 200, f"new {HOSTILE}": [1] * 400}), pictures=True)
    page = drift_page(found.told, found.pictures, {"reference": HOSTILE, "current": HOSTILE}, LABELS)
    reader = Reader(page)

    assert "script" not in reader.tags
    assert "img" not in reader.tags
    assert not [name for name, _ in reader.attributes if name.startswith("on")]
    assert not set("\u202e\x00") & set(page)
    assert "alert('x')" in "".join(reader.text)


@settings(max_examples=25)
@given(st.dictionaries(st.text(min_size=1, max_size=8), st.lists(st.text(max_size=5), min_size=3, max_size=3), max_size=3))
def test_no_name_or_level_breaks_the_page(columns):
    table = pa.table(
        {
            name.encode("utf-8", "replace").decode(): [v.encode("utf-8", "replace").decode() for v in values]
            for name, values in columns.items()
        }
    )

    Reader(page_of(table, table))


@pytest.mark.parametrize(
    "values",
    [[], [None] * 40, [np.nan] * 40, [np.inf] * 40, [5.0] * 40, [1e308, -1e308] * 20, [5e-324, 0.0] * 20, [0.0] * 39 + [1e18]],
    ids=str,
)
def test_odd_columns_are_drawn_or_said_to_be_empty(values):
    table = pa.table({"x": pa.array(values, pa.float64())})
    page = page_of(table, table)
    Reader(page)

    assert not re.search(r"\bnan\b|\binf\b", page.lower())
    assert not re.search(r'(?:width|height|x|y)="-', page)


def test_what_lies_far_outside_is_one_pale_bar_and_flattens_nothing():
    then = RNG.normal(size=5_000)
    picture = comparison({"x": then}, {"x": np.append(then, [1e9] * 500)}, pictures=True).pictures["x"]

    assert len(picture["bars"]) > 15
    assert picture["above"]["current"] == pytest.approx(500 / 5_500, abs=0.02)
    assert "beyond" in page_of({"x": then}, {"x": np.append(then, [1e9] * 500)})


def test_shares_of_all_bars_add_up_to_everything():
    picture = comparison({"x": RNG.gamma(1, 1, 3_000)}, {"x": RNG.gamma(3, 2, 3_000)}, pictures=True).pictures["x"]

    for side in ("reference", "current"):
        inside = sum(bar[side] for bar in picture["bars"])
        assert inside + picture["below"][side] + picture["above"][side] == pytest.approx(1)


def test_whole_numbers_have_a_bar_each():
    dice = {"x": RNG.integers(1, 7, 3_000)}
    bars = comparison(dice, dice, pictures=True).pictures["x"]["bars"]

    assert [bar["reference"] > 0.1 for bar in bars] == [True] * 6
    assert (bars[0]["from"], bars[-1]["to"]) == (1, 6)


def test_of_many_levels_the_most_frequent_are_drawn_and_the_rest_is_summed_up():
    levels = {"c": [f"level {i}" for i in range(50) for _ in range(i)]}
    picture = comparison(levels, levels, pictures=True).pictures["c"]

    assert [bar["level"] for bar in picture["bars"][:2]] == ["level 49", "level 48"]
    assert picture["rest"]["levels"] == 49 - len(picture["bars"])
    assert sum(bar["current"] for bar in picture["bars"]) + picture["rest"]["current"] == pytest.approx(1)


@pytest.mark.parametrize(("share", "text"), [(0, "0 %"), (0.0001, "< 0.1 %"), (0.052, "5.2 %"), (0.123, "12 %"), (1, "100 %")])
def test_a_share_is_told_with_as_many_digits_as_it_deserves(share, text):
    assert percent(share) == text


def test_long_names_are_cut():
    assert shown("x" * 500, 10) == "xxxxxxxxx…"
