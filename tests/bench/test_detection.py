"""The detection benchmark's own arithmetic: a benchmark that is wrong is worse than none."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bot.core.findings import Verdict
from tests.bench.detection import score, shifts, we_say, windows
from tests.bench.detection.__main__ import cells, laid_over
from tests.bench.detection.sets import DataSet
from tests.fakes.nouns import a_finding


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(1)
    rows = {
        "x": random.normal(size=2_000),
        "whole": random.integers(0, 40, 2_000).astype(float),
        "text": random.choice(["a", "b"], 2_000),
        "label": (random.random(2_000) < 0.3).astype(float),
    }
    scorer = SimpleNamespace(predict_proba=lambda frame: np.column_stack([np.zeros(len(frame)), np.full(len(frame), 0.3)]))
    return DataSet("made", pd.DataFrame(rows), ("text",), 400, scorer, {"x": 0.7, "whole": 0.2, "text": 0.1})


def draw(data, column="x"):
    return shifts.Draw(data, np.random.default_rng(2), column, "text")


def test_a_line_lets_at_most_its_share_of_quiet_windows_through():
    quiet = list(range(100))

    assert score.line(quiet, 0.05) == 94
    assert sum(q > score.line(quiet, 0.05) for q in quiet) == 5


def test_equal_statistics_never_let_more_through():
    assert score.line([1.0] * 60, 0.05) == 1.0


def test_a_climb_that_nobody_sees_counts_as_one_window_more_than_all():
    climb = [{"scenario": "gradual", "size": 1.0, "repeat": repeat} for repeat in (0, 1) for _ in range(8)]

    assert score.delay(climb, [False, False, True, True, True, True, True, True, *[False] * 8]) == [3, 9]


@pytest.mark.parametrize("size", [0.1, 0.6])
def test_as_much_is_lost_as_was_said(data, size):
    assert shifts.lost(draw(data), size)["x"].isna().mean() == pytest.approx(size, abs=0.07)


def test_a_mean_moves_by_so_many_standard_deviations(data):
    assert shifts.mean(draw(data), 1.0)["x"].mean() == pytest.approx(1.0, abs=0.15)


def test_whole_numbers_stay_whole(data):
    moved = shifts.noise(draw(data, "whole"), 0.5)["whole"]

    assert (moved == moved.round()).all()


def test_the_share_of_positives_moves_and_nothing_else(data):
    moved = shifts.label_shift(draw(data), 0.3)

    assert moved["label"].mean() == pytest.approx(0.6, abs=0.08)
    assert moved["x"].mean() == pytest.approx(0.0, abs=0.15)


def test_a_new_category_was_never_there(data):
    frame = shifts.new_category(draw(data), 0.3)

    assert "never seen" not in set(data.population["text"])
    assert (frame["text"] == "never seen").mean() == pytest.approx(0.3, abs=0.08)


def test_the_first_repeat_harms_what_the_model_leans_on_most(data):
    assert windows.harmed(data, 0) == ("x", "text")


def test_q_values_are_those_of_scipy():
    p = [0.001, 0.04, 0.03, 0.5]
    found = we_say.corrected(a_finding(subject=str(i), p_value=value) for i, value in enumerate(p))

    assert [found["psi", str(i)] for i in range(4)] == pytest.approx(stats.false_discovery_control(p))


def test_what_warns_by_default_is_at_two_or_beyond():
    warned = a_finding(value=0.1, reference=0.0, interval=None, n=1_000)

    assert we_say.statistic([replace(warned, p_value=1e-9)]) == pytest.approx(2.0)


def test_what_chance_explains_stays_below_everything_that_it_does_not():
    by_chance = a_finding(value=0.4, reference=0.0, interval=None, n=1_000, p_value=0.3, verdict=Verdict.HEALTHY)
    small_but_certain = replace(by_chance, value=0.01, p_value=1e-9)

    assert we_say.statistic([by_chance]) < 1.0 < we_say.statistic([small_but_certain])


def test_the_ordinary_look_finds_what_is_injected_and_nothing_in_quiet_windows(data, tmp_path, monkeypatch):
    monkeypatch.setattr(windows, "QUIET", 2)
    monkeypatch.setattr(windows, "SCENARIOS", {"lost": shifts.Scenario("", shifts.lost, (0.6,))})
    windows.written(data, tmp_path)
    told = json.loads((tmp_path / "made" / "manifest.json").read_text(encoding="utf-8"))["windows"]
    said = list(we_say.judged(tmp_path / "made"))

    assert [answer[we_say.FINDING]["alert"] for answer in said] == [window["now"] > 0 for window in told]
    assert [answer[we_say.PAGES]["alert"] for answer in said][-3:] == [False, True, True]


def test_either_side_of_two_is_as_far_along():
    sides = [
        a_finding(check="performance", subject="calibration_gap", value=value, interval=band, n=5_000, verdict=Verdict.HEALTHY)
        for value, band in ((0.035, (0.01, 0.06)), (-0.035, (-0.06, -0.01)), (0.035, (-0.01, 0.08)))
    ]

    assert [we_say.along(finding, 0.0) for finding in sides] == [pytest.approx(1.5), pytest.approx(1.5), 0.0]


def test_what_one_has_said_is_laid_over_a_table_and_leaves_what_others_have():
    old = "<!-- x -->\n| who | a | b |\n| --- | --- | --- |\n| we | 1 | 2 |\n| they | 3 | 4 |\n<!-- /x -->"
    by_row = laid_over(old, "| who | a | b |\n| --- | --- | --- |\n| we | 5 | 6 |\n| we too | 7 | 8 |")
    by_column = laid_over(old, "| who | b |\n| --- | --- |\n| we | 6 |\n| they | 8 |")

    assert cells(by_row) == [["who", "a", "b"], ["we", "5", "6"], ["they", "3", "4"], ["we too", "7", "8"]]
    assert cells(by_column) == [["who", "a", "b"], ["we", "1", "6"], ["they", "3", "8"]]
