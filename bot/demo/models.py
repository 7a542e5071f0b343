"""The demo company's model: P(late) at the scheduled departure, and its three versions, all really trained.

The company retrains on everything it has: v1 on January and February, v2 a month later, v3 after stormy April. No version is
kept as a pickle. What is kept is the training set, as plain numbers; a server trains its own version from it in half a second,
and the same numbers give the same trees. `python -m bot.demo.experiment` prints why these versions make an honest story.
"""

import json
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier

from bot.demo.flights import CATEGORIES, FEATURES, data_folder, flights, labelled
from bot.stats.threads import one_thread

Numbers = npt.NDArray[np.float64]
Codes = dict[str, dict[str, float]]

TREES: dict[str, Any] = {
    "max_iter": 80,
    "max_leaf_nodes": 15,
    "learning_rate": 0.1,
    "min_samples_leaf": 200,
    "l2_regularization": 5.0,
    "random_state": 0,
    "early_stopping": False,
}
SHUFFLED_ROWS = 8_000
"""Rows of the held-out month on which importances are measured: enough for two digits, little enough for a second."""


@dataclass(frozen=True)
class Recipe:
    """How one version is made: the months it is trained on (all of 2013, both included), and when it went into service."""

    name: str
    first_month: int
    last_month: int
    in_service_from: date

    @property
    def held_out_month(self) -> int:
        """The month after the training months: nobody has seen it when the version is judged."""
        return self.last_month + 1


RECIPES = (
    Recipe("v1", 1, 2, date(2013, 3, 1)),
    Recipe("v2", 1, 3, date(2013, 4, 1)),
    Recipe("v3", 1, 4, date(2013, 5, 1)),
)


@dataclass(frozen=True)
class TrainingSet:
    """What all versions are trained from: features (n, len(FEATURES)), labels (n,), months (n,), and the categories' codes."""

    matrix: Numbers
    late: Numbers
    month: npt.NDArray[np.int64]
    codes: Codes


@dataclass(frozen=True)
class Model:
    """One trained version: asked with features, answers with P(late)."""

    recipe: Recipe
    codes: Codes
    trees: HistGradientBoostingClassifier

    def scores(self, frame: pd.DataFrame) -> Numbers:
        """Return P(late) of each row: shape (n,), 0 to 1. Missing numbers and unknown categories are allowed.

        Raises:
            UnreadableFeatures: a feature is absent, or holds something else than numbers (text in `CATEGORIES`).
        """
        return self.of(encode(frame, self.codes))

    def of(self, matrix: Numbers) -> Numbers:
        """Return P(late) of encoded features, shape (n, len(FEATURES))."""
        if not len(matrix):
            return np.empty(0)
        with one_thread(learners=True):
            return np.asarray(self.trees.predict_proba(matrix)[:, 1], dtype=np.float64)


@dataclass(frozen=True)
class Card:
    """What is known of a version on the day it goes into service; the held-out figures come from the month after training.

    `share_late` and `gap` (mean score minus share late) are shares; `log_loss` is in nats; `importances` say by how many nats
    the held-out log loss grows when a feature is shuffled.
    """

    name: str
    in_service_from: str
    first_month: int
    last_month: int
    rows: int
    share_late: float
    held_out_rows: int
    log_loss: float
    gap: float
    importances: dict[str, float]


class UnreadableFeatures(Exception):
    """The caller must send features that the model can read."""


class ModelsNotPrepared(Exception):
    """The operator must prepare the demo's folder first."""


def encode(frame: pd.DataFrame, codes: Codes) -> Numbers:
    """Return the features as numbers, shape (n, len(FEATURES)); what is missing or unknown becomes NaN.

    Raises:
        UnreadableFeatures: a feature is absent, or holds something else than numbers (text in `CATEGORIES`).
    """
    absent = [name for name in FEATURES if name not in frame]
    if absent:
        raise UnreadableFeatures(f"The model needs the feature {absent[0]!r}; send all of: {', '.join(FEATURES)}.")
    return np.column_stack([_column(name, frame[name], codes) for name in FEATURES])


def training_set(frame: pd.DataFrame, last_month: int = RECIPES[-1].last_month) -> TrainingSet:
    """Return the labelled flights from January to the given month: by default all that any version is trained on."""
    rows = labelled(frame)
    rows = rows[rows["day"].dt.month <= last_month]
    codes = {name: {value: float(code) for code, value in enumerate(sorted(rows[name].unique()))} for name in CATEGORIES}
    late, month = rows["late"].to_numpy(np.float64), rows["day"].dt.month.to_numpy(np.int64)
    return TrainingSet(encode(rows, codes), late, month, codes)


def train(recipe: Recipe, known: TrainingSet, **changes: Any) -> Model:
    """Return the version that this recipe makes, in half a second, the same every time; `changes` override `TREES`."""
    rows = (known.month >= recipe.first_month) & (known.month <= recipe.last_month)
    columns = [FEATURES.index(name) for name in CATEGORIES]
    trees = HistGradientBoostingClassifier(categorical_features=columns, **(TREES | changes))
    with one_thread(learners=True):
        return Model(recipe, known.codes, trees.fit(known.matrix[rows], known.late[rows]))


def importances(model: Model, held_out: pd.DataFrame, *, seed: int = 0) -> dict[str, float]:
    """Return by how many nats the log loss grows when each feature is shuffled, largest first."""
    rng = np.random.default_rng(seed)
    rows = held_out.iloc[np.sort(rng.permutation(len(held_out))[:SHUFFLED_ROWS])]
    matrix, late = encode(rows, model.codes), rows["late"].to_numpy(np.float64)
    intact = log_losses(model.of(matrix), late).mean()
    grown = {}
    for column, name in enumerate(FEATURES):
        shuffled = matrix.copy()
        shuffled[:, column] = rng.permutation(shuffled[:, column])
        grown[name] = float(log_losses(model.of(shuffled), late).mean() - intact)
    return dict(sorted(grown.items(), key=lambda item: -item[1]))


def log_losses(scores: Numbers, late: Numbers) -> Numbers:
    """Return the log loss of each row in nats; `late` is 1.0 or 0.0, both of shape (n,)."""
    return -np.log(np.where(late == 1.0, scores, 1.0 - scores))


def prepare(folder: Path, frame: pd.DataFrame | None = None) -> tuple[Card, ...]:
    """Write the training set and the versions' cards into the folder, once; return the cards.

    A second call returns in milliseconds, unless recipes, features, data or scikit-learn have changed since.
    """
    cards, key = folder / "models.json", _content_key()
    if cards.is_file() and (kept := json.loads(cards.read_text("utf-8")))["key"] == key:
        return tuple(Card(**card) for card in kept["cards"])
    folder.mkdir(parents=True, exist_ok=True)
    frame = flights() if frame is None else frame
    known = training_set(frame)
    _write(folder, known)
    made = tuple(_card(train(recipe, known), frame) for recipe in RECIPES)
    cards.write_text(json.dumps({"key": key, "cards": [asdict(card) for card in made]}, indent=1), "utf-8")
    return made


def load(folder: Path, name: str) -> Model:
    """Return a version, trained in this process from the folder's training set.

    Raises:
        ModelsNotPrepared: there is no such version, or the folder holds no training set.
    """
    recipe = next((recipe for recipe in RECIPES if recipe.name == name), None)
    if recipe is None:
        raise ModelsNotPrepared(f"There is no version {name!r}; there are {', '.join(r.name for r in RECIPES)}.")
    return train(recipe, _read(folder))


def _column(name: str, values: "pd.Series[Any]", codes: Codes) -> Numbers:
    if name in CATEGORIES:
        known = codes[name]
        return np.array([known.get(value, np.nan) if isinstance(value, str) else np.nan for value in values], np.float64)
    try:
        return np.asarray(pd.to_numeric(values), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UnreadableFeatures(f"The feature {name!r} must be a number or missing in every row.") from error


def _write(folder: Path, known: TrainingSet) -> None:
    np.savez(folder / "training.npz", matrix=known.matrix, late=known.late, month=known.month)
    (folder / "codes.json").write_text(json.dumps(known.codes), "utf-8")


def _read(folder: Path) -> TrainingSet:
    if not (folder / "codes.json").is_file():
        raise ModelsNotPrepared(f"The folder {folder} holds no training set; `aiops demo` prepares one.")
    with np.load(folder / "training.npz", allow_pickle=False) as kept:
        codes = json.loads((folder / "codes.json").read_text("utf-8"))
        return TrainingSet(kept["matrix"], kept["late"], kept["month"], codes)


def _card(model: Model, frame: pd.DataFrame) -> Card:
    recipe, known = model.recipe, labelled(frame)
    month = known["day"].dt.month
    seen = known[month.between(recipe.first_month, recipe.last_month)]
    held_out = known[month == recipe.held_out_month]
    scores, late = model.scores(held_out), held_out["late"].to_numpy(np.float64)
    return Card(
        name=recipe.name,
        in_service_from=recipe.in_service_from.isoformat(),
        first_month=recipe.first_month,
        last_month=recipe.last_month,
        rows=len(seen),
        share_late=float(seen["late"].mean()),
        held_out_rows=len(held_out),
        log_loss=float(log_losses(scores, late).mean()),
        gap=float(scores.mean() - late.mean()),
        importances=importances(model, held_out),
    )


def _content_key() -> str:
    recipe = repr((RECIPES, TREES, FEATURES, SHUFFLED_ROWS, sklearn.__version__))
    files = (data_folder() / name for name in ("flights.csv.zip", "weather.csv"))
    return sha256(b"".join([recipe.encode(), *(sha256(file.read_bytes()).digest() for file in files)])).hexdigest()
