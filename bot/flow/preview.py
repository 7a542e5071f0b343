"""Preview: what people need to judge a plan before anything is touched, and what is known about where it leads.

It speaks of the very version that was chosen, with the numbers of the rows that raised the incident, whether they speak for it or
not; of a shift, what its share of that would come to; of a training, which data have come since.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from bot.core.actions import Plan
from bot.core.checks import Family
from bot.core.errors import AiopsError
from bot.core.incidents import Incident
from bot.core.models import Model
from bot.core.playbooks import Playbook
from bot.core.readings import BINARY, Reading
from bot.core.windows import Window
from bot.core.words import number
from bot.flow.desk import Desk
from bot.flow.detect import BLIND
from bot.flow.watch import stored_reference

TRAINER = "trainer"
DAY = timedelta(days=1)

Row = Mapping[str, object]


def preview(desk: Desk, incident: Incident, playbook: Playbook, plan: Plan) -> dict[str, object]:
    """Return what a plan touches in its environment, and a line for everything that is known of where it leads."""
    model = desk.model(incident.model_key)
    kinds = dict.fromkeys(change.action for change in plan.changes)
    touched = [desk.actions[kind].blast([c for c in plan.changes if c.action == kind]) for kind in kinds]
    lines = [*_why(incident, playbook, plan), *_data(desk, model, plan)]
    return {"blast_radius": "; ".join((f"{plan.environment}: {touched[0]}", *touched[1:], *_traffic(desk, model))), "lines": lines}


def _why(incident: Incident, playbook: Playbook, plan: Plan) -> Iterator[str]:
    suggestion, best = str(incident.evidence.get("suggestion", "")), str(incident.evidence.get("best", ""))
    chosen = next((str(plan.parameters[p.name]) for p in playbook.parameters if p.kind == "version"), "")
    if chosen and chosen != best:
        yield _of_version(incident, chosen)
    if suggestion:
        yield f"The evidence speaks for {best}. {suggestion}" if best and chosen not in ("", best) else suggestion
    yield from _of_share(incident, chosen, _share(plan, chosen))


def _of_version(incident: Incident, version: str) -> str:
    """Say how a version does that the evidence does not suggest, on the rows that raised the incident."""
    rows = {str(row["version"]): row for row in _rows(incident)}
    ours, serving = rows.get(version), rows.get(str(incident.evidence.get("serving", "")))
    if ours is None or serving is None or not ours.get("value_text"):
        return f"*Nothing is known of {version} on the rows that raised this*: it was not compared there."
    compared = (
        f"{version} on the very same {incident.evidence.get('compared_rows', 0):,} rows: {ours['metric']} {ours['value_text']}"
    )
    if ours is serving:
        return f"{compared} {ours['value_interval_text']}; it serves most of the traffic already, and would get the rest."
    low = ours.get("gain_low")
    better = "" if isinstance(low, float) and low > 0 else ", so it is *not known to do better*"
    return (
        f"{compared} {ours['value_interval_text']}, {serving['version']}'s {serving['value_text']}; "
        f"its log loss is lower by {ours['gain_text']} {ours['gain_interval_text']}{better}."
    )


def _of_share(incident: Incident, version: str, share: float) -> Iterator[str]:
    """Say what a part of the traffic would come to: requests are shared at random, so the loss moves by so much of the gain."""
    row = next((row for row in _rows(incident) if row["version"] == version), {})
    gain = [row.get(name) for name in ("gain", "gain_low", "gain_high")]
    if 0 < share < 1 and all(isinstance(value, float) for value in gain):
        moved, low, high = (number(share * float(str(value))) for value in gain)
        part = f"{100 * share:.3g} %"
        yield f"With {part} of the traffic, log loss over all requests is expected to be lower by {moved} [{low}, {high}]."


def _rows(incident: Incident) -> list[Row]:
    return incident.evidence.get("versions") or []  # type: ignore[return-value]


def _share(plan: Plan, version: str) -> float:
    """Return how much of the traffic a version has when the plan is done; 0 where the plan moves none."""
    split = plan.changes[-1].after
    share = split.get(version, 0.0) if plan.changes[-1].action == "set_traffic" else 0.0
    return float(str(share))


def _data(desk: Desk, model: Model, plan: Plan) -> Iterator[str]:
    """Say which data have come since the reference, where something is to be trained: as much of them as the reference is long."""
    log = desk.sources.get(model.source)
    if log is None or not any(change.on == TRAINER for change in plan.changes):  # a rehearsal has no log
        return
    window = Window.ending(desk.data.now(), model.reference.length)
    try:
        fresh = log.reading(model, window, {}, as_of=desk.data.now())
    except AiopsError as reason:
        yield f"The data for it could not be looked at: {reason}"
        return
    yield _fresh(model, fresh, stored_reference(desk, model))


def _fresh(model: Model, fresh: Reading, before: Reading | None) -> str:
    labelled = len(fresh.outcomes) if fresh.outcomes is not None else 0
    told = f"New data for it: {fresh.rows:,} predictions, {fresh.window}"
    if not labelled or fresh.outcomes is None:
        return f"{told}; *none of them has a label yet*."
    known = labelled + fresh.outcomes.awaited
    words = f"{told}; {labelled / known:.0%} of them have a label".replace("%", " %")
    if model.task != BINARY or before is None or before.outcomes is None or not len(before.outcomes):
        return f"{words}."
    now, then = (f"{100 * float(side.labels.mean()):.1f} %" for side in (fresh.outcomes, before.outcomes))
    return f"{words}, and of those {now} came true ({then} in the reference)."


def _traffic(desk: Desk, model: Model) -> Iterator[str]:
    """Say how many predictions a day this is about, as the last look counted them."""
    with desk.store.read() as unit:
        looks = [f for f in unit.latest(model.key) if f.check == BLIND and f.family is Family.DATA_QUALITY and f.n]
    for look in looks[:1]:
        yield f"about {look.n / max(look.window.length / DAY, 1e-9):,.0f} predictions a day"
