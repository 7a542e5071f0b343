"""The demo's story, told as facts of the data: whoever changes the models must see the story again here."""

import numpy as np
import pandas as pd
import pytest

from bot.demo.experiment import (
    QUIET,
    Band,
    day_band,
    gap,
    look_back,
    openings,
    paired,
    stability_index,
    verdict,
)
from bot.demo.flights import WEATHER, between, labelled
from bot.demo.models import log_losses

TRAINING = ("2013-01-01", "2013-05-01")
JULY = ("2013-07-01", "2013-08-01")
SEPTEMBER = ("2013-09-01", "2013-10-01")


def known(scored, span):
    return labelled(between(scored, *span))


def test_julys_temperature_drift_is_huge(scored):
    drift = stability_index(between(scored, *TRAINING)["temp"], between(scored, *JULY)["temp"])

    assert drift > 9


def test_the_served_model_does_not_lose_in_july(scored):
    july = gap(known(scored, JULY), "v3")

    assert july.low < 0 < july.high
    assert abs(july.value) < 0.05


def test_in_early_summer_the_newest_version_is_the_best_calibrated(scored):
    early_summer = known(scored, ("2013-06-01", "2013-08-01"))
    gaps = {version: abs(gap(early_summer, version).value) for version in ("v1", "v2", "v3")}

    assert min(gaps, key=gaps.__getitem__) == "v3"
    assert paired(early_summer, "v3", "v2").value < 0


@pytest.mark.slow
def test_no_morning_of_the_quiet_stretch_opens_an_incident(scored):
    assert openings(scored, "v3", QUIET) == []


def test_the_shift_opens_an_incident_at_the_end_of_august(scored):
    opened = openings(scored, "v3", ("2013-08-20", "2013-09-05"))

    assert "2013-08-28" <= opened[0] <= "2013-09-02"


def test_in_september_the_served_model_promises_twice_the_delays_that_come(scored):
    september = known(scored, SEPTEMBER)

    assert september["v3"].mean() > 2 * september["late"].mean()
    assert gap(september, "v3").low > 0.05


def test_absolute_loss_and_accuracy_hide_the_shift(scored):
    losses, hits = [], []
    for span in (JULY, SEPTEMBER):
        rows = known(scored, span)
        losses.append(log_losses(rows["v3"].to_numpy(), rows["late"].to_numpy()).mean())
        hits.append(((rows["v3"] > 0.5) == (rows["late"] > 0.5)).mean())

    assert losses[1] < losses[0]
    assert hits[1] > hits[0]


def test_scores_do_not_drift_in_september(scored):
    drift = stability_index(between(scored, *TRAINING)["v3"], between(scored, *SEPTEMBER)["v3"])

    assert drift < 0.1


@pytest.mark.parametrize("span", [("2013-08-15T09:00", "2013-08-29T09:00"), SEPTEMBER])
def test_the_earlier_version_does_better_on_the_very_same_flights(scored, span):
    rows = known(scored, span)

    assert paired(rows, "v3", "v2").low > 0
    assert not gap(rows, "v2").breaches


def test_the_earliest_version_is_not_the_one_to_return_to(scored):
    assert paired(known(scored, SEPTEMBER), "v1", "v2").low > 0


def test_v2_has_never_seen_a_warm_hour(scored):
    assert between(scored, "2013-01-01", "2013-04-01")["temp"].max() < 80
    assert (between(scored, "2013-01-01", "2013-04-01")["temp"] > 65).sum() == 0


def test_warm_hours_stop_meaning_late_flights(scored):
    warm = scored[scored["temp"] > 65]
    summer, september = known(warm, ("2013-06-01", "2013-08-01")), known(warm, SEPTEMBER)

    assert september["late"].mean() < 0.6 * summer["late"].mean()
    assert september["v3"].mean() == pytest.approx(summer["v3"].mean(), abs=0.02)


def test_fresh_flights_after_the_rollback_are_healthy_by_the_same_threshold(scored):
    fresh = look_back(scored, "2013-09-05", days=7)

    assert verdict(gap(fresh, "v2")) == "healthy"
    assert verdict(gap(fresh, "v3")) == "critical"


def test_the_first_days_after_the_rollback_are_not_enough_data(scored):
    fresh = look_back(scored, "2013-09-02", days=4)

    assert verdict(gap(fresh, "v2")) == "not enough data"


@pytest.mark.slow
def test_after_the_rollback_no_incident_of_this_kind_opens_again(scored):
    assert openings(scored, "v2", ("2013-09-05", "2013-12-31")) == []


def test_on_31_december_no_version_sees_any_weather(scored):
    rows = known(scored, ("2013-12-31T00:00", "2014-01-02T00:00"))
    best, worst = sorted(log_losses(rows[v].to_numpy(), rows["late"].to_numpy()).mean() for v in ("v1", "v2", "v3"))[::2]

    assert rows[list(WEATHER)].isna().all(axis=None)
    assert worst - best < 0.02


def test_a_band_over_days_is_much_wider_than_one_over_flights(scored):
    rows = look_back(scored, "2013-08-29")
    row_wise = 1.96 * (rows["v3"] - rows["late"]).std() / np.sqrt(len(rows))
    served = gap(rows, "v3")

    assert (served.high - served.low) / 2 > 4 * row_wise


@pytest.mark.parametrize(
    ("band", "word"),
    [
        (Band(0.12, 0.02, 0.20, 6_000), "critical"),
        (Band(0.12, -0.01, 0.25, 6_000), "healthy"),
        (Band(0.09, 0.05, 0.13, 6_000), "healthy"),
        (Band(0.30, 0.20, 0.40, 4_999), "not enough data"),
    ],
)
def test_a_gap_is_critical_when_it_is_large_and_sure_and_well_fed(band, word):
    assert verdict(band) == word


def test_the_band_of_days_that_are_all_alike_is_a_point():
    days = pd.Series(np.repeat(pd.date_range("2013-07-01", periods=4, tz="UTC"), 2))
    band = day_band(np.tile([0.0, 1.0], 4), days)

    assert (band.value, band.low, band.high) == (0.5, 0.5, 0.5)


def test_the_same_column_twice_has_no_drift():
    column = pd.Series([1.0, 2.0, 3.0, np.nan] * 50)

    assert stability_index(column, column) == 0.0


def test_a_column_that_vanishes_drifts_although_no_value_changed():
    column = pd.Series(np.arange(100.0))

    assert stability_index(column, column.where(column < 0)) > 1
