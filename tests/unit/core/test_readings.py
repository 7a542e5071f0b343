"""What a source tells, cut down to one version."""

from dataclasses import replace

import numpy as np

from bot.core.readings import Sample
from tests.fakes.nouns import NOON
from tests.fakes.readings import outcomes


def test_the_outcomes_of_a_version_are_its_rows_and_what_is_still_awaited():
    both = replace(
        outcomes([0.1, 0.2, 0.3], [True, False, True]), versions=np.array(["v1", "v2", "v1"]), awaited=4, oldest_awaited=NOON
    )
    mine = both.of_version("v1")

    assert (list(mine.scores), list(mine.labels), set(mine.versions)) == ([0.1, 0.3], [True, True], {"v1"})
    assert (len(mine), mine.awaited, mine.oldest_awaited) == (2, 4, NOON)
    assert list(mine.at) == [both.at[0], both.at[2]]


def test_a_version_that_scored_nothing_has_no_outcomes():
    assert len(outcomes([0.1], [True]).of_version("v9")) == 0


def test_thinned_outcomes_are_spread_evenly_and_keep_both_ends():
    many = outcomes(np.arange(10) / 10, np.ones(10))

    assert many.thinned(4).scores.tolist() == [0.0, 0.3, 0.6, 0.9]
    assert many.thinned(10) is many


def test_a_sample_is_as_long_as_its_rows():
    assert len(Sample({"temp": (1, None)}, np.zeros(2), np.zeros(2, bool), np.full(2, "v1"), np.zeros(2, np.int64))) == 2


def test_what_a_version_chose_and_what_was_true_go_with_its_rows():
    both = replace(
        outcomes([0.1, 0.2], [True, False], chosen=np.array([True, False]), values=np.array([5.0, 6.0])),
        versions=np.array(["v1", "v2"]),
    )

    assert (both.of_version("v2").chosen.tolist(), both.of_version("v2").values.tolist()) == ([False], [6.0])


def test_thinned_groups_stay_whole_and_are_the_same_at_every_call():
    groups = np.repeat(np.array([70, -5, 30, 12]), [3, 2, 4, 3])
    many = replace(outcomes(np.arange(12) / 12, np.zeros(12)), groups=groups)

    assert sorted(set(many.thinned(6).groups.tolist())) == [-5, 12]
    assert len(many.thinned(6)) == 5
