"""The one sentence: what moved most, and how sure that is."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.words import number, plain, some
from bot.sources.compare.measures import MEASURES

Json = Mapping[str, Any]


def headline(told: Json) -> str:
    """Return one or two sentences over a whole comparison."""
    features, bad = told["features"], [f for f in told["findings"] if f["verdict"] in ("warning", "critical")]
    if not features and not told["findings"]:
        return "Nothing could be compared: the files have no column in common."
    if not bad:
        return _quiet(features, told["findings"])
    moved = list(dict.fromkeys(finding["feature"] for finding in bad))
    said = [_sentence(bad[0])]
    measured = next((finding for finding in bad if finding["check"] in MEASURES), None)
    if measured is not None and measured is not bad[0]:
        said.append(f"Of what can be measured, {_sentence(measured)}")
    if len(moved) > 1:
        said.append(f"{len(moved)} of {len(features) + _lost(bad, features)} columns moved.")
    return " ".join(said)


def label(check: str) -> str:
    """Return what people call a check."""
    return MEASURES[check].label if check in MEASURES else plain(check)


def _sentence(finding: Json) -> str:
    name = finding["feature"]
    if finding["check"] == "schema":
        return f"{name} cannot be compared: {finding['reason']}."
    if finding["check"] == "missing":
        return f"{name} falls silent: {finding['reason']}."
    times = finding["value"] / finding["threshold"]
    line = f"{times:.1f} times the line of {number(finding['threshold'])}"
    return f"{name} moved most: {label(finding['check'])} {number(finding['value'])}, {line}{chance(finding['p_value'])}."


def chance(p_value: float | None) -> str:
    """Return how sure that is, as the rest of a sentence."""
    if p_value is None:
        return ""
    if p_value < 1e-9:
        return "; chance does that less than once in a billion"
    return f"; chance does that less than once in {10 ** math.floor(-math.log10(p_value)):,}"


def _quiet(features: Sequence[Json], findings: Sequence[Json]) -> str:
    unknown = [f["feature"] for f in (*features, *findings) if f["verdict"] == "unknown"]
    healthy = sum(f["verdict"] == "healthy" for f in features)
    said = (
        f"Nothing moved: {healthy} of {len(features)} columns {'is' if healthy == 1 else 'are'} as the reference."
        if healthy
        else ""
    )
    doubt = (
        f"Nobody can say how {some(unknown)} {'does' if len(unknown) == 1 else 'do'}: too few rows, no values, or new."
        if unknown
        else ""
    )
    return " ".join(part for part in (said, doubt) if part) or "Nothing was measured."


def _lost(bad: Sequence[Json], features: Sequence[Json]) -> int:
    """Count what moved without being a column of both files."""
    known = {feature["feature"] for feature in features}
    return len({finding["feature"] for finding in bad} - known)
