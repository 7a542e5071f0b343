import numpy as np

from bot.checks.slices import slices
from bot.core.findings import Verdict
from tests.fakes.readings import a_reading, joint
from tests.unit.checks.judging import found, measured, unmeasured


def window(seed=0, wrong=0.0, n=2_000):
    """Return rows of two origins; at JFK so many of the predictions come out the other way round."""
    random = np.random.default_rng(seed)
    origin = random.choice(["JFK", "EWR"], n)
    scores = random.uniform(0.05, 0.3, n)
    truth = (random.random(n) < scores) ^ ((origin == "JFK") & (random.random(n) < wrong))
    return a_reading(rows=n, joint=joint({"origin": origin.tolist()}, scores=scores, labels=truth.astype(np.float64)))


def test_a_slice_on_which_the_model_errs_is_critical():
    finding = found(slices, window(), window(1, wrong=0.5))["origin = JFK"]

    assert finding.verdict is Verdict.CRITICAL
    assert "elsewhere" in finding.reason
    assert "in the reference it was " in finding.reason


def test_where_all_slices_do_alike_all_is_well():
    assert {f.verdict for f in found(slices, window(), window(1)).values()} == {Verdict.HEALTHY}


def test_without_labels_there_is_no_loss_to_compare():
    bare = a_reading({"origin": ["JFK"] * 900})

    assert unmeasured(slices, bare, bare) == {"model": "no slice with 100 labelled rows does worse than the others"}
    assert "model" in unmeasured(slices, window(), a_reading(joint=None))


def test_a_reference_without_rows_takes_nothing_away():
    assert measured(slices, a_reading(joint=None), window(1, wrong=0.5))["origin = JFK"].value > 0.1
