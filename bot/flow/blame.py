"""Blame: which input most likely explains it, with the numbers, and who feeds it; or that no single one does.

An input is suspected when it has moved and the model leans on it: drift × importance. It is named only when nobody else is nearly
as suspect and when, over the windows so far, its drift went along with the loss: in July the temperature drifts further than ever,
and the model does well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.core.checks import Family
from bot.core.clues import Clues
from bot.core.findings import Finding, Verdict
from bot.core.models import Model
from bot.core.profiles import Floats
from bot.core.words import SHARE, amount, some

LEAST_FIT = 0.8
"""A surrogate that explains less of the score's variance says nothing about the model."""
LEAST_WEIGHT = 0.10
MOST_TIMES = 5.0
"""Five times over its line a column has moved as far as can matter."""
NEARLY = 0.5
"""A runner-up with this part of the first one's suspicion leaves no single input."""
LEAST_WINDOWS, LEAST_TOGETHER = 8, 0.5
LEAST_EXCESS, MOST_CHANCE = 0.02, 0.05


@dataclass(frozen=True, slots=True)
class Weights:
    """How much the model leans on each input, a share; `source` says whence, where it is not the configuration."""

    shares: Mapping[str, float]
    source: str = ""


@dataclass(frozen=True, slots=True)
class Suspect:
    """An input that moved, by the finding that says so most clearly."""

    finding: Finding
    weight: float

    @property
    def suspicion(self) -> float:
        """Drift × importance."""
        return strength(self.finding) * self.weight


def strength(finding: Finding) -> float:
    """Return how far beyond its line it is: 1 just over a warning, 2 just over a critical line, at most five times that."""
    times = abs((finding.value or 0.0) / finding.threshold) if finding.threshold else 1.0
    return min(times, MOST_TIMES) * (2 if finding.verdict is Verdict.CRITICAL else 1)


def strongest(findings: Sequence[Finding]) -> dict[str, Finding]:
    """Return what moved: of each subject's bad findings on its data the one that says so most clearly."""
    moved: dict[str, Finding] = {}
    for finding in findings:
        if finding.family in (Family.DRIFT, Family.DATA_QUALITY) and finding.bad:
            known = moved.get(finding.subject)
            moved[finding.subject] = finding if known is None else max(known, finding, key=_clearness)
    return moved


def _clearness(finding: Finding) -> tuple[int, float, float]:
    return finding.verdict.rank, strength(finding), finding.value or 0.0


def weights_of(model: Model, clues: Clues) -> Weights:
    """Return the configured importances; without any those of the surrogate, if that is as good as the model."""
    configured = {f.name: f.importance for f in model.features if f.importance > 0}
    if configured or clues.fit < LEAST_FIT:
        return Weights(configured)
    return Weights(clues.leans, f"by a surrogate that explains {amount(clues.fit, SHARE)} of the score")


def suspects(model: Model, findings: Sequence[Finding], weights: Weights) -> list[Suspect]:
    """Return the inputs that moved, the most suspect first."""
    moved = strongest([f for f in findings if model.feature(f.subject) is not None])
    found = [Suspect(finding, weights.shares.get(name, 0.0)) for name, finding in moved.items()]
    return sorted(found, key=lambda s: (-s.suspicion, -strength(s.finding), s.finding.subject))


def together(drift: Sequence[Finding], loss: Sequence[Finding]) -> tuple[float, int] | None:
    """Return how far the two went along with each other so far: rank correlation, −1 to 1, and over how many windows.

    Watches have rhythms of their own, so each window of the loss is held against the nearest one of the drift. None where fewer
    than eight of them meet, or one of the two never changed.
    """
    pairs = []
    for ours in loss:
        near = min(drift, key=lambda theirs: abs(theirs.window.end - ours.window.end), default=None)
        if (
            near is not None
            and abs(near.window.end - ours.window.end) <= ours.window.length
            and None not in (near.value, ours.value)
        ):
            pairs.append((abs(near.value or 0.0), abs(ours.value or 0.0)))
    if len(pairs) < LEAST_WINDOWS:
        return None
    one, other = (_ranks([pair[side] for pair in pairs]) for side in (0, 1))
    if not one.std() or not other.std():
        return None
    return float(np.corrcoef(one, other)[0, 1]), len(pairs)


def _ranks(values: Sequence[float]) -> Floats:
    """Return middle ranks."""
    given = np.asarray(values)
    ordered = np.sort(given)
    below, up_to = np.searchsorted(ordered, given, side="left"), np.searchsorted(ordered, given, side="right")
    return np.asarray((below + up_to) / 2, dtype=np.float64)


def broken(model: Model, findings: Sequence[Finding]) -> dict[str, str]:
    """Return the cause where data are broken: those very columns, and the team that feeds them all."""
    names = sorted({f.column for f in findings if model.feature(f.column)}, key=lambda name: (-model.importance(name), name))
    if not names:
        return nobody("what broke is not one of the model's inputs")
    teams = {feature.team for name in names if (feature := model.feature(name))}
    first = next(f for f in findings if f.column == names[0])
    why = f"{first.named} {amount(first.value, first.unit)}" + (f" of {names[0]}" if len(names) > 1 else "")
    return {"feature": some(names), "team": teams.pop() if len(teams) == 1 else "", "text": why}


def likely_cause(model: Model, found: Sequence[Suspect], weights: Weights, went: tuple[float, int] | None) -> dict[str, str]:
    """Name the input that most likely explains it, why, and who feeds it; or say why nobody can.

    Args:
        model: whose inputs they are.
        found: the suspects, the most suspect first.
        weights: how much the model leans on its inputs.
        went: how far the first one's drift went along with the loss (`together`), None where the windows are too few to tell.
    """
    if not found:
        return nobody("no input has moved beyond its line")
    first = found[0]
    name, seen = first.finding.subject, f"{first.finding.named} {amount(first.finding.value, first.finding.unit)}"
    if not weights.shares:
        return nobody(f"{name} moved most ({seen}), but on which inputs the model leans is not known; give their importance")
    if first.weight < LEAST_WEIGHT:
        return nobody(f"{name} moved most ({seen}), but the model hardly leans on it ({amount(first.weight, SHARE)})")
    if len(found) > 1 and found[1].suspicion > NEARLY * first.suspicion:
        return nobody(f"{name} and {found[1].finding.subject} are about equally suspect")
    if went and abs(went[0]) < LEAST_TOGETHER:
        return nobody(f"{name} moved most ({seen}), but over {went[1]} windows it did not go along with the loss (r {went[0]:.2f})")
    along = f"; over {went[1]} windows it went along with the loss (r {went[0]:.2f})" if went else ""
    leans = f"the model leans on it with {amount(first.weight, SHARE)}{f' ({weights.source})' if weights.source else ''}"
    feature = model.feature(name)
    return {"feature": name, "team": feature.team if feature else "", "text": f"{seen}; {leans}{along}".replace("r -", "r −")}


def nobody(why: str) -> dict[str, str]:
    """Say that no single input explains it."""
    return {"feature": "", "team": "", "text": f"No single input explains it: {why}.".replace("r -", "r −")}


def slice_rows(clues: Clues) -> list[dict[str, object]]:
    """Return the slices on which the model surely does much worse, as rows of the evidence."""
    surely = [s for s in clues.slices if s.chance <= MOST_CHANCE and s.excess >= LEAST_EXCESS]
    return [{"name": s.name, "n": s.n, "text": f"squared error {s.loss:.3f}, elsewhere {s.rest:.3f}"} for s in surely]
