"""Models, their watches and how traffic is split."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.errors import ActionFailed, NotFound
from bot.core.models import Feature, Model, Watch, live_version, same_split, servable, split_words, whole_steps
from bot.core.seasons import Season
from bot.core.windows import Window
from tests.fakes.nouns import DAY, NOON

HOURLY = Watch("hourly", "0 * * * *", timedelta(hours=1), ("errors",))
DAILY = Watch("daily", "0 9 * * *", timedelta(days=7), ("psi", "performance"), lag=timedelta(hours=6))
DELAYS = Model("delays", "production", "ml", "log", "edge", DAY, (HOURLY, DAILY), features=(Feature("temp", "numeric", 0.4),))


def test_the_judged_window_ends_its_lag_before_the_slot():
    assert DAILY.judged_at(NOON) == Window(NOON - timedelta(days=7, hours=6), NOON - timedelta(hours=6))


def test_only_a_watch_with_a_season_asks_for_hours():
    seasonal = replace(HOURLY, season=Season("day"))

    assert seasonal.hours_of(HOURLY.judged_at(NOON)).words == "11:00 to 12:00 UTC"
    assert HOURLY.hours_of(HOURLY.judged_at(NOON)) is None


def test_a_check_is_found_in_the_watch_that_runs_it():
    assert (DELAYS.watch_of("errors"), DELAYS.watch_of("performance")) == (HOURLY, DAILY)


def test_a_check_that_no_watch_runs_is_a_sentence():
    with pytest.raises(
        NotFound, match=r"No watch of delays@production runs the check 'ks'; add it to one of them in aiops\.yaml\."
    ):
        DELAYS.watch_of("ks")


def test_only_a_feature_has_importance():
    assert (DELAYS.importance("temp"), DELAYS.importance("score")) == (0.4, 0.0)
    assert DELAYS.feature("score") is None


@pytest.mark.parametrize(
    ("split", "words"),
    [
        ({"v6": 0.1, "v7": 0.9}, "v7 90 % · v6 10 %"),
        ({"v6": 0.0, "v7": 1.0}, "v7 100 %"),
        ({"v6": 0.5, "v7": 0.5}, "v7 50 % · v6 50 %"),
        ({"v6": 0.0}, "nothing served"),
        ({}, "nothing served"),
    ],
)
def test_a_split_is_said_largest_first(split, words):
    assert split_words(split) == words


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"v1": 1.0}, {"v1": 1.0, "v2": 0.0}, True),
        ({"v1": 1.0}, {"v1": 1.0 - 1e-7, "v2": 1e-7}, True),
        ({"v1": 1.0}, {"v1": 0.99, "v2": 0.01}, False),
        ({"v1": 1.0}, {"v2": 1.0}, False),
        ({}, {"v2": 1.0}, False),
    ],
)
def test_splits_are_the_same_when_every_version_serves_the_same(one, other, same):
    assert same_split(one, other) is same
    assert same_split(other, one) is same


@pytest.mark.parametrize(("split", "version"), [({"v1": 0.2, "v2": 0.8}, "v2"), ({"v2": 0.5, "v1": 0.5}, "v1"), ({}, "")])
def test_the_live_version_gets_most_of_the_traffic_and_nothing_serves_nothing(split, version):
    assert live_version(split) == version


@pytest.mark.parametrize(
    ("split", "steps", "whole"),
    [
        ({"v1": 0.75, "v2": 0.25}, 4, {"v1": 3, "v2": 1}),
        ({"v1": 1 / 3, "v2": 2 / 3}, 100, {"v1": 33, "v2": 67}),
        ({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}, 100, {"a": 34, "b": 33, "c": 33}),
        ({"v1": 0.0, "v2": 0.0}, 100, {"v1": 0, "v2": 0}),
        ({}, 100, {}),
    ],
)
def test_whole_steps_add_up_and_the_largest_takes_what_rounding_left(split, steps, whole):
    assert whole_steps(split, steps) == whole


def test_a_servable_split_has_a_share_for_every_version():
    assert servable("delays", {"v2": 1.0}, ("v1", "v2")) == {"v1": 0.0, "v2": 1.0}


@pytest.mark.parametrize(
    ("split", "why"),
    [({"v9": 1.0}, "no version 'v9'"), ({"v1": 0.4}, "add up to 1"), ({"v1": 1.5, "v2": -0.5}, "between 0 and 1")],
)
def test_what_nobody_could_serve_is_refused(split, why):
    with pytest.raises(ActionFailed, match=why):
        servable("delays", split, ("v1", "v2"))
