"""The data sets: real rows that installable packages carry, and a plain model that scores them.

Of each set one half trains the model, the other half is the population: reference and windows are drawn from it, independently and
with replacement. Two windows differ by chance alone, exactly, which no stretch of a real log can promise; `year` is the real log.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from river import datasets as streams
from sklearn import datasets
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from bot.demo.flights import CATEGORIES, FEATURES, between, flights, labelled

TRAINED = "2013-01-01", "2013-04-29"
"""17 whole weeks, Monday to Sunday but the first, in UTC."""
REFERENCE_WINDOWS = 10
"""A reference is as long as so many windows: NannyML learns its lines from just that many."""


@dataclass(frozen=True)
class Rows:
    """Features and a truth: `categories` names the columns of text."""

    features: pd.DataFrame
    label: pd.Series
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class DataSet:
    """A population to draw from, `label` among its columns, and the model that scores it."""

    name: str
    population: pd.DataFrame
    categories: tuple[str, ...]
    window_rows: int
    model: Pipeline
    importance: Mapping[str, float]

    @property
    def features(self) -> list[str]:
        return [name for name in self.population if name != "label"]

    @property
    def numeric(self) -> list[str]:
        return [name for name in self.features if name not in self.categories]

    def drawn(self, random: np.random.Generator, rows: int | None = None) -> pd.DataFrame:
        """Return rows of the population, drawn with replacement, without scores."""
        return self.taken(random.integers(0, len(self.population), rows or self.window_rows))

    def taken(self, places: np.ndarray) -> pd.DataFrame:
        return self.population.iloc[places].reset_index(drop=True)

    def scored(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows with the score that the model gives to what it is shown."""
        return frame.assign(score=self.model.predict_proba(frame[self.features])[:, 1])


def made(name: str, rows: Rows, window_rows: int) -> DataSet:
    """Train on one half, keep the other."""
    order = np.random.default_rng(0).permutation(len(rows.label))
    taught, rest = order[: len(order) // 2], order[len(order) // 2 :]
    model = learner(rows).fit(rows.features.iloc[taught], rows.label.iloc[taught])
    population = rows.features.iloc[rest].assign(label=rows.label.iloc[rest].astype(float)).reset_index(drop=True)
    return DataSet(name, population, rows.categories, window_rows, model, importances(model, population))


def learner(rows: Rows) -> Pipeline:
    numbers = [name for name in rows.features if name not in rows.categories]
    ready = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            ("texts", OneHotEncoder(handle_unknown="ignore"), list(rows.categories)),
        ]
    )
    return make_pipeline(ready, LogisticRegression(max_iter=1_000, C=0.1))


def importances(model: Pipeline, population: pd.DataFrame) -> dict[str, float]:
    """Return by how much the log loss grows when a feature is shuffled, as shares of all that growth."""
    some = population.sample(min(len(population), 2_000), random_state=0)
    found = permutation_importance(
        model, some.drop(columns="label"), some["label"], scoring="neg_log_loss", n_repeats=3, random_state=0
    )
    growth = np.clip(found.importances_mean, 0, None)
    return {name: float(share) for name, share in zip(some.drop(columns="label"), growth / (growth.sum() or 1), strict=True)}


def of_scikit(load: Callable[..., object], positive: Callable[[pd.Series], pd.Series]) -> Rows:
    bunch = load(as_frame=True)
    return Rows(bunch.data.astype(float), positive(bunch.target))


def of_river(stream: object, positive: Callable[[pd.Series], pd.Series], *, text: bool = False) -> Rows:
    pairs = list(stream)
    features = pd.DataFrame([x for x, _ in pairs]).astype(float)
    features = features.astype(str) if text else features
    return Rows(features, positive(pd.Series([y for _, y in pairs])), tuple(features) if text else ())


def of_flights() -> Rows:
    frame = labelled(between(flights(), *TRAINED))
    return Rows(frame[list(FEATURES)].reset_index(drop=True), frame["late"].reset_index(drop=True), CATEGORIES)


def everything() -> list[DataSet]:
    """Return all sets; the smallest references have 1,000 rows, where Evidently's defaults are tests instead of distances."""
    stony = ("brickface", "cement", "path")
    return [
        made("flights", of_flights(), 1_000),
        made("breast cancer", of_scikit(datasets.load_breast_cancer, lambda y: y == 1), 500),
        made("digits", of_scikit(datasets.load_digits, lambda y: y >= 5), 500),
        made("image segments", of_river(streams.ImageSegments(), lambda y: y.isin(stony)), 300),
        made("phishing", of_river(streams.Phishing(), lambda y: y.astype(bool), text=True), 500),
        made("diabetes", of_scikit(datasets.load_diabetes, lambda y: y > y.median()), 200),
        made("wine", of_scikit(datasets.load_wine, lambda y: y == 1), 100),
    ]


def year(model: DataSet) -> pd.DataFrame:
    """Return all labelled flights of 2013 with the model's scores and their real `time`: a log with nothing injected."""
    frame = labelled(flights())
    told = frame[list(FEATURES)].assign(label=frame["late"], time=frame["departs"])
    return model.scored(told)
