"""The worst corner of the inputs: found where it was put, not found where there is none, as by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bot.core.joint import JointRows
from bot.stats.slices import blocks, losses, worst_slices
from tests.fakes.readings import joint


def labelled(n=3_000, seed=0, broken=None, columns=None) -> JointRows:
    """Return rows with honest scores, but where `broken(columns)` says so the truth is the other way round."""
    random = np.random.default_rng(seed)
    columns = columns or {
        "age": random.uniform(0, 100, n),
        "wind": random.normal(size=n),
        "origin": random.choice(["JFK", "EWR", "LGA"], n).tolist(),
        "carrier": random.choice(["UA", "DL", "B6", "AA"], n).tolist(),
    }
    scores = random.uniform(0.05, 0.35, n)
    truth = random.random(n) < scores
    if broken is not None:
        truth ^= broken({name: np.asarray(values) for name, values in columns.items()}) & (random.random(n) < 0.6)
    return joint(columns, scores=scores, labels=truth.astype(np.float64))


USUAL = labelled(seed=9)


def test_a_level_on_which_the_model_errs_is_found():
    worst = worst_slices(USUAL, labelled(broken=lambda c: c["origin"] == "JFK"))[0]

    assert worst.name == "origin = JFK"
    assert worst.loss > worst.rest + 0.15
    assert worst.chance < 1e-6
    assert worst.n == pytest.approx(1_000, abs=100)


def test_a_quarter_of_a_number_is_found_and_named_by_the_references_edges():
    worst = worst_slices(USUAL, labelled(broken=lambda c: c["age"] > 75))[0]

    assert worst.name.startswith("age > 7")
    assert worst.chance < 1e-6


def test_a_corner_of_two_inputs_is_found_as_that():
    worst = worst_slices(USUAL, labelled(broken=lambda c: (c["origin"] == "JFK") & (c["carrier"] == "UA")))[0]

    assert sorted(worst.name.split(", ")) == ["carrier = UA", "origin = JFK"]


def test_a_slice_that_was_always_hard_is_no_news():
    hard = {"broken": lambda c: c["origin"] == "JFK"}
    worst = worst_slices(labelled(seed=3, **hard), labelled(seed=4, **hard))[0]

    assert worst.chance > 0.05


def test_where_nothing_is_wrong_a_certain_slice_is_rare():
    chances = [worst_slices(labelled(seed=2 * seed), labelled(seed=2 * seed + 1))[0].chance for seed in range(40)]

    assert sum(chance < 0.05 for chance in chances) <= 5


def test_the_numbers_are_those_made_by_hand():
    now = labelled(broken=lambda c: c["origin"] == "JFK")
    worst = worst_slices(USUAL, now)[0]

    def differences(rows):
        inside = rows.column("origin") == rows.levels["origin"].index("JFK")
        loss, block = losses(rows), blocks(rows)
        one, other = loss[inside].mean(), loss[~inside].mean()
        pull = np.where(inside, (loss - one) / inside.sum(), -(loss - other) / (~inside).sum())
        return one, other, np.sqrt((np.bincount(block, pull) ** 2).sum() * 60 / 59)

    loss, rest, error = differences(now)
    was_loss, was_rest, was_error = differences(USUAL)
    excess = (loss - rest) - (was_loss - was_rest)

    assert (worst.loss, worst.rest, worst.before) == pytest.approx((loss, rest, was_loss - was_rest), abs=1e-9)
    assert worst.excess == pytest.approx(excess, abs=1e-9)
    tested = worst.chance / stats.t.sf(excess / np.hypot(error, was_error), 59)
    assert tested == pytest.approx(round(tested), rel=1e-4)  # as often as slices were looked at


def test_one_bad_day_is_no_proof_however_many_rows_it_has():
    day = np.sort(np.random.default_rng(0).integers(0, 14, 3_000))
    calm = {"origin": ["JFK", "EWR", "LGA"] * 1_000}
    storm = labelled(columns=calm, broken=lambda c: (c["origin"] == "JFK") & (day == 6))
    spread = labelled(columns=calm, broken=lambda c: (c["origin"] == "JFK") & (np.arange(3_000) % 9 < 3))

    assert worst_slices(USUAL, replace(storm, at=day * 86_400))[0].chance > 0.05
    assert worst_slices(USUAL, replace(spread, at=day * 86_400))[0].chance < 0.05


def test_a_block_is_a_day_and_in_a_short_window_a_stretch():
    assert list(blocks(joint({"x": np.zeros(6)}, at=np.array([0, 1, 2, 3, 4, 4]) * 86_400))) == [0, 1, 2, 3, 4, 4]
    assert len(set(blocks(joint({"x": np.zeros(300)})))) == 60
    assert len(set(blocks(joint({"x": np.zeros(300)}, at=np.arange(300) * 86_400)))) == 60


def test_a_new_level_has_no_before():
    n = 1_000
    columns = {"origin": ["JFK"] * 700 + ["new"] * 300}
    worst = worst_slices(
        labelled(n, columns={"origin": ["JFK"] * n}), labelled(n, columns=columns, broken=lambda c: c["origin"] == "new")
    )

    assert (worst[0].name, worst[0].before) == ("origin = new", None)


def test_missing_values_are_a_slice():
    n = 1_000
    columns = {"age": np.where(np.arange(n) % 3 == 0, np.nan, 1.0)}
    usual, now = labelled(n, columns=columns), labelled(n, seed=1, columns=columns, broken=lambda c: np.isnan(c["age"]))

    assert worst_slices(usual, now)[0].name == "age is missing"


def test_slices_that_share_their_rows_are_told_once():
    n = 1_500
    origin = np.random.default_rng(1).choice(["JFK", "EWR"], n).tolist()
    now = labelled(n, columns={"origin": origin, "again": origin}, broken=lambda c: c["origin"] == "JFK")

    assert (
        len([w for w in worst_slices(labelled(n, seed=2, columns={"origin": origin, "again": origin}), now) if w.chance < 0.01])
        == 1
    )


@pytest.mark.parametrize("rows", [labelled(150), labelled(900, columns={"still": np.ones(900)}), joint({"x": np.arange(900.0)})])
def test_where_there_is_nothing_to_compare_there_is_no_slice(rows):
    assert worst_slices(USUAL, rows) == []


def test_a_reference_without_labels_takes_nothing_away():
    bare = joint({"origin": ["JFK", "EWR"] * 500})
    worst = worst_slices(bare, labelled(broken=lambda c: c["origin"] == "JFK"))[0]

    assert (worst.name, worst.before) == ("origin = JFK", None)
    assert worst.excess == pytest.approx(worst.loss - worst.rest)


def test_a_level_as_long_as_a_letter_is_cut():
    n = 1_000
    columns = {"note": ["x" * 500 if i % 2 else "y" for i in range(n)]}
    names = [
        w.name for w in worst_slices(labelled(n, columns=columns), labelled(n, columns=columns, broken=lambda c: c["note"] != "y"))
    ]

    assert names[0] == f"note = {'x' * 39}…"
