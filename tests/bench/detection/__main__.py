"""Who notices what? Our default policy beside Evidently's and NannyML's, on the very same windows.

`python -m tests.bench.detection [--keep DIR] [--readme] [--again] [--alone] [--seed N]`; some minutes on two cores.

`--keep` leaves windows, verdicts and rates (`rates.json`) in a folder; `--again` asks only us once more and takes the rest from it;
`--alone` asks only us, and leaves on the page what peers have said of the very same windows. `--seed 0` draws the windows of the
tables by which some of our defaults were chosen; others draw windows that nobody has seen, with a table of their own.
`--readme` puts the tables into tests/bench/README.md. Nothing is asserted.
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
from tests.house.tables import marked, page_of, table

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
FRESH = {"policies": "detection on fresh windows"}


def main(folder: Path, *, again: bool, alone: bool, seed: int) -> dict[str, str]:
    """Make the windows, ask everybody, write the rates, return the tables."""
    at_work = []
    if not again:
        flights, *others = everything()
        for data in (flights, *others):
            written(data, folder, seed)
        written_year(flights, folder)
        asked = () if alone else peers.PEERS
        at_work = [peers.started(peer, HERE / f"{peer}_says.py", folder, folder / f"{peer}.json") for peer in asked]
    (folder / "we.json").write_text(json.dumps(we_say.everything(folder)), encoding="utf-8")
    if any(peer.wait() for peer in at_work):
        raise SystemExit("A peer has failed; its own words are above.")
    rates = ratings(folder)
    (folder / "rates.json").write_text(json.dumps({"measured": f"{datetime.now(UTC):%Y-%m-%d}", "policies": rates}, indent=1))
    return {"policies": policies(rates), "scenarios": scenarios(rates)}


def ratings(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the rates of every policy that was asked."""
    manifests = {path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*/manifest.json")}
    told = {}
    there = (folder / f"{who}.json" for who in POLICIES)
    for answered in (path for path in there if path.exists()):
        names, answers = POLICIES[answered.stem], json.loads(answered.read_text(encoding="utf-8"))
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
    beside = [policy for policy in BESIDE if policy in rates]
    told = {policy: rates[policy]["equal"]["power"] for policy in beside}
    rows = (
        (
            SCENARIOS[name].words,
            " · ".join(sizes),
            *(" · ".join(percent(p) for p in told[policy][name].values()) for policy in beside),
        )
        for name, sizes in told[beside[0]].items()
    )
    return table(("what is injected", "sizes", *beside), rows)


def percent(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:.0%}".replace("%", " %")


def show(tables: Mapping[str, str], marks: Mapping[str, str], *, over: bool) -> None:
    """Print the tables, and put those with a mark on their page: in place of what is there, or laid `over` it."""
    for name, told in tables.items():
        Console(width=220).print(told, markup=False, highlight=False)
        if name in marks:
            page, mark = page_of(marks[name]), marked(marks[name])
            text = page.read_text(encoding="utf-8")
            old = mark.search(text)
            fresh = laid_over(old[0], told) if over and old else told
            page.write_text(mark.sub(lambda found, fresh=fresh: f"{found[1]}{fresh}\n{found[2]}", text), "utf-8")


def laid_over(old: str, new: str) -> str:
    """Return the old table with the cells of the new one, by header and by the first cell of the row."""
    (headers, *rows), (fresh_headers, *fresh_rows) = cells(old), cells(new)
    headers += [header for header in fresh_headers if header not in headers]
    known = {row[0]: dict(zip(headers, row, strict=False)) for row in rows}
    for row in fresh_rows:
        known.setdefault(row[0], {}).update(zip(fresh_headers, row, strict=True))
    return table(headers, ([row.get(header, "–") for header in headers] for row in known.values()))


def cells(told: str) -> list[list[str]]:
    """Return the rows of a Markdown table, the headers first."""
    lines = [line.strip().strip("|").split("|") for line in told.splitlines() if line.startswith("|")]
    return [[part.strip() for part in line] for place, line in enumerate(lines) if place != 1]


if __name__ == "__main__":
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--keep", type=Path)
    ask.add_argument("--again", action="store_true")
    ask.add_argument("--alone", action="store_true")
    ask.add_argument("--readme", action="store_true")
    ask.add_argument("--seed", type=int, default=0)
    told = ask.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        kept = told.keep or Path(temporary)
        kept.mkdir(parents=True, exist_ok=True)
        made = main(kept, again=told.again, alone=told.alone, seed=told.seed)
        show(made, (FRESH if told.seed else MARKS) if told.readme else {}, over=told.alone and not told.seed)
