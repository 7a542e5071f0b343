import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

import bot.actions
from bot.actions.set_traffic import SetTraffic, set_traffic, wilson
from bot.core.actions import Action, Change
from bot.core.errors import ActionFailed, ConfigError
from bot.core.registry import discover
from tests.fakes.splitter import FakeSplitter

TARGET = "delays"


def timed(splitter, per_wait):
    """The action, with `per_wait` requests (a number or a call) coming in at every wait."""
    clock = [0.0]

    def sleep(seconds):
        clock[0] += seconds
        splitter.send(per_wait() if callable(per_wait) else per_wait)

    return SetTraffic("set_traffic", now=lambda: clock[0], sleep=sleep)


def change_to(share, within=0.0, before=None):
    before = before or {"v1": 1.0, "v2": 0.0}
    return Change("ramp", "set_traffic", TARGET, before, {"v1": 1 - share, "v2": share}, "", measure_share_within=within)


def plan(parameters, before=None, splitter=None):
    return set_traffic.plan(splitter or FakeSplitter(), TARGET, parameters, step="ramp", before=before)


def test_it_is_found_by_its_name():
    assert discover(bot.actions, Action)["set_traffic"] is set_traffic


# the interval


@pytest.mark.parametrize(("k", "n"), [(8, 10), (1, 3), (250, 1000), (0, 7), (7, 7)])
def test_the_interval_is_the_one_that_scipy_computes(k, n):
    oracle = binomtest(k, n).proportion_ci(confidence_level=0.99, method="wilson")

    assert wilson(k, n) == pytest.approx((oracle.low, oracle.high), abs=1e-5)


@pytest.mark.parametrize(("k", "n", "interval"), [(0, 0, (0.0, 1.0)), (0, 100, (0.0, 0.0622)), (100, 100, (0.9378, 1.0))])
def test_the_interval_stays_inside_0_and_1(k, n, interval):
    assert wilson(k, n) == pytest.approx(interval, abs=1e-4)


# the plan


def test_a_later_step_goes_on_where_the_earlier_one_ends():
    assert plan({"version": "v2", "share": 0.5}, before={"v1": 0.75, "v2": 0.25}).words == "v1 75 % · v2 25 % → v2 50 % · v1 50 %"


def test_the_other_versions_keep_their_proportions():
    after = plan({"version": "v3", "share": 0.5}, before={"v1": 0.6, "v2": 0.2, "v3": 0.2}).after

    assert after == {"v1": 0.375, "v2": 0.125, "v3": 0.5}


def test_a_whole_split_can_be_asked_for():
    assert plan({"split": {"v1": 0.3, "v2": 0.7}}).after == {"v1": 0.3, "v2": 0.7}


def test_a_whole_split_may_come_as_the_text_that_a_parameter_is():
    assert plan({"split": '{"v1":0.3,"v2":0.7}'}).after == {"v1": 0.3, "v2": 0.7}


@pytest.mark.parametrize(("share", "v2"), [(0.25, 0.0), (0.5, 0.0), (0.75, 1.0), (1.0, 1.0)])
def test_where_one_version_gets_all_or_none_a_half_moves_nothing_and_more_moves_all(share, v2):
    splitter = FakeSplitter()
    splitter.grain = 1

    for names in ({"version": "v2", "share": share}, {"split": {"v2": share, "v1": 1 - share}}):
        change = plan(names, splitter=splitter)
        assert (change.before, change.after) == ({"v1": 1.0, "v2": 0.0}, {"v1": 1 - v2, "v2": v2})


def test_a_share_may_come_as_the_text_that_a_form_gives():
    assert plan({"version": "v2", "share": "0.25"}).after == {"v1": 0.75, "v2": 0.25}


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({}, r"set_traffic needs `version` and `share`, or `split`"),
        ({"version": "v2"}, r"set_traffic needs `version` and `share`, or `split`"),
        ({"version": "v2", "share": 0.5, "weight": 1}, r"set_traffic needs"),
        ({"version": "v2", "share": 1.5}, r"`share` must be a number from 0 to 1"),
        ({"version": "v2", "share": "half"}, r"`share` must be a number from 0 to 1"),
        ({"version": "v2", "share": True}, r"`share` must be a number from 0 to 1"),
        ({"version": "v2", "share": None}, r"`share` must be a number from 0 to 1"),
        ({"version": "v9", "share": 0.5}, r"there is no version 'v9' to send traffic to; known: v1, v2"),
        ({"version": "v1", "share": 0.5}, r"'v1' serves everything, so nothing says who gets the rest"),
        ({"split": {"v1": 0.5}}, r"the shares must lie between 0 and 1 and add up to 1"),
        ({"split": {"v1": "nan", "v2": 1}}, r"the shares must lie between 0 and 1 and add up to 1"),
        ({"split": "v2"}, r"`split` must be version → share"),
        ({"split": "[1]"}, r"`split` must be version → share"),
        ({"split": None}, r"`split` must be version → share"),
    ],
)
def test_parameters_that_make_no_sense_are_refused_with_the_steps_name(parameters, sentence):
    with pytest.raises(ConfigError, match=r"^Step 'ramp': .*" + sentence):
        plan(parameters)


@given(st.dictionaries(st.sampled_from(["v1", "v2", "v3", "v4"]), st.integers(1, 10_000), min_size=2), st.integers(0, 10_000))
def test_every_planned_split_adds_up_to_exactly_1(weights, share):
    before = {version: weight / sum(weights.values()) for version, weight in weights.items()}
    after = plan({"version": min(weights), "share": share / 10_000}, before=before).after

    assert round(sum(round(s * 10_000, 6) for s in after.values()), 3) == 10_000
    assert all(0 <= s <= 1 for s in after.values())


class Stone:
    name = "stone"


@pytest.mark.parametrize("verb", ["plan", "precheck", "read_back", "measure"])
def test_a_platform_that_is_no_splitter_is_named(verb):
    calls = {
        "plan": lambda: set_traffic.plan(Stone(), TARGET, {}, step="ramp", before=None),
        "precheck": lambda: set_traffic.precheck(Stone(), change_to(0.5)),
        "read_back": lambda: set_traffic.read_back(Stone(), change_to(0.5), "run:ramp"),
        "measure": lambda: set_traffic.measure(Stone(), replace(change_to(0.5), hold_s=1.0), "run:ramp"),
    }

    with pytest.raises(ConfigError, match="'stone' is no traffic splitter"):
        calls[verb]()


# the measurement


def test_a_splitter_that_says_ok_and_does_nothing_is_caught_by_counting():
    splitter = FakeSplitter()
    splitter.lies = True
    splitter.set_split(TARGET, {"v1": 0.75, "v2": 0.25}, "run:ramp")

    with pytest.raises(ActionFailed, match=r"set to v1 75 % · v2 25 %, but of [\d,]+ requests it really served v1 100 %"):
        timed(splitter, 40).measure(splitter, replace(change_to(0.25), hold_s=5.0), "run:ramp")


def test_the_hold_is_kept_even_when_the_counts_are_clear_at_once():
    splitter = FakeSplitter(split={"v1": 0.0, "v2": 1.0})

    assert timed(splitter, 1000).measure(splitter, replace(change_to(1.0), hold_s=30.0), "run:ramp").measured["seconds"] >= 30


def test_too_few_requests_stretch_the_wait_until_they_are_enough():
    splitter = FakeSplitter(split={"v1": 0.5, "v2": 0.5})
    effect = timed(splitter, 10).measure(splitter, replace(change_to(0.5, within=0.1), hold_s=2.0), "run:ramp")

    assert effect.words == "measured v2 50 % · v1 50 % over 160 requests"
    assert effect.measured["seconds"] > 2


def test_a_splitter_whose_counts_come_late_is_given_that_much_more_time():
    splitter = FakeSplitter(split={"v1": 0.5, "v2": 0.5})
    splitter.lag_s = 300.0

    with pytest.raises(ActionFailed, match=r"^Only 0 requests for delays came in 360 s"):
        timed(splitter, 0).measure(splitter, change_to(0.5), "run:ramp")


@pytest.mark.parametrize(("per_wait", "requests"), [(0, "0"), (1, "240")])
def test_too_few_requests_for_too_long_are_told_as_what_they_are(per_wait, requests):
    splitter = FakeSplitter(split={"v1": 0.5, "v2": 0.5})

    with pytest.raises(ActionFailed, match=f"^Only {requests} requests for delays came in 60 s, too few to tell whether it really"):
        timed(splitter, per_wait).measure(splitter, replace(change_to(0.5), hold_s=2.0), "run:ramp")


def test_a_wider_tolerance_needs_fewer_requests():
    splitter = FakeSplitter(split={"v1": 0.5, "v2": 0.5})
    narrow, wide = (
        timed(splitter, 10).measure(splitter, replace(change_to(0.5, within=w), hold_s=0.0), "run:ramp").measured["requests"]
        for w in (0.1, 0.2)
    )

    assert wide < narrow / 3


def test_a_version_nobody_planned_for_counts_against_the_change():
    splitter = FakeSplitter(split={"v1": 0.5, "v2": 0.25, "v3": 0.25})
    splitter.configured = {"v1": 0.5, "v2": 0.5, "v3": 0.0}
    change = Change("ramp", "set_traffic", TARGET, {}, {"v1": 0.5, "v2": 0.5}, "")

    with pytest.raises(ActionFailed, match="really served"):
        timed(splitter, 100).measure(splitter, replace(change, hold_s=5.0), "run:ramp")


class Chance(FakeSplitter):
    """Serves by lot, as real splitters do."""

    rng = random.Random(7)

    def send(self, n):
        for version in self.rng.choices(list(self.served), weights=list(self.served.values()), k=n):
            self.counts[version] += 1


def measured(share, real, within):
    splitter = Chance(split={"v1": 1 - share, "v2": share})
    splitter.served = {"v1": 1 - real, "v2": real}
    try:
        timed(splitter, 10).measure(splitter, replace(change_to(share, within=within), hold_s=1.0), "run:ramp")
    except ActionFailed:
        return False
    return True


def test_an_honest_splitter_passes_although_it_serves_by_lot():
    assert sum(measured(0.25, 0.25, 0.1) for _ in range(300)) >= 298


def test_a_splitter_that_gives_twice_the_share_never_passes():
    assert sum(measured(0.25, 0.5, 0.1) for _ in range(300)) == 0
