"""The learner that tells windows apart: out of fold, by trees, as scikit-learn would say."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from bot.stats.columns import aligned, ranked
from bot.stats.domain import FOLDS, STEPS, STRETCHES, told_apart
from bot.stats.learning import classifier, folds
from bot.stats.threads import one_thread
from tests.fakes.readings import joint


def rows(n=800, seed=0, shift=0.0, flip=1.0, **more):
    """Return rows of two columns that go together, one that does not, and one of levels."""
    random = np.random.default_rng(seed)
    x = random.normal(size=n)
    columns = {
        "x": x + shift,
        "y": flip * x + random.normal(0, 0.3, n),
        "z": random.normal(size=n),
        "c": random.choice(["a", "b"], n).tolist(),
    }
    return joint({**columns, **more})


def test_rows_like_the_references_cannot_be_told():
    areas = [told_apart(rows(seed=seed), rows(seed=seed + 50)).area for seed in range(3)]

    assert max(area.value for area in areas) < 0.56
    assert sum(area.low > 0.5 for area in areas) == 0


def test_a_column_that_moved_tells_them_and_is_named():
    told = told_apart(rows(), rows(seed=1, shift=2.0), explain_from=0.65)

    assert told.area.low > 0.75
    assert told.leans[0][0] in ("x", "y")  # either, held against the other, gives the move away


def test_columns_that_no_longer_go_together_are_told_though_each_alone_is_as_it_was():
    told = told_apart(rows(), rows(seed=1, flip=-1.0), explain_from=0.65)

    assert told.area.low > 0.75
    assert {name for name, _ in told.leans[:2]} == {"x", "y"}


def test_a_new_level_and_a_column_that_went_missing_tell_them():
    assert told_apart(rows(), rows(seed=1, c=["a", "new"] * 400)).area.low > 0.65
    assert told_apart(rows(), rows(seed=1, z=np.full(800, np.nan))).area.low > 0.75


def test_what_tells_them_is_only_sought_where_it_is_worth_it():
    assert told_apart(rows(), rows(seed=1, shift=2.0)).leans == ()


def test_neighbours_in_time_tell_nothing_about_each_other():
    random = np.random.default_rng(0)
    walk = [np.cumsum(random.normal(size=800)) for _ in range(2)]  # each stretch is told by its place, and no other stretch is
    told = told_apart(joint({"x": walk[0] - walk[0].mean()}), joint({"x": walk[1] - walk[1].mean()}))

    assert told.area.value < 0.8


def test_what_began_in_the_middle_of_the_window_is_told():
    late = np.random.default_rng(3).normal(size=800) + np.where(np.arange(800) < 400, 0.0, 2.5)

    assert told_apart(rows(), rows(seed=1, z=late)).area.low > 0.6


def test_folds_are_contiguous_and_even():
    assert list(folds(7, 3)) == [0, 0, 0, 1, 1, 2, 2]
    assert list(folds(0, 3)) == []


def test_rows_that_share_no_column_cannot_be_compared():
    assert told_apart(joint({"x": np.ones(10)}), joint({"y": np.ones(10)})) is None


def test_constant_columns_tell_nothing():
    told = told_apart(joint({"x": np.ones(600)}), joint({"x": np.ones(600)}))

    assert told.area.value == pytest.approx(0.5, abs=1e-9)


def test_the_area_is_scikit_learns_of_the_very_same_folds():
    then, now = rows(300), rows(400, seed=1, shift=0.5)
    sides = aligned(then, now)
    both, is_now = ranked(sides, STEPS)
    fold, scores = np.concatenate([folds(300, STRETCHES), folds(400, STRETCHES)]) % FOLDS, np.empty(700)
    with one_thread(learners=True):
        for f in range(FOLDS):
            learner = classifier(both[fold != f], is_now[fold != f], sides.categorical)
            scores[fold == f] = learner.predict_proba(both[fold == f])[:, 1]

    assert told_apart(then, now).area.value == pytest.approx(roc_auc_score(is_now, scores), abs=1e-12)
