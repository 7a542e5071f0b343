"""How well items were ranked within their groups (the results of one query, the offers of one session).

Gains are the relevances themselves, discounted by log2(rank + 1), as scikit-learn's `ndcg_score` has it. Equal scores stand in no
order: every measure is its expected value over all orders of the tied items (McSherry & Najork 2008). A group without any relevant
item has no best order: NDCG, MAP and MRR leave it out, as TREC's evaluation does; precision counts it as 0.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from bot.core.profiles import Counts, Floats

Flags = npt.NDArray[np.bool_]


class Ranked(NamedTuple):
    """What the first k items of each group are worth, shape (g,) each, the oldest group first.

    `relevant` says which groups have a relevant item; of the others only `precision` means anything. `at` is a group's first row's.
    """

    ndcg: Floats
    average_precision: Floats
    reciprocal_rank: Floats
    precision: Floats
    relevant: Flags
    at: Counts


class Order(NamedTuple):
    """Rows by group, the highest score first, shape (n,) each; a block are the rows of a group that have the same score.

    `rank` counts within the group and `place` within the block, both from 1; `starts` are where the blocks start, shape (blocks,),
    `block` which one each row is in, `size` how many rows that has.
    """

    rows: Counts
    group: Counts
    rank: Counts
    place: Counts
    starts: Counts
    block: Counts
    size: Counts

    def in_block(self, values: Floats) -> Floats:
        """Return the sum over its block for each row; `values` are in this order."""
        return np.asarray(np.add.reduceat(values, self.starts)[self.block], dtype=np.float64)

    def in_group(self, values: Floats) -> Floats:
        """Return the sums over the groups, shape (g,)."""
        return np.asarray(np.bincount(self.group, values), dtype=np.float64)


def ranked(scores: Floats, relevance: Floats, groups: Counts, at: Counts, top: int) -> Ranked:
    """Return what the first `top` items of each group are worth.

    Args:
        scores: finite, shape (n,), n ≥ 1.
        relevance: finite, 0 or more, shape (n,); what is above 0 is relevant.
        groups: any number that the rows of a group share, shape (n,).
        at: when each was predicted, in epoch seconds, shape (n,).
        top: how many items count, the k of NDCG@k, 1 or more.
    """
    codes = np.unique(groups, return_inverse=True)[1]
    order = ordered(scores, codes)
    hits = (relevance > 0).astype(np.float64)[order.rows]
    found = order.in_group(hits)
    counted = order.rank <= top
    first = np.full(len(found), np.iinfo(np.int64).max)
    np.minimum.at(first, codes, at)
    oldest = np.argsort(first, kind="stable")
    return Ranked(
        ndcg=gain(order, relevance, codes, top)[oldest],
        average_precision=(average_precision(order, hits, counted) / np.clip(found, 1, top))[oldest],
        reciprocal_rank=reciprocal_rank(order, hits, counted)[oldest],
        precision=(order.in_group(order.in_block(hits) / order.size * counted) / top)[oldest],
        relevant=found[oldest] > 0,
        at=first[oldest],
    )


def ordered(scores: Floats, codes: Counts) -> Order:
    """Return the rows by group and falling score; `codes` are 0 to g − 1."""
    rows = np.lexsort((-scores, codes))
    group, score, n = codes[rows], scores[rows], np.arange(len(rows))
    new_group = np.append(True, group[1:] != group[:-1])
    new_block = new_group | np.append(True, score[1:] != score[:-1])
    starts, block = np.flatnonzero(new_block), np.cumsum(new_block) - 1
    rank = n - np.flatnonzero(new_group)[group] + 1
    return Order(rows, group, rank, n - starts[block] + 1, starts, block, np.diff(np.append(starts, len(n)))[block])


def gain(order: Order, relevance: Floats, codes: Counts, top: int) -> Floats:
    """Return the discounted gain of each group as a share of the best that its items allow (Järvelin & Kekäläinen 2002)."""
    most = np.zeros(int(codes.max()) + 1)
    np.maximum.at(most, codes, relevance)
    gains = relevance / np.where(most > 0, most, 1.0)[codes]  # a share of the group's largest: no sum can overflow
    discount = np.where(order.rank <= top, 1 / np.log2(order.rank + 1), 0.0)
    ours = order.in_group(order.in_block(gains[order.rows]) / order.size * discount)
    best = order.in_group(gains[np.lexsort((-gains, codes))] * discount)
    return np.asarray(ours / np.where(most > 0, best, 1.0), dtype=np.float64)


def average_precision(order: Order, hits: Floats, counted: Flags) -> Floats:
    """Return the expected sum, a group, of the precision at every relevant item that counts."""
    relevant, seen = order.in_block(hits), _seen(order, hits)
    others = (order.place - 1) * (relevant - 1) / np.maximum(order.size - 1, 1)
    return order.in_group(relevant / order.size * (seen + 1 + others) / order.rank * counted)


def reciprocal_rank(order: Order, hits: Floats, counted: Flags) -> Floats:
    """Return one over the rank of each group's first relevant item, expected; 0 where none counts."""
    relevant = order.in_block(hits)
    may_be = (relevant > 0) & (_seen(order, hits) == 0) & (order.size - order.place >= relevant - 1) & counted
    n, r, p = order.size[may_be], relevant[may_be], order.place[may_be]
    chance = np.zeros(len(hits))
    chance[may_be] = np.exp(_choices(n - p, r - 1) - _choices(n, r))  # the first of r relevant among n in any order stands at p
    return order.in_group(chance / order.rank)


def _seen(order: Order, hits: Floats) -> Floats:
    """Return how many relevant items of its group stand in the blocks before each row's."""
    before = np.append(0.0, np.cumsum(hits))[order.starts][order.block]
    start = np.flatnonzero(order.rank == 1)[order.group]
    return np.asarray(before - before[start], dtype=np.float64)


def _choices(n: Floats, k: Floats) -> Floats:
    """Return the logarithm of how many ways there are to choose k of n."""
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1), dtype=np.float64)
