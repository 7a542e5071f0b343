"""Known answers first, then scikit-learn, then every order of tied items counted out."""

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from bot.stats.ranking import ranked


def told(scores, relevance, groups=None, top=10, at=None):
    n = len(scores)
    groups = np.zeros(n, np.int64) if groups is None else np.asarray(groups)
    at = np.zeros(n, np.int64) if at is None else np.asarray(at)
    return ranked(np.asarray(scores, float), np.asarray(relevance, float), groups, at, top)


def test_a_ranking_by_hand():
    found = told([0.9, 0.5, 0.4, 0.1], [0, 3, 0, 1], top=3)

    assert found.ndcg[0] == pytest.approx((3 / np.log2(3)) / (3 + 1 / np.log2(3)))
    assert found.average_precision[0] == pytest.approx((1 / 2) / 2)
    assert (found.reciprocal_rank[0], found.precision[0]) == pytest.approx((1 / 2, 1 / 3))


def test_the_best_order_is_worth_one():
    found = told([3, 2, 1], [2, 1, 0])

    assert (found.ndcg[0], found.average_precision[0], found.reciprocal_rank[0]) == pytest.approx((1, 1, 1))


def test_two_tied_items_of_which_one_is_relevant_are_half_of_each_order():
    found = told([0.5, 0.5], [1, 0], top=2)

    assert found.ndcg[0] == pytest.approx((1 + 1 / np.log2(3)) / 2)
    assert (found.average_precision[0], found.reciprocal_rank[0], found.precision[0]) == pytest.approx((0.75, 0.75, 0.5))


def test_a_group_without_a_relevant_item_is_said_to_have_none_and_its_precision_is_nothing():
    found = told([2, 1, 2, 1], [0, 0, 1, 0], groups=[7, 7, 8, 8], top=2)

    assert sorted(zip(found.relevant.tolist(), found.precision.tolist(), strict=True)) == [(False, 0.0), (True, 0.5)]


def test_groups_come_in_the_order_of_time_whatever_their_numbers_are():
    found = told([1, 1, 1, 1], [0, 1, 0, 1], groups=[5, -3, 9, -3], at=[30, 20, 10, 25])

    assert (found.at.tolist(), found.relevant.tolist()) == ([10, 20, 30], [False, True, False])


def test_precision_divides_by_k_even_where_a_group_has_fewer_items():
    assert told([1.0], [1], top=5).precision[0] == pytest.approx(1 / 5)


def test_relevances_too_large_to_be_added_are_still_ranked():
    assert told([2, 1], [1e308, 1e308]).ndcg[0] == pytest.approx(1.0)


def test_ndcg_is_scikit_learns_ties_and_all():
    random = np.random.default_rng(1)
    sizes = random.integers(2, 30, 300)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    scores, relevance = np.round(random.normal(size=len(groups)), 1), random.integers(0, 4, len(groups)).astype(float)
    shuffled = random.permutation(len(groups))

    for top in (1, 5, 10):
        found = told(scores[shuffled], relevance[shuffled], groups[shuffled], top, at=groups[shuffled])
        for place in np.flatnonzero(found.relevant):
            one = groups == place
            assert found.ndcg[place] == pytest.approx(metrics.ndcg_score([relevance[one]], [scores[one]], k=top), abs=1e-9)


def test_without_ties_average_precision_is_scikit_learns():
    random = np.random.default_rng(2)
    for _ in range(50):
        scores, relevance = random.permutation(12) / 12, random.random(12) < 0.4
        if relevance.any():
            expected = metrics.average_precision_score(relevance, scores)
            assert told(scores, relevance, top=12).average_precision[0] == pytest.approx(expected, abs=1e-9)


def plainly(relevance, top):
    """Return average precision, reciprocal rank and precision of items in this order, as the textbook writes them."""
    hits = [r > 0 for r in relevance]
    at = [place for place, hit in enumerate(hits[:top], 1) if hit]
    return (
        sum(sum(hits[:place]) / place for place in at) / min(top, max(sum(hits), 1)),
        1 / at[0] if at else 0.0,
        sum(hits[:top]) / top,
    )


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.integers(0, 2)), min_size=1, max_size=6), st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_tied_items_are_worth_the_mean_over_all_their_orders(items, top):
    orders = [order for order in permutations(items) if all(one[0] >= two[0] for one, two in pairwise(order))]
    expected = np.mean([plainly([relevance for _, relevance in order], top) for order in orders], axis=0)

    found = told(*zip(*items, strict=True), top=top)

    assert (found.average_precision[0], found.reciprocal_rank[0], found.precision[0]) == pytest.approx(expected, abs=1e-9)


def test_a_thousand_tied_items_are_worth_what_their_shares_say():
    n, relevant = 1_000, 400
    found = told(np.zeros(n), np.arange(n) < relevant, top=n)
    survived = np.cumprod(np.append(1, [(n - relevant - i) / (n - i) for i in range(n - 1)]))
    first = survived * relevant / (n - np.arange(n))

    assert found.reciprocal_rank[0] == pytest.approx((first / np.arange(1, n + 1)).sum(), abs=1e-9)
