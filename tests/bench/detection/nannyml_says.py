"""What NannyML says with its defaults. Run by `tests.bench.peers` in NannyML's own environment; imports nothing of ours.

Univariate drift (Jensen–Shannon, mean ± 3 standard deviations of the reference's chunks), CBPE and realised ROC AUC as in its quick
start. Its chunks are the windows themselves, and its reference has ten of that length: the case that its lines are made for.
"""

import json
import sys
import warnings
from pathlib import Path

import nannyml
import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
TINY, LEAST_SPREAD = 1e-6, 0.01
"""A column that never varied from chunk to chunk has a line that no factor moves; it is granted this much, or NannyML could not be
compared on it at all. Its verdict as shipped is its own."""


def along(values: pd.Series, reference: pd.Series, *, both: bool) -> np.ndarray:
    """Return by how many standard deviations of the reference's chunks each chunk is off; upwards only, or both ways."""
    off = values.to_numpy(float) - np.nanmean(reference)
    spread = float(np.nanstd(reference))
    return np.nan_to_num((np.abs(off) if both else off) / (spread if spread > TINY else LEAST_SPREAD))


def univariate(reference: pd.DataFrame, log: pd.DataFrame, columns: list[str], period: str) -> pd.DataFrame:
    """Return by chunk and column whether it alerts and how far along it is."""
    asked = nannyml.UnivariateDriftCalculator(column_names=columns, timestamp_column_name="time", chunk_period=period)
    result = asked.fit(reference).calculate(log)
    before, after = (result.filter(period=name).to_df() for name in ("reference", "analysis"))
    parts = {}
    for name in columns:
        method = next(m for c, m, _ in after.columns if c == name)
        now, then = after[name, method], before[name, method]
        parts[name, "alert"] = now["alert"].to_numpy(bool)
        parts[name, "along"] = along(now["value"], then["value"], both=False)
    return pd.DataFrame(parts, index=pd.DatetimeIndex(after["chunk", "chunk", "start_date"]))


def performance(reference: pd.DataFrame, log: pd.DataFrame, period: str) -> pd.DataFrame:
    """Return the same for ROC AUC, estimated and realised."""
    asked = {
        "y_pred": "prediction", "y_pred_proba": "score", "y_true": "label", "metrics": ["roc_auc"],
        "problem_type": "classification_binary", "timestamp_column_name": "time", "chunk_period": period,
    }  # fmt: skip
    results = {
        "estimated": nannyml.CBPE(**asked).fit(reference).estimate(log),
        "realised": nannyml.PerformanceCalculator(**asked).fit(reference).calculate(log),
    }
    parts = {}
    for name, result in results.items():
        before, after = (result.filter(period=part).to_df() for part in ("reference", "analysis"))
        parts[name, "alert"] = after["roc_auc", "alert"].to_numpy(bool)
        parts[name, "along"] = along(after["roc_auc", "value"], before["roc_auc", "value"], both=True)
        starts = pd.DatetimeIndex(after["chunk", "start_date"])
    return pd.DataFrame(parts, index=starts)


def verdict(row: pd.Series, names: list[str]) -> dict[str, object]:
    """Return whether any of these alerts, and the farthest along."""
    return {"alert": any(bool(row[name, "alert"]) for name in names), "statistic": max(float(row[name, "along"]) for name in names)}


def main(folder: Path, out: Path) -> None:
    """Judge every window of every set."""
    answers = {}
    for place in sorted(path.parent for path in folder.glob("*/manifest.json")):
        manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
        columns = [*manifest["numeric"], *manifest["categories"], "score", "label"]
        sides = [pd.read_parquet(place / f"{side}.parquet") for side in ("reference", "windows")]
        for side in sides:
            side["time"] = side["time"].dt.tz_localize(None)
            side["prediction"] = (side["score"] >= 0.5).astype(int)
        table = univariate(*sides, columns, manifest["period"]).join(performance(*sides, manifest["period"]))
        found = []
        for window in manifest["windows"]:
            row = table.loc[pd.Timestamp(window["start"]).tz_localize(None)]
            drift, lost = verdict(row, columns), verdict(row, ["estimated", "realised"])
            both = {"alert": drift["alert"] or lost["alert"], "statistic": max(drift["statistic"], lost["statistic"])}
            fired = [name for name in (*columns, "estimated", "realised") if row[name, "alert"]]
            found.append({"NannyML: any column": drift, "NannyML: performance": lost, "NannyML: any of both": both, "fired": fired})
        answers[manifest["name"]] = found
    out.write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
