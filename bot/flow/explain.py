"""Explain: why it happened and what would help, before anybody asks.

The other versions are asked to score the very same labelled rows that raised the incident (read-only); whether one of them would
have done better is then a measurement, not an opinion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bot.core.audit import BOT, AuditEntry
from bot.core.checks import Family, Measurement
from bot.core.clues import Clues
from bot.core.errors import AiopsError, NotFound
from bot.core.findings import Finding
from bot.core.incidents import Incident
from bot.core.models import Model, Split, live_version, split_words
from bot.core.profiles import Floats
from bot.core.readings import BINARY, REGRESSION, Outcomes, Reading, Sample
from bot.core.windows import Window
from bot.core.words import POINTS, SHARE, amount, between, some
from bot.flow import announce, blame
from bot.flow.desk import Desk
from bot.flow.served import Decided, decided, otherwise
from bot.flow.tune import tuned
from bot.flow.watch import reference

MOST_DRIFT_ROWS = 12


def explain_all(desk: Desk) -> int:
    """Gather evidence for every open incident that has none yet; return how many were explained."""
    with desk.store.read() as unit:
        waiting = [i for i in unit.incidents(open_only=True) if i.model_key in desk.models and not explained(i)]
    for incident in waiting:
        explain(desk, incident.id)
    return len(waiting)


def explained(incident: Incident) -> bool:
    """Return whether its evidence has been gathered."""
    return "drift" in incident.evidence


def explain(desk: Desk, number: int) -> Incident:
    """Write an incident's evidence: what moved, which version does better on the same rows, what to do next."""
    with desk.store.read() as unit:
        incident = unit.incident(number)
        model = desk.model(incident.model_key)
        latest = unit.latest(model.key)
        history = unit.history(model.key, incident.findings[0].key)
        wanted = decided(unit, model.key)
    if otherwise(incident) and wanted:
        return _keep(desk, number, otherwise_served(desk, model, wanted))
    gathered: dict[str, object] = {"chart": timeline(incident, history), "split": _split(desk, model)}
    gathered |= causes(desk, model, incident, latest)
    if incident.family is Family.DATA_QUALITY:
        gathered |= {"versions": [], "best": "", "why_none": why_none(desk, model, incident)}
    else:
        gathered |= rivals(desk, model, incident.window)
    gathered["suggestion"] = suggestion(model, incident, gathered)
    return _keep(desk, number, gathered)


def _keep(desk: Desk, number: int, gathered: Mapping[str, object]) -> Incident:
    with desk.store.write() as unit:
        incident = unit.incident(number)
        if explained(incident):  # another shard or replica was quicker
            return incident
        saved = unit.save_incident(replace(incident, evidence={**incident.evidence, **gathered}))
        kept = {k: v for k, v in gathered.items() if k in ("best", "split")}
        row = unit.audit(AuditEntry(desk.clock.now(), BOT, "incident.explained", incident.key, number, kept))
        announce.evidence(unit, saved)
        announce.show(desk, unit, saved, row)
    return saved


def otherwise_served(desk: Desk, model: Model, wanted: Decided) -> dict[str, object]:
    """Return the evidence where something else is served than was decided: why that happens, and the two ways out."""
    text = "Nobody decided this here. A splitter that restarts may forget what it was told; or somebody has set it past the bot."
    return {
        "drift": [],
        "cause": {"feature": "", "team": "", "text": text},
        "versions": [],
        "best": "",
        "split": _split(desk, model),
        "decided": dict(wanted.split),
        "suggestion": f"Put {split_words(wanted.split)} back ('restore'), or resolve this incident to keep what is served now.",
    }


def causes(desk: Desk, model: Model, incident: Incident, latest: Sequence[Finding]) -> dict[str, object]:
    """Return what moved, which input most likely explains it (or that none does), and the slices on which the model errs most."""
    if incident.family is Family.DATA_QUALITY:
        return {"drift": drift_rows(latest), "cause": blame.broken(model, incident.findings), "slices": []}
    clues = _clues(desk, model, incident.window)
    weights = blame.weights_of(model, clues)
    found = blame.suspects(model, latest, weights)
    went = None
    if found and incident.family is Family.PERFORMANCE:
        with desk.store.read() as unit:
            drift, loss = (unit.history(model.key, f.key) for f in (found[0].finding, incident.findings[0]))
        went = blame.together(drift, loss)
    leaning = [replace(f, importance=weights.shares.get(f.subject, f.importance)) for f in latest]
    return {
        "drift": drift_rows(leaning),
        "weights": weights.source,
        "cause": blame.likely_cause(model, found, weights, went),
        "slices": blame.slice_rows(clues),
    }


def _clues(desk: Desk, model: Model, window: Window) -> Clues:
    """Look into the window's whole rows once more; where they cannot be read, the evidence does without."""
    try:
        like = reference(desk, model)
        reading = desk.source(model).reading(model, window, like.distributions, as_of=desk.data.now())
    except AiopsError:
        return Clues()
    now = reading.joint
    if now is not None and model.task == REGRESSION:  # slices are searched by shares
        now = now.unlabelled()
    return desk.clues(like.joint, now, not any(feature.importance for feature in model.features))


def _split(desk: Desk, model: Model) -> str:
    """Return what serves, in words; empty where nothing can say so."""
    if not model.serving:
        return ""
    try:
        return split_words(desk.split(model))
    except AiopsError:
        return "unknown: the splitter does not answer"


def drift_rows(latest: Sequence[Finding]) -> list[dict[str, object]]:
    """Return what moved, by drift × importance: one row a column, its strongest check."""
    moved = blame.strongest(latest).values()
    ordered = sorted(
        moved, key=lambda f: (-blame.strength(f) * f.importance, -f.verdict.rank, -blame.strength(f), -(f.value or 0.0))
    )
    return [announce.finding_data(f) for f in ordered[:MOST_DRIFT_ROWS]]


def timeline(incident: Incident, history: Sequence[Finding]) -> dict[str, object]:
    """Return the chart of the finding that opened the incident: its value in every window so far."""
    first = incident.findings[0]
    unit = "%" if first.unit == SHARE else first.unit
    unit_words = f" in {unit}" if first.unit in (SHARE, POINTS) else ""
    points = [
        {
            "at": f.window.end.isoformat(),
            "value": drawn(f.value, f.unit),
            "low": drawn(f.interval[0], f.unit) if f.interval else None,
            "high": drawn(f.interval[1], f.unit) if f.interval else None,
        }
        for f in history
        if f.value is not None
    ]
    about = "" if first.subject in ("model", "") or first.family is Family.PERFORMANCE else f" of {first.subject}"
    return {
        "kind": "timeline",
        "title": f"{first.named}{about}{unit_words}, {incident.model}",
        "unit": unit,
        "points": points,
        "threshold": drawn(first.threshold, first.unit),
        "reference": drawn(first.reference, first.unit),
        "window": [incident.window.start.isoformat(), incident.window.end.isoformat()],
    }


def drawn(value: float | None, unit: str) -> float | None:
    """Return a value as its chart shows it: shares in percent, as the words around it say them."""
    return round(value * 100, 2) if value is not None and unit in (SHARE, POINTS) else value


@dataclass(frozen=True, slots=True, eq=False)
class Contest:
    """The same labelled rows, scored by every version; `serving` is the one that people get."""

    window: Window
    sample: Sample
    scored: Mapping[str, Floats]
    serving: str


def rivals(desk: Desk, model: Model, window: Window) -> dict[str, object]:
    """Ask every version to score the same labelled rows; name the best one that is really better than the one that serves."""
    scorer = desk.scorers.get(model.name)
    if model.task != BINARY:
        why = f"Versions cannot be compared on a {model.task} task yet: only binary scores are asked for again."
        return {"versions": [], "best": "", "why_none": why}
    if scorer is None:
        why = "No model versions can be asked to score again; add `scorer:` to the model in aiops.yaml."
        return {"versions": [], "best": "", "why_none": why}
    try:
        sample = desk.source(model).sample(model, window, desk.sample_rows)
        split = desk.split(model)
        serving = live_version(split)
        scored = {version: scorer.score(model.name, version, sample) for version in scorer.versions(model.name)}
        if serving not in scored:
            raise NotFound(_not_among(serving))
        contest = Contest(window, sample, scored, serving)
        rows = [compared(desk, model, contest, version) for version in scored]
    except AiopsError as reason:
        return {"versions": [], "best": "", "why_none": f"The other versions could not be compared: {reason}"}
    found = {"versions": rows, "serving": serving, "best": best_of(rows), "compared_rows": len(sample), "window": str(window)}
    return found | {"worse": worse_of(rows, split)}


def _not_among(serving: str) -> str:
    """Say why no version can be called better than the one that serves."""
    if serving:
        return f"the version that serves, {serving}, cannot be asked to score."
    return "nothing says which version serves; the model's `serving:` in aiops.yaml names the platform that does."


def compared(desk: Desk, model: Model, contest: Contest, version: str) -> dict[str, object]:
    """Return one version as a row: its primary metric by the very check that judges the model, its gain over the serving one."""
    sample, scores = contest.sample, contest.scored[version]
    outcomes = Outcomes(scores, sample.labels, np.full(len(sample), version), sample.at)
    reading = Reading(contest.window, len(sample), outcomes=outcomes)
    check = tuned(desk.checks["performance"], model.thresholds)
    found = [m for m in check.measure(reading, reading) if isinstance(m, Measurement) and m.subject == model.primary]
    row: dict[str, object] = {"version": version, "serving": version == contest.serving, "metric": check.named(model.primary)}
    row |= _numbers("value", found[0] if found else None, check.unit_of(model.primary))
    row |= _numbers("gain", None if row["serving"] else desk.paired(sample, contest.scored[contest.serving], scores))
    return row | {"n": len(sample)}


def _numbers(name: str, measured: Measurement | None, unit: str = "") -> dict[str, object]:
    if measured is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None, f"{name}_text": "", f"{name}_interval_text": ""}
    low, high = measured.interval or (measured.value, measured.value)
    return {
        name: measured.value,
        f"{name}_low": low,
        f"{name}_high": high,
        f"{name}_text": amount(measured.value, unit),
        f"{name}_interval_text": between(low, high, unit),
    }


def best_of(rows: Sequence[Mapping[str, object]]) -> str:
    """Return the version that gains most over the serving one, if its whole interval is a gain; empty where none does."""
    better = [row for row in rows if isinstance(row["gain_low"], float) and row["gain_low"] > 0]
    return str(max(better, key=lambda row: float(str(row["gain"])))["version"]) if better else ""


def worse_of(rows: Sequence[Mapping[str, object]], split: Split) -> Mapping[str, object]:
    """Return the version (with its share) that gets part of the traffic and loses to the one that gets most; empty for none."""
    losing = [row for row in rows if isinstance(row["gain_high"], float) and row["gain_high"] < 0]
    shares = {str(row["version"]): split.get(str(row["version"]), 0.0) for row in losing}
    version = live_version(shares)
    return {"version": version, "share": shares[version]} if version and shares[version] > 0 else {}


def suggestion(model: Model, incident: Incident, gathered: Mapping[str, object]) -> str:
    """Say the next step in one sentence, with the numbers that carry it."""
    if incident.family is Family.DATA_QUALITY:
        return str(gathered["why_none"])
    rows = {str(r["version"]): r for r in gathered["versions"]}  # type: ignore[attr-defined]
    best, serving = str(gathered.get("best", "")), str(gathered.get("serving", ""))
    if best:
        theirs, ours = rows[best], rows[serving]
        return (
            f"Roll back to {best}: on the very same {gathered['compared_rows']:,} rows its {theirs['metric']} is "
            f"{theirs['value_text']}, {serving}'s {ours['value_text']}; "
            f"log loss lower by {theirs['gain_text']} {theirs['gain_interval_text']}."
        )
    if worse := gathered.get("worse"):
        return _take_out(rows, serving, worse, gathered["compared_rows"])  # type: ignore[arg-type]
    if rows:
        none = f"No other version of {model.name} does better on these rows"
        return f"{none}, so a rollback would not help; it needs new training data or a person."
    return str(gathered.get("why_none", "")) or "A person has to look at it."


def _take_out(rows: Mapping[str, Mapping[str, object]], serving: str, worse: Mapping[str, object], n: int) -> str:
    """Say that a version on trial loses, which going back to another version would not mend."""
    version, share = str(worse["version"]), amount(float(str(worse["share"])), SHARE)
    theirs, ours = rows[version], rows[serving]
    return (
        f"Take {version} out of the traffic, it gets {share}: on the very same {n:,} rows its {theirs['metric']} is "
        f"{theirs['value_text']}, {serving}'s {ours['value_text']}."
    )


def why_none(desk: Desk, model: Model, incident: Incident) -> str:
    """Say why no playbook is offered for broken data, and who can mend it."""
    broken = some(sorted({f.subject for f in incident.findings}, key=lambda s: -model.importance(s)))
    scorer = desk.scorers.get(model.name)
    versions = f"All {len(scorer.versions(model.name))} versions read" if scorer else "Every version reads"
    handed = f"Handed to {incident.team}: {broken} must come back at the source."
    meanwhile = [f"'{playbook.title}'" for playbook in desk.remedies(incident, model)]
    until = f" Until then {some(meanwhile)} may be proposed." if meanwhile else ""
    return f"{handed} {versions} the same columns, so neither rollback nor retraining would mend it.{until}"
