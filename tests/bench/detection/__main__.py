"""Who notices what? Our default policy beside Evidently's and NannyML's, on the very same windows.

`python -m tests.bench.detection [--keep DIR] [--readme] [--again] [--seed N]`; some minutes on two cores.

`--keep` leaves windows, verdicts and rates (`rates.json`) in a folder; `--again` asks only us once more and takes the rest from it;
`--readme` puts the two tables into the README. Nothing is asserted.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.bench import peers
from tests.bench.detection import we_say
from tests.bench.detection.score import LEVEL, scored
from tests.bench.detection.sets import everything
from tests.bench.detection.shifts import SCENARIOS
from tests.bench.detection.windows import written, written_year
from tests.house.tables import README, marked, table

HERE = Path(__file__).parent
OURS = (we_say.FINDING, we_say.CRITICAL, we_say.PAGES)
POLICIES = {
    "we": OURS,
    "evidently": ("Evidently: half of the columns", "Evidently: any column"),
    "nannyml": ("NannyML: any column", "NannyML: performance", "NannyML: any of both"),
}
BESIDE = (we_say.FINDING, "Evidently: half of the columns", "Evidently: any column", "NannyML: any of both")
"""Whose power is shown by scenario."""
MARKS = {"policies": "detection", "scenarios": "detection by scenario"}


def main(folder: Path, *, again: bool, seed: int) -> dict[str, str]:
    """Make the windows, ask everybody, write the rates, return the tables."""
    if not again:
        flights, *others = everything()
        for data in (flights, *others):
            written(data, folder, seed)
        written_year(flights, folder)
        at_work = [peers.started(peer, HERE / f"{peer}_says.py", folder, folder / f"{peer}.json") for peer in peers.PEERS]
    (folder / "we.json").write_text(json.dumps(we_say.everything(folder)), encoding="utf-8")
    if not again and any(peer.wait() for peer in at_work):
        raise SystemExit("A peer has failed; its own words are above.")
    rates = ratings(folder)
    (folder / "rates.json").write_text(json.dumps({"measured": f"{datetime.now(UTC):%Y-%m-%d}", "policies": rates}, indent=1))
    return {"policies": policies(rates), "scenarios": scenarios(rates)}


def ratings(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the rates of every policy."""
    manifests = {path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*/manifest.json")}
    told = {}
    for who, names in POLICIES.items():
        answers = json.loads((folder / f"{who}.json").read_text(encoding="utf-8"))
        told |= {policy: scored(manifests, answers, policy) for policy in names}
    return told


def policies(rates: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a policy a row."""
    headers = (
        "policy, as shipped",
        "false alarms",
        "in 16 weeks of the reference",
        "in 35 weeks after it",
        "power",
        f"power at {percent(LEVEL)} false alarms",
        "windows until a slow climb is seen, of 8",
    )
    return table(headers, (row(policy, told) for policy, told in rates.items()))


def row(policy: str, told: Mapping[str, Any]) -> Sequence[str]:
    shipped, equal = told["shipped"], told.get("equal")
    weeks = (f"{sum(alerts)}" for alerts in told["year"].values())
    late = f"{shipped['delay']:.1f}" + (f"; at {percent(LEVEL)} {equal['delay']:.1f}" if equal else "")
    return (
        policy,
        f"{shipped['false alarms'] * 100:.1f} %",
        *weeks,
        percent(shipped["mean power"]),
        percent(equal and equal["mean power"]),
        late,
    )


def scenarios(rates: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a scenario a row: power by size, of each policy with its lines at equal false alarms."""
    told = {policy: rates[policy]["equal"]["power"] for policy in BESIDE}
    rows = (
        (
            SCENARIOS[name].words,
            " · ".join(sizes),
            *(" · ".join(percent(p) for p in told[policy][name].values()) for policy in BESIDE),
        )
        for name, sizes in told[BESIDE[0]].items()
    )
    return table(("what is injected", "sizes", *BESIDE), rows)


def percent(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:.0%}".replace("%", " %")


def show(tables: Mapping[str, str], *, readme: bool) -> None:
    """Print the tables, or put them into the README where their marks stand."""
    for name, told in tables.items():
        Console(width=220).print(told, markup=False, highlight=False)
        if readme:
            text = README.read_text(encoding="utf-8")
            README.write_text(marked(MARKS[name]).sub(lambda found, told=told: f"{found[1]}{told}\n{found[2]}", text), "utf-8")


if __name__ == "__main__":
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--keep", type=Path)
    ask.add_argument("--again", action="store_true")
    ask.add_argument("--readme", action="store_true")
    ask.add_argument("--seed", type=int, default=0)
    told = ask.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        kept = told.keep or Path(temporary)
        kept.mkdir(parents=True, exist_ok=True)
        show(main(kept, again=told.again, seed=told.seed), readme=told.readme)
