import numpy as np
import pytest

from bot.checks.reconstruction import reconstruction
from bot.core.findings import Verdict
from tests.fakes.readings import a_reading, joint
from tests.unit.checks.judging import found, unmeasured


def window(n=800, seed=0, flip=1.0):
    random = np.random.default_rng(seed)
    x = random.normal(size=n)
    return a_reading({"x": x, "y": flip * x + random.normal(0, 0.2, n), "c": random.choice(["a", "b"], n).tolist()})


@pytest.mark.parametrize(("flip", "verdict"), [(1.0, Verdict.HEALTHY), (-1.0, Verdict.CRITICAL)])
def test_columns_that_no_longer_go_together_are_judged(flip, verdict):
    finding = found(reconstruction, window(), window(seed=1, flip=flip))["model"]

    assert finding.verdict is verdict
    assert finding.reason.startswith("mean error ")


@pytest.mark.parametrize(("then", "now", "side"), [(199, 800, "reference"), (800, 199, "window")])
def test_too_few_rows_are_said_to_be_too_few(then, now, side):
    assert unmeasured(reconstruction, window(then), window(now)) == {"model": f"199 of 200 whole rows in the {side}"}


def test_a_reading_without_whole_rows_says_so():
    assert unmeasured(reconstruction, a_reading(joint=None), window()) == {"model": "0 of 200 whole rows in the reference"}


def test_columns_that_all_changed_their_kind_cannot_be_compared():
    other = a_reading(joint=joint({"x": ["a"] * 600}), rows=600)

    assert unmeasured(reconstruction, window(), other) == {"model": "no column is the same kind on both sides"}
