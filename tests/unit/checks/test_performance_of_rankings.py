"""How well a ranking does, group by group, once its relevances have come; before that nobody can say."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics

from bot.checks.calibration import calibration
from bot.checks.concept import concept
from bot.checks.estimated import estimated
from bot.checks.performance import GROUPS, performance
from bot.checks.slices import slices
from bot.core.findings import Verdict
from bot.core.readings import RANKING
from tests.fakes.readings import a_reading, outcomes
from tests.unit.checks.judging import found, measured, unmeasured

ITEMS = 8


def ranking(noise, groups=600, seed=0, relevant=0.25, **changes):
    """Return a month of queries whose items' scores are their relevances with so much noise; half of the scores are tied."""
    random = np.random.default_rng(seed)
    n = groups * ITEMS
    truth = np.where(random.random(n) < relevant, random.integers(1, 4, n), 0).astype(float)
    scores = np.round(truth + random.normal(0, noise, n), 0)
    told = outcomes(scores, truth > 0, values=truth, groups=np.repeat(random.integers(-(2**62), 2**62, groups), ITEMS))
    return a_reading(rows=n, task=RANKING, outcomes=told, **changes)


USUAL = ranking(1.0)


def test_ndcg_is_the_mean_of_scikit_learns_over_the_groups_that_have_anything_relevant():
    now = USUAL.outcomes
    truth, scores = (values.reshape(-1, ITEMS) for values in (now.values, now.scores))
    there = truth.any(axis=1)

    values = {name: m.value for name, m in measured(performance, USUAL, replace(USUAL, top=5)).items()}

    assert values["ndcg"] == pytest.approx(metrics.ndcg_score(truth[there], scores[there], k=5), abs=1e-9)
    assert values["none_relevant"] == pytest.approx(1 - there.mean())
    assert values["ndcg_lost"] == pytest.approx(0.0, abs=1e-12)
    assert set(values) == set(GROUPS)


@pytest.mark.parametrize(("noise", "verdict"), [(1.0, Verdict.HEALTHY), (1.4, Verdict.WARNING), (9.0, Verdict.CRITICAL)])
def test_a_ranking_is_judged_by_what_is_gone_of_its_usual_gain(noise, verdict):
    findings = found(performance, USUAL, ranking(noise, seed=1))

    assert findings["ndcg_lost"].verdict is verdict
    assert {findings[name].verdict for name in GROUPS if name != "ndcg_lost"} == {Verdict.HEALTHY}


def test_one_bad_day_is_not_certain_however_many_queries_it_has():
    good, bad = USUAL.outcomes, ranking(9.0, seed=2).outcomes
    at = np.where(np.arange(len(good)) < len(good) * 0.4, good.at // 4, 9 * 86_400)
    one_day = replace(
        good, at=at, scores=np.where(at == 9 * 86_400, np.where(good.values > 0, bad.scores, good.scores), good.scores)
    )

    finding = found(performance, USUAL, replace(USUAL, outcomes=one_day))["ndcg_lost"]

    assert finding.value > 0.05
    assert finding.interval[0] < 0.05


def test_the_interval_lies_about_the_value_and_the_groups_are_told():
    loss = measured(performance, USUAL, ranking(1.4, seed=1))["ndcg_lost"]

    assert loss.interval[0] < loss.value < loss.interval[1]
    assert loss.detail == "600 groups, k = 10"


def test_where_next_to_nothing_is_relevant_it_is_told_and_no_order_is_called_good():
    now = ranking(1.0, relevant=0.01)

    assert set(measured(performance, USUAL, now)) == {"precision_at_k", "none_relevant"}
    assert "needs 100 groups with a relevant item" in unmeasured(performance, USUAL, now)["ndcg_lost"]


def test_without_a_reference_there_is_a_gain_but_no_loss():
    assert set(unmeasured(performance, a_reading(), USUAL)) == {"ndcg_lost"}


def test_a_reference_whose_first_items_are_never_relevant_knows_no_loss():
    worst = replace(USUAL.outcomes, scores=-USUAL.outcomes.values)

    assert set(unmeasured(performance, replace(USUAL, outcomes=worst), replace(USUAL, top=1))) == {"ndcg_lost"}


def test_groups_that_wait_for_their_labels_are_said_to_wait():
    waiting = a_reading(rows=40, task=RANKING, outcomes=outcomes([], [], awaited=30))
    unscored = a_reading(rows=40, task=RANKING, outcomes=outcomes([], []))

    assert unmeasured(performance, USUAL, waiting)["ndcg"] == ("no group has all its labels yet, 30 are awaited for 40 predictions")
    assert "none is in a group of which every row has" in unmeasured(performance, USUAL, unscored)["ndcg"]


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (estimated, "nothing estimates a ranking"),
        (calibration, "a ranking promises no shares"),
        (concept, "no single item"),
        (slices, "the slices of a ranking are not searched"),
    ],
    ids=["estimated", "calibration", "concept", "slices"],
)
def test_what_nobody_can_say_of_a_ranking_is_not_said(check, words):
    reasons = unmeasured(check, USUAL, USUAL)

    assert reasons
    assert all(words in reason for reason in reasons.values())
