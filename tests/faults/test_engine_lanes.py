"""One run at a time on a model, whoever carries it out and whoever is killed meanwhile; other models go on."""

import random
import time
from itertools import pairwise

import pytest

from tests.faults.failures import balance
from tests.faults.lives import Script, eventually

LANES, RUNS, KILLS = ("delays", "churn", "fraud"), 4, 4


def overlap(one, other):
    return one[0] < other[1] and other[0] < one[1]


@pytest.mark.failure("lanes")
@pytest.mark.slow
def test_runs_on_one_model_never_overlap_though_their_owners_are_killed_and_other_models_go_on(world, lives, onlooker, tally):
    dice, script = random.Random(5), Script(onlooker.url, world, step_s=0.15)
    numbers = {lane: [f"{lane}:{n}" for n in range(RUNS)] for lane in LANES}
    for number in (numbers[lane][n] for n in range(RUNS) for lane in LANES):
        onlooker.enqueue_now("five", number, {}, lane=number.partition(":")[0])
    running = [lives.begin(script) for _ in range(3)]
    eventually(lambda: len(world.effects()) > 2, 20, "the runs were at work")
    for _ in range(KILLS):
        struck = dice.randrange(len(running))
        lives.kill(running[struck])
        time.sleep(dice.random() * 0.5)  # chance where the next kill strikes
        running[struck] = lives.begin(script)
    states = [onlooker.wait(number, 60).state for lane in LANES for number in numbers[lane]]
    stretches = {number: world.stretch(f"{number}:") for lane in LANES for number in numbers[lane]}
    overlapping = sum(overlap(stretches[a], stretches[b]) for lane in LANES for a, b in pairwise(numbers[lane]))
    beside = sum(overlap(stretches[a], stretches[b]) for a in numbers["delays"] for b in numbers["churn"])
    effects = [f"{number}:s{n}" for number in stretches for n in range(5)]
    tally(kills=KILLS, runs=len(states), **balance(effects, world.effects()))
    tally(overlaps_on_one_model=overlapping, overlaps_with_another_model=beside)

    assert states == ["SUCCESS"] * len(LANES) * RUNS
    assert overlapping == 0
    assert beside > 0
    assert (tally.counts["lost"], tally.counts["doubled"]) == (0, 0)
    assert [sorted(numbers[lane], key=stretches.__getitem__) for lane in LANES] == [numbers[lane] for lane in LANES]
