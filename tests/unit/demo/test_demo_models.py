import json

import numpy as np
import pandas as pd
import pytest

from bot.demo.flights import FEATURES, between, labelled
from bot.demo.models import (
    RECIPES,
    ModelsNotPrepared,
    UnreadableFeatures,
    importances,
    load,
    log_losses,
    prepare,
    train,
    training_set,
)


@pytest.fixture(scope="session")
def v3(models_folder):
    return load(models_folder, "v3")


@pytest.fixture
def asked(year):
    return year[list(FEATURES)].iloc[200_000:200_017]


def test_a_version_loaded_from_the_folder_is_the_one_that_was_trained(v3, year):
    week = between(year, "2013-07-10", "2013-07-17")
    trained = train(RECIPES[-1], training_set(year))

    assert np.array_equal(v3.scores(week), trained.scores(week))


def test_no_version_has_seen_the_month_on_which_it_is_judged():
    assert [recipe.held_out_month for recipe in RECIPES] == [3, 4, 5]
    assert all(recipe.in_service_from.month == recipe.held_out_month for recipe in RECIPES)


def test_each_version_is_trained_on_its_own_months(models_folder, year):
    known = labelled(year)
    month = known["day"].dt.month

    assert [card.rows for card in prepare(models_folder)] == [int((month <= last).sum()) for last in (2, 3, 4)]


def test_a_version_tells_late_flights_from_punctual_ones_better_than_a_constant(v3, year):
    june = labelled(between(year, "2013-06-01", "2013-07-01"))
    late = june["late"].to_numpy()
    constant = np.full(len(june), late.mean())

    assert log_losses(v3.scores(june), late).mean() < log_losses(constant, late).mean() - 0.05


def test_the_hour_of_the_day_matters_most_and_the_temperature_hardly(v3, year):
    drops = importances(v3, labelled(between(year, "2013-05-01", "2013-06-01")))

    assert next(iter(drops)) == "minute_of_day"
    assert abs(drops["temp"]) < drops["minute_of_day"] / 10


def test_a_folder_is_prepared_once(models_folder):
    before = (models_folder / "training.npz").stat().st_mtime_ns
    cards = prepare(models_folder)

    assert [card.name for card in cards] == ["v1", "v2", "v3"]
    assert (models_folder / "training.npz").stat().st_mtime_ns == before


def test_a_folder_of_other_recipes_is_prepared_anew(models_folder, tmp_path, year):
    key = json.loads((models_folder / "models.json").read_text())["key"]
    (tmp_path / "models.json").write_text(json.dumps({"key": "of last week", "cards": []}))

    assert len(prepare(tmp_path, year[::20])) == 3
    assert json.loads((tmp_path / "models.json").read_text())["key"] == key


def test_a_prepared_folder_holds_numbers_and_text_only(models_folder):
    with np.load(models_folder / "training.npz", allow_pickle=False) as kept:
        kinds = {kept[name].dtype.kind for name in kept.files}

    assert sorted(path.suffix for path in models_folder.iterdir()) == [".json", ".json", ".npz"]
    assert kinds <= {"f", "i"}


def test_a_request_without_flights_gets_no_scores(v3, asked):
    assert v3.scores(asked.iloc[:0]).shape == (0,)


def test_a_flight_without_weather_still_gets_a_probability(v3, year):
    scores = v3.scores(between(year, "2013-12-31", "2014-01-02"))

    assert ((scores > 0) & (scores < 1)).all()


@pytest.mark.parametrize("carrier", ["<!channel>", "", None, 7, ["AA"], {"AA": 1}])
def test_an_unknown_carrier_counts_as_missing(v3, asked, carrier):
    hostile, missing = asked.assign(carrier=[carrier] * len(asked)), asked.assign(carrier=np.nan)

    assert np.array_equal(v3.scores(hostile), v3.scores(missing))


@pytest.mark.parametrize("value", ["warm", {"a": 1}, [1.0]])
def test_a_temperature_that_is_no_number_is_refused_by_name(v3, asked, value):
    hostile = asked.astype({"temp": object}).assign(temp=[value] * len(asked))

    with pytest.raises(UnreadableFeatures, match="'temp' must be a number or missing"):
        v3.scores(hostile)


def test_an_absent_feature_is_refused_by_name(v3, asked):
    with pytest.raises(UnreadableFeatures, match="needs the feature 'visib'"):
        v3.scores(asked.drop(columns="visib"))


def test_an_unknown_version_is_told_which_there_are(models_folder):
    with pytest.raises(ModelsNotPrepared, match="no version 'v9'; there are v1, v2, v3"):
        load(models_folder, "v9")


def test_an_empty_folder_is_told_how_to_fill_it(tmp_path):
    with pytest.raises(ModelsNotPrepared, match="`aiops demo` prepares one"):
        load(tmp_path, "v1")


@pytest.mark.parametrize(("score", "late", "nats"), [(0.5, 1.0, 0.6931), (0.9, 1.0, 0.1054), (0.9, 0.0, 2.3026)])
def test_the_log_loss_is_the_surprise_in_nats(score, late, nats):
    losses = log_losses(np.array([score]), np.array([late]))

    assert losses == pytest.approx([nats], abs=1e-4)


def test_rows_from_a_request_score_like_rows_from_the_data(v3, asked):
    sent = json.loads(json.dumps(json.loads(asked.to_json(orient="records"))))

    assert v3.scores(pd.DataFrame(sent)) == pytest.approx(v3.scores(asked))
