"""Who is to blame: an input that moved, that the model leans on, and that went along with the loss; else nobody."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from bot.core.checks import Family, Measurement
from bot.core.clues import Clues, WorseSlice
from bot.core.errors import SourceUnavailable
from bot.core.findings import Verdict
from bot.core.models import Feature
from bot.core.readings import BINARY, REGRESSION
from bot.core.windows import Window
from bot.flow.blame import (
    Suspect,
    Weights,
    broken,
    likely_cause,
    slice_rows,
    strength,
    strongest,
    suspects,
    together,
    weights_of,
)
from bot.flow.explain import explain_all
from tests.fakes.nouns import NOON, a_finding
from tests.fakes.readings import joint
from tests.unit.flow.room import DELAYS

BAD = Verdict.CRITICAL
MOVED = a_finding(subject="temp", verdict=BAD, value=1.0, threshold=0.25, unit="nats", label="PSI")
WEIGHTS = Weights({"temp": 0.4, "wind": 0.01})


def history(values, lag=timedelta(0), **changes):
    """Return the findings of so many days, oldest first."""
    return [
        a_finding(value=value, window=Window.ending(NOON + timedelta(days=i) + lag, timedelta(days=1)), **changes)
        for i, value in enumerate(values)
    ]


def blamed(*found, weights=WEIGHTS, went=None):
    return likely_cause(DELAYS, suspects(DELAYS, found, weights), weights, went)


def test_the_input_that_moved_far_and_that_the_model_leans_on_is_named_with_its_team():
    assert blamed(MOVED) == {"feature": "temp", "team": "weather", "text": "PSI 1; the model leans on it with 40 %"}


def test_that_it_went_along_with_the_loss_is_part_of_why():
    assert blamed(MOVED, went=(-0.83, 20))["text"].endswith("; over 20 windows it went along with the loss (r −0.83)")


def test_an_input_that_moved_while_the_model_did_well_is_not_blamed():
    cause = blamed(MOVED, went=(0.05, 20))

    assert cause["feature"] == ""
    assert "over 20 windows it did not go along with the loss (r 0.05)" in cause["text"]


def test_two_that_are_equally_suspect_leave_nobody():
    even = Weights({"temp": 0.3, "wind": 0.3})
    cause = blamed(MOVED, replace(MOVED, subject="wind"), weights=even)

    assert cause["text"] == "No single input explains it: temp and wind are about equally suspect."
    assert blamed(MOVED, replace(MOVED, subject="wind"))["feature"] == "temp"


@pytest.mark.parametrize(
    ("weights", "why"),
    [
        (Weights({}), "on which inputs the model leans is not known; give their importance"),
        (Weights({"temp": 0.02, "wind": 0.5}), "temp moved most (PSI 1), but the model hardly leans on it (2 %)"),
    ],
)
def test_an_input_that_nobody_knows_to_matter_is_not_blamed(weights, why):
    cause = blamed(MOVED, weights=weights)

    assert cause["feature"] == ""
    assert why in cause["text"]


def test_where_nothing_moved_nothing_is_blamed():
    assert blamed(replace(MOVED, verdict=Verdict.HEALTHY), replace(MOVED, subject="x ~ y"))["text"] == (
        "No single input explains it: no input has moved beyond its line."
    )


def test_a_surrogate_that_explains_the_score_is_named_as_the_source():
    bare = replace(DELAYS, features=(Feature("temp", "numeric"),))
    weights = weights_of(bare, Clues({"temp": 0.7}, fit=0.92))

    assert blamed(MOVED, weights=weights)["text"].endswith("leans on it with 70 % (by a surrogate that explains 92 % of the score)")
    assert weights_of(bare, Clues({"temp": 0.7}, fit=0.79)) == Weights({})
    assert weights_of(DELAYS, Clues({"temp": 0.7}, fit=0.92)) == WEIGHTS


def test_a_suspect_that_is_no_longer_a_feature_has_no_team():
    cause = likely_cause(replace(DELAYS, features=()), [Suspect(MOVED, 0.4)], WEIGHTS, None)

    assert cause["team"] == ""


@pytest.mark.parametrize(
    ("changes", "times"),
    [
        ({"value": 0.5}, 4.0),
        ({"value": 90.0}, 10.0),
        ({"value": -0.5}, 4.0),
        ({"value": 0.5, "verdict": Verdict.WARNING}, 2.0),
        ({"threshold": None}, 2.0),
        ({"value": None}, 0.0),
    ],
)
def test_strength_is_how_often_the_line_fits_in_up_to_five_times_and_double_when_critical(changes, times):
    assert strength(replace(MOVED, **changes)) == times


def test_of_a_column_the_clearest_finding_stands_for_it():
    ks = replace(MOVED, check="ks", value=0.25, threshold=0.2)
    found = strongest([ks, MOVED, replace(ks, value=0.3), replace(MOVED, family=Family.PERFORMANCE, subject="brier")])

    assert found == {"temp": MOVED}


def test_two_histories_that_rise_together_go_together():
    went = together(history(range(10)), history([v * v for v in range(10)], lag=timedelta(hours=3)))

    assert went == (pytest.approx(1.0), 10)


def test_loss_counts_by_its_size_not_by_its_sign():
    assert together(history(range(10)), history([-v for v in range(10)]))[0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("drift", "loss"),
    [
        (history(range(7)), history(range(7))),
        ([], history(range(9))),
        (history([1.0] * 9), history(range(9))),
        (history(range(9)), history([1.0] * 9)),
        (history([None] * 9), history(range(9))),
        (history(range(9)), history([None] * 9)),
        (history(range(9)), history(range(9), lag=timedelta(days=90))),
    ],
)
def test_too_few_or_still_windows_tell_nothing(drift, loss):
    assert together(drift, loss) is None


def test_broken_columns_are_their_own_cause_and_belong_to_the_team_that_feeds_them_all():
    gone = a_finding(check="missing", subject="temp", family=Family.DATA_QUALITY, verdict=BAD, value=0.9, unit="share")

    assert broken(DELAYS, [gone]) == {"feature": "temp", "team": "weather", "text": "missing 90 %"}
    assert broken(DELAYS, [replace(gone, subject="wind"), gone]) == {
        "feature": "temp, wind",
        "team": "weather",
        "text": "missing 90 % of temp",
    }


def test_broken_columns_of_several_teams_have_no_single_one_and_what_is_no_input_no_cause():
    mixed = replace(DELAYS, features=(Feature("temp", "numeric", 0.4, "weather"), Feature("wind", "numeric", 0.1, "airport")))

    assert broken(mixed, [a_finding(subject=s, value=1.0) for s in ("temp", "wind")])["team"] == ""
    assert "is not one of the model's inputs" in broken(DELAYS, [a_finding(subject="model")])["text"]


def test_only_slices_that_are_surely_and_much_worse_are_shown():
    jfk = WorseSlice("origin = JFK", 0.241, 0.112, 0.01, 0.119, 1e-6, 1_320)
    shown = slice_rows(Clues(slices=(jfk, replace(jfk, chance=0.2), replace(jfk, excess=0.01))))

    assert shown == [{"name": "origin = JFK", "n": 1_320, "text": "squared error 0.241, elsewhere 0.112"}]


def test_an_incidents_evidence_names_the_cause(room):
    room.log.drift = 0.9
    room.losing()
    cause = room.incident().evidence["cause"]

    assert (cause["feature"], cause["team"]) == ("temp", "weather")
    assert cause["text"] == "PSI 0.9; the model leans on it with 40 %"


def test_the_evidence_of_broken_data_names_the_columns(room):
    room.log.missing = 1.0
    room.looks(2)

    assert room.incident().evidence["cause"]["feature"] == "temp"


def test_an_incident_of_operations_is_not_held_against_losses(room):
    room.log.drift = 0.9
    room.measures("latency", lambda _r, c: iter([slow(c)]))
    room.looks(2)

    assert room.incident().evidence["cause"]["feature"] == "temp"


def slow(current):
    return Measurement("p95", 900.0, current.rows, reference=20.0)


def test_a_surrogate_is_asked_for_where_no_importance_is_configured_and_ranks_what_moved(room):
    asked = []

    def clues(then, now, learn):
        asked.append(learn)
        return Clues({"temp": 0.6}, 0.9)

    room.lays(clues=clues)
    room.log.drift = 0.9
    room.losing()
    assert asked == [False]

    bare = replace(room.model, features=(Feature("temp", "numeric", team="weather"),))
    room.model = bare
    room.lays(models={bare.key: bare})
    room.forgets_evidence()
    explain_all(room.desk)
    evidence = room.incident().evidence

    assert asked == [False, True]
    assert evidence["drift"][0]["importance"] == 0.6
    assert evidence["weights"] == "by a surrogate that explains 90 % of the score"


@pytest.mark.parametrize(("task", "searched"), [(BINARY, True), (REGRESSION, False)])
def test_of_a_regression_no_slices_are_searched_but_its_inputs_are_ranked(room, task, searched):
    asked = []
    room.losing()
    room.lays(clues=lambda _then, now, learn: asked.append((now, learn)) or Clues())
    rows = joint({"temp": np.arange(9.0)}, scores=np.arange(9.0), labels=np.ones(9))
    read = room.log.reading
    room.log.reading = lambda *given, **named: replace(read(*given, **named), joint=rows)
    room.model = replace(room.model, task=task, features=(Feature("temp", "numeric"),))
    room.lays(models={room.model.key: room.model})
    room.forgets_evidence()
    explain_all(room.desk)
    (now, learn) = asked[-1]

    assert (learn, now.scores.tolist()) == (True, rows.scores.tolist())
    assert bool(np.isnan(now.labels).any()) is not searched


def test_a_log_that_is_down_when_the_evidence_is_gathered_leaves_it_without_clues(room):
    room.losing()
    room.forgets_evidence()

    def down(*_given, **_named):
        raise SourceUnavailable("The log is gone; mount it.")

    room.log.reading = down
    explain_all(room.desk)

    assert room.incident().evidence["slices"] == []
