"""From verdicts to rates: false alarms, power, delay; as shipped, and with every policy's lines moved to equal false alarms."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tests.bench.detection.shifts import A_A, SCENARIOS

LEVEL = 0.05
"""The false-alarm rate at which policies are compared."""

Answers = Mapping[str, Sequence[Mapping[str, Any]]]
Manifests = Mapping[str, Mapping[str, Any]]


def line(quiet: Iterable[float], level: float = LEVEL) -> float:
    """Return the statistic that at most `level` of the quiet windows exceed."""
    ranked = np.sort(np.asarray(list(quiet), dtype=float))[::-1]
    return float(ranked[int(level * len(ranked))])


def moved(manifest: Mapping[str, Any], answers: Sequence[Mapping[str, Any]], policy: str) -> list[bool]:
    """Return by window whether the policy alerts when its lines are moved, for this set, to equal false alarms."""
    said = [answer[policy]["statistic"] for answer in answers]
    edge = line(s for s, w in zip(said, manifest["windows"], strict=True) if w["scenario"] == A_A)
    return [statistic > edge for statistic in said]


def shipped(answers: Sequence[Mapping[str, Any]], policy: str) -> list[bool]:
    """Return by window whether the policy alerts by default."""
    return [answer[policy]["alert"] for answer in answers]


def share(alerts: Iterable[bool]) -> float | None:
    found = list(alerts)
    return float(np.mean(found)) if found else None


def delay(windows: Sequence[Mapping[str, Any]], alerts: Sequence[bool]) -> list[int]:
    """Return of every climbing run how many windows pass until the first alert, 1 is at once; never counts as one more than all."""
    runs: dict[tuple[object, ...], list[bool]] = {}
    for window, alert in zip(windows, alerts, strict=True):
        if window["scenario"] == "gradual":
            runs.setdefault((window["size"], window["repeat"]), []).append(alert)
    return [run.index(True) + 1 if any(run) else len(run) + 1 for run in runs.values()]


def scored(manifests: Manifests, answers: Answers, policy: str) -> dict[str, Any]:
    """Return everything that is told of one policy; `power` is by scenario and size, over all sets."""
    drawn = {name: m for name, m in manifests.items() if m["period"] == "D"}
    ways = {"shipped": {name: shipped(answers[name], policy) for name in manifests}}
    if "statistic" in next(iter(answers.values()))[0][policy]:
        ways["equal"] = {name: moved(manifest, answers[name], policy) for name, manifest in drawn.items()}
    told: dict[str, Any] = {way: _rates(drawn, alerts) for way, alerts in ways.items()}
    for name, manifest in manifests.items():
        if manifest["period"] == "W":
            began = [answer[policy].get("began", answer[policy]["alert"]) for answer in answers[name]]
            alerts = list(zip(manifest["windows"], began, strict=True))
            stretches = dict.fromkeys(w["scenario"] for w, _ in alerts)
            told["year"] = {where: [int(a) for w, a in alerts if w["scenario"] == where] for where in stretches}
    return told


def _rates(manifests: Manifests, alerts: Mapping[str, list[bool]]) -> dict[str, Any]:
    """Return the rates of one way of drawing lines."""
    pairs = [(w, a) for name, m in manifests.items() for w, a in zip(m["windows"], alerts[name], strict=True)]
    power = {
        name: {
            f"{size:g}": share(a for w, a in pairs if w["scenario"] == name and w["size"] == size and w["now"])
            for size in scenario.sizes
        }
        for name, scenario in SCENARIOS.items()
        if name != "gradual"
    }
    means = {name: float(np.mean(list(sizes.values()))) for name, sizes in power.items()}
    return {
        "false alarms": share(a for w, a in pairs if w["scenario"] == A_A),
        "false alarms by set": {
            name: share(a for w, a in zip(m["windows"], alerts[name], strict=True) if w["scenario"] == A_A)
            for name, m in manifests.items()
        },
        "between recurring": share(a for w, a in pairs if w["scenario"] == "recurring" and not w["now"]),
        "power": power,
        "power by scenario": means,
        "mean power": float(np.mean(list(means.values()))),
        "delay": float(np.mean([d for name, m in manifests.items() for d in delay(m["windows"], alerts[name])])),
    }
