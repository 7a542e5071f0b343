"""What Evidently says with its defaults. Run by `tests.bench.peers` in Evidently's own environment; imports nothing of ours.

`DataDriftPreset` draws a report of every column, 5 s of CPU a window of 30 columns. The very same tests, chosen by its own
`get_stattest` for the column types that its own `Dataset` finds, take a fraction of it; the preset itself judges the first window
of every set, and must say the same to 1e-9.
"""

import json
import math
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from evidently import Dataset, Report
from evidently.legacy.calculations.stattests import get_stattest
from evidently.legacy.core import ColumnType
from evidently.presets import DataDriftPreset

warnings.filterwarnings("ignore")
DRIFT_SHARE = 0.5
FLOOR = 1e-300


def column_says(reference: pd.DataFrame, current: pd.DataFrame, name: str, kind: ColumnType) -> tuple[float, bool, float]:
    """Return a column's score, whether it has drifted, and how far it is along: 1 is just at the line, whatever the test."""
    then, now = (side[name].replace([-np.inf, np.inf], np.nan).dropna() for side in (reference, current))
    test = get_stattest(then, now, kind, None)
    found = test(then, now, kind, None)
    if test.display_name.endswith(("p_value", "test")) or "p_value" in test.display_name:
        along = math.log(max(found.drift_score, FLOOR)) / math.log(found.actual_threshold)
    else:
        along = found.drift_score / found.actual_threshold
    return float(found.drift_score), bool(found.drifted), float(along)


def preset_says(reference: pd.DataFrame, current: pd.DataFrame) -> tuple[dict[str, float], float]:
    """Return each column's score and the share of drifted columns as the preset reports them."""
    metrics = Report([DataDriftPreset()]).run(current, reference).dict()["metrics"]
    scores = {m["config"]["column"]: float(m["value"]) for m in metrics if "column" in m["config"]}
    return scores, float(metrics[0]["value"]["share"])


def told(reference: pd.DataFrame, current: pd.DataFrame, kinds: dict[str, ColumnType], *, prove: bool) -> dict[str, object]:
    """Return both verdicts of a window with their statistics."""
    said = {name: column_says(reference, current, name, kind) for name, kind in kinds.items()}
    drifted = [name for name, (_, bad, _) in said.items() if bad]
    ranked = sorted((along for _, _, along in said.values()), reverse=True)
    if prove:
        scores, share = preset_says(reference, current)
        assert abs(share - len(drifted) / len(said)) < 1e-9, (share, drifted)
        assert all(abs(scores[name] - said[name][0]) < 1e-9 for name in said), (scores, said)
    most = ranked[math.ceil(DRIFT_SHARE * len(ranked)) - 1]
    return {
        "Evidently: half of the columns": {"alert": len(drifted) >= DRIFT_SHARE * len(said), "statistic": most},
        "Evidently: any column": {"alert": bool(drifted), "statistic": ranked[0]},
        "fired": drifted,
    }


def main(folder: Path, out: Path) -> None:
    """Judge every window of every set."""
    answers = {}
    for place in sorted(path.parent for path in folder.glob("*/manifest.json")):
        manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
        columns = [*manifest["numeric"], *manifest["categories"], "score", "label"]
        reference, log = pd.read_parquet(place / "reference.parquet")[columns], pd.read_parquet(place / "windows.parquet")
        found = []
        for i, window in enumerate(manifest["windows"]):
            inside = (log["time"] >= window["start"]) & (log["time"] < window["end"])
            current = log.loc[inside, columns].reset_index(drop=True)
            typed = Dataset.from_pandas(current)
            kinds = {name: typed.column(name).type for name in columns}
            found.append(told(reference, current, kinds, prove=i == 0 and manifest["period"] == "D"))
        answers[manifest["name"]] = found
    out.write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
