"""What our default policy says: the ordinary `watch.look` over Parquet files, every check there is, its own lines, nothing tuned.

Checks are discovered, so a new one takes part by being there. `any finding` is a warning or worse, what a person who looks sees;
`pages` is an open incident: critical, of the kind that may wake people, and persistent, as `bot.flow.triage` decides.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from bot import checks
from bot.app.resampling import Resampled
from bot.core.checks import Check
from bot.core.findings import Finding, Verdict
from bot.core.models import Feature, LogColumns, Model, Watch
from bot.core.registry import discover
from bot.core.windows import Window
from bot.flow import watch as watching
from bot.flow.desk import Desk
from bot.sources.files import FileSource
from tests.fakes.store import MemoryStore, MemoryUnit
from tests.fakes.world import FakeClock, FakeDirectory

FINDING, CRITICAL, PAGES = "aiops-bot: any finding", "aiops-bot: critical", "aiops-bot: pages"
CHECKS = discover(checks, Check)
SURE = 1.0
"""Statistics above this are of findings that chance does not explain; below, of those that only lack significance."""


class Memory(MemoryStore):
    """The store of the unit tests, but findings are kept as they are: no codec, because nobody asks about it here."""

    @classmethod
    def like(cls, other: MemoryStore) -> "Memory":
        store = cls()
        store._state = other._state.copy()
        return store

    @contextmanager
    def write(self) -> Iterator[MemoryUnit]:
        with super().write() as unit:
            unit.record = partial(_record, unit)
            yield unit


def _record(unit: MemoryUnit, slot: datetime, findings: Iterable[Finding]) -> None:
    for finding in findings:
        unit._draft.findings.setdefault((finding.model, slot), {})[finding.key] = finding


def a_model(manifest: Mapping[str, Any]) -> Model:
    """Return the model as somebody would write it down: its columns, their kinds and importances, and no threshold."""
    kinds = dict.fromkeys(manifest["numeric"], "numeric") | dict.fromkeys(manifest["categories"], "categorical")
    start, end = (datetime.fromisoformat(moment) for moment in manifest["reference"])
    length = timedelta(days=1 if manifest["period"] == "D" else 7)
    return Model(
        name=manifest["name"],
        environment="bench",
        team="team",
        source="windows",
        serving="",
        reference=Window(start, end),
        watches=(Watch("all", "0 0 * * *", length, tuple(CHECKS)),),
        features=tuple(Feature(name, kind, manifest["importance"][name]) for name, kind in kinds.items()),
        columns=LogColumns(version="", latency_ms="", error="", label_time="", request=""),
        reference_source="reference",
    )


def a_desk(model: Model, place: Path, store: MemoryStore) -> Desk:
    """Return a desk with real checks and files, and the fakes of the unit tests for everything else."""
    sources = {name: FileSource(place / f"{name}.parquet") for name in ("reference", "windows")}
    clock = FakeClock(datetime(2026, 1, 1, tzinfo=UTC))
    return Desk(
        clock=clock, data=clock, store=store, directory=FakeDirectory(), models={model.key: model}, sources=sources,
        platforms={}, scorers={}, checks=CHECKS, actions={}, playbooks={}, policies={},
        expand=lambda *_: [], paired=lambda *_: (_ for _ in ()), resampling=Resampled(),
    )  # fmt: skip


def along(finding: Finding, q: float) -> float:
    """Return how far along a finding is: 1 + its share of the way to the line that warns; below 1 only its significance is short.

    Moving our lines along means: first all lines nearer to "no trouble" at the same significance, then all at any significance.
    """
    if finding.check not in CHECKS:  # "source": it could be read
        return 0.0
    line = CHECKS[finding.check].judged_by(finding.subject)
    edge = line.warning if line.warning is not None else line.critical
    if finding.value is None or edge is None or finding.n < line.least_rows:
        return 0.0
    low, high = finding.interval or (finding.value, finding.value)
    safest = low if line.above else high
    none = line.null if line.null is not None else finding.reference or 0.0
    if line.null is not None:
        if safest <= none if line.above else safest >= none:
            return 0.0
        safest = finding.value
    if line.significance is not None and q > line.significance:
        return max(0.0, SURE - q)
    ratio = (safest - none) / (edge - none) if edge != none else 0.0
    return SURE + max(0.0, ratio) if math.isfinite(ratio) else SURE


def corrected(findings: Iterable[Finding]) -> dict[tuple[str, str], float]:
    """Return the Benjamini–Hochberg q-value of every finding that has a p-value, over all subjects of its check."""
    found: dict[tuple[str, str], float] = {}
    tested = sorted((f for f in findings if f.p_value is not None), key=lambda f: f.check)
    for _, same in groupby(tested, key=lambda f: f.check):
        ranked, least = sorted(same, key=lambda f: f.p_value or 0.0), 1.0
        for place in range(len(ranked), 0, -1):
            least = min(least, (ranked[place - 1].p_value or 0.0) * len(ranked) / place)
            found[ranked[place - 1].key] = least
    return found


def statistic(findings: list[Finding]) -> float:
    """Return how far along the farthest finding is; what warns by default is at 2 or beyond."""
    q = corrected(findings)
    return max((max(along(f, q.get(f.key, 0.0)), 2.0 * SURE * f.bad) for f in findings), default=0.0)


def judged(place: Path) -> Iterator[dict[str, Any]]:
    """Yield what we say of every window of a set; each run starts with an empty memory."""
    manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
    model, fresh = a_model(manifest), MemoryStore()
    watching.reference(a_desk(model, place, fresh), model)
    for _, windows in groupby(manifest["windows"], key=lambda w: (w["scenario"], w["size"], w["repeat"])):
        desk = a_desk(model, place, Memory.like(fresh))
        for window in windows:
            yield looked(desk, model, datetime.fromisoformat(window["end"]))


def looked(desk: Desk, model: Model, slot: datetime) -> dict[str, Any]:
    """Return both verdicts of one look, and which checks found something."""
    with desk.store.read() as unit:
        before = len(unit.incidents())
    findings = watching.look(desk, model, model.watches[0], slot)
    with desk.store.read() as unit:
        open_now = [incident.family.value for incident in unit.incidents(open_only=True)]
        opened = len(unit.incidents()) - before
    bad, critical = ([f for f in findings if f.verdict.rank >= level.rank] for level in (Verdict.WARNING, Verdict.CRITICAL))
    return {
        FINDING: {"alert": bool(bad), "statistic": statistic(findings)},
        CRITICAL: {"alert": bool(critical)},
        PAGES: {"alert": bool(open_now), "began": opened},
        "families": {
            family: {"alert": any(f.bad for f in mine), "statistic": statistic(mine)}
            for family in sorted({f.family.value for f in findings})
            for mine in [[f for f in findings if f.family.value == family]]
        },
        "fired": [f"{f.check} {f.subject} {f.verdict.value} {f.value:.4g}" for f in bad if f.value is not None],
        "open": open_now,
    }


def everything(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Judge every window of every set."""
    return {place.name: list(judged(place)) for place in sorted(path.parent for path in folder.glob("*/manifest.json"))}
