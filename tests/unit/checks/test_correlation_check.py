import numpy as np
import pytest

from bot.checks.correlation import correlation
from bot.core.findings import Verdict
from tests.fakes.readings import a_reading
from tests.unit.checks.judging import found, unmeasured


def window(n=800, seed=0, noise=0.5):
    random = np.random.default_rng(seed)
    x = random.normal(size=n)
    return a_reading({"x": x, "y": x + random.normal(0, noise, n), "z": random.normal(size=n)})


@pytest.mark.parametrize(("noise", "verdict"), [(0.5, Verdict.HEALTHY), (1.4, Verdict.WARNING), (5.0, Verdict.CRITICAL)])
def test_two_columns_that_no_longer_go_together_are_judged(noise, verdict):
    finding = found(correlation, window(), window(seed=1, noise=noise))["x ~ y"]

    assert finding.verdict is verdict
    assert finding.reason.startswith("was 0.8")


def test_at_most_five_pairs_are_told():
    wide = {f"x{i}": np.random.default_rng(i).normal(size=300) for i in range(5)}

    assert len(found(correlation, a_reading(wide), a_reading(wide))) == 5


def test_a_change_within_chance_is_healthy_however_large():
    thin = [
        a_reading({"x": np.random.default_rng(i).normal(size=110), "y": np.random.default_rng(i + 9).normal(size=110)})
        for i in range(2)
    ]

    assert {f.verdict for f in found(correlation, *thin).values()} == {Verdict.HEALTHY}


def test_without_two_number_columns_there_is_nothing_to_measure():
    lone = a_reading({"x": np.arange(300.0)})

    assert unmeasured(correlation, lone, lone) == {"model": "no two number columns with 100 rows on both sides"}
    assert "model" in unmeasured(correlation, lone, a_reading(joint=None))
