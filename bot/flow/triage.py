"""Triage: findings become one incident, an update of one, a digest line, or nothing.

What may open an incident (drift alone would page forty windows where two matter):

- **data quality** and **operations**: any critical finding;
- **performance**: the model's primary metric; an estimate without labels only while no label says that the model does well;
- **drift**: only when large, important, persistent *and* no labels say how the model does; else a digest line.

Every one of them must persist (`k` of `n` windows). Broken data explains a loss and a loss explains drift, so only the family with
the highest precedence opens; the others become its evidence.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from bot.core.audit import BOT, AuditEntry
from bot.core.checks import Family
from bot.core.findings import ESTIMATED, SERVED, Finding, Verdict
from bot.core.incidents import Incident, Note, Severity, State, dedup_key
from bot.core.models import RECORD, Look, Model
from bot.core.ports import Unit
from bot.core.words import amount, some, unit_after
from bot.flow import announce
from bot.flow.desk import Desk
from bot.flow.detect import BLIND
from bot.flow.recover import recovered
from bot.flow.resolve import close
from bot.flow.shadow import told, would_open

IMPORTANT = 0.10
"""From this share of importance on, a feature's trouble is the model's trouble."""


def triage(desk: Desk, unit: Unit, model: Model, look: Look, findings: list[Finding]) -> None:
    """Decide what one look means; everything it changes belongs to the caller's transaction."""
    pressing = [f for f in findings if may_page(unit, model, f) and persistent(unit, look, f)]
    for family in sorted({f.family for f in pressing}, key=lambda f: f.precedence):
        _raise(desk, unit, model, look, [f for f in pressing if f.family is family])
    for family in {f.family for f in findings}:
        _settle(desk, unit, model, look, [f for f in findings if f.family is family])
    _remember(desk, unit, model, look.slot, [f for f in findings if f.bad and f not in pressing])


def quiet(findings: Iterable[Finding]) -> bool:
    """Return whether these give triage nothing to do, as long as no incident of the model is open."""
    return not any(finding.bad or (finding.check == BLIND and finding.verdict is Verdict.UNKNOWN) for finding in findings)


def may_page(unit: Unit, model: Model, finding: Finding) -> bool:
    """Return whether this finding is of the kind that people are woken for."""
    if finding.check == BLIND:
        return finding.verdict is Verdict.UNKNOWN
    if finding.verdict is not Verdict.CRITICAL or not of_weight(model, finding):
        return False
    if finding.check == ESTIMATED:
        return not _known_to_do_well(unit, model)
    return finding.family is not Family.DRIFT or not _judged_by_labels(unit, model)


def of_weight(model: Model, finding: Finding) -> bool:
    """Return whether a line crossed by this (check, subject) can wake anybody at all."""
    heavy = finding.check == ESTIMATED or weighs(model, finding.family, finding.column)
    return heavy and (not finding.slice or model.segments_page)


def weighs(model: Model, family: Family, subject: str) -> bool:
    """Return whether this subject of this family is one that people are woken for."""
    match family:
        case Family.PERFORMANCE:
            return subject == model.primary
        case Family.DRIFT:
            return important(model, subject)
    return True


def important(model: Model, subject: str) -> bool:
    """Return whether the model leans on this column; its own score always counts."""
    return subject == model.columns.score or model.importance(subject) >= IMPORTANT


def _judged_by_labels(unit: Unit, model: Model) -> bool:
    """Whether labels lately tell how the model does: what it loses is then paged by itself, and drift is news, not trouble."""
    return any(f.tells(model.primary) and f.verdict is not Verdict.UNKNOWN for f in unit.latest(model.key))


def _known_to_do_well(unit: Unit, model: Model) -> bool:
    """Whether labels have lately said that the model is fine: then an estimate is contradicted."""
    return any(f.tells(model.primary) and f.verdict is Verdict.HEALTHY for f in unit.latest(model.key))


def persistent(unit: Unit, look: Look, finding: Finding) -> bool:
    """Return whether it was as bad in `k` of the last `n` windows, this one included."""
    wanted = look.watch.persistence
    earlier = unit.recent(finding.model, finding.key, look.slot, wanted.n - 1)
    return 1 + sum(verdict is finding.verdict for verdict in earlier) >= wanted.k


def severity_of(model: Model, family: Family, findings: Iterable[Finding]) -> Severity:
    """Return how bad it is; a critical model's troubles count one step more."""
    findings = list(findings)
    base = {Family.PERFORMANCE: 1, Family.OPERATIONS: 2, Family.DATA_QUALITY: 3, Family.DRIFT: 3}[family]
    if family is Family.DATA_QUALITY and _weight(model, findings) >= IMPORTANT:
        base = 2
    if all(f.check == BLIND for f in findings):
        base = 3
    if all(f.check == ESTIMATED for f in findings):  # nobody has seen it yet
        base = 2
    return Severity(f"SEV{max(1, base - (model.tier == 'critical'))}")


def _weight(model: Model, findings: Iterable[Finding]) -> float:
    """Return how much of the model leans on what is broken: a share, 1 when it is the model itself."""
    broken = {f.column for f in findings}
    return 1.0 if "model" in broken else sum(model.importance(subject) for subject in broken)


def team_of(model: Model, family: Family, findings: Iterable[Finding]) -> str:
    """Return who can mend it: broken data belongs to the team that feeds the most affected columns, the rest to the owner."""
    if family is not Family.DATA_QUALITY:
        return model.team
    feeds = [feature.team for f in findings if (feature := model.feature(f.column)) and feature.team]
    return max(sorted(set(feeds)), key=feeds.count) if feeds else model.team


def title_of(model: Model, family: Family, findings: list[Finding]) -> str:
    """Return one line that says what is wrong, for a phone's lock screen."""
    first = findings[0]
    value, unit = amount(first.value, first.unit), unit_after(first.unit)
    own_words = {
        BLIND: ": its prediction log cannot be read",
        SERVED: f": {value} of its traffic is not served as decided",
        ESTIMATED: f" is probably losing: {first.named} {value} {unit}",
    }
    if first.check in own_words:
        return f"{model.name}{own_words[first.check]}"
    match family:
        case Family.PERFORMANCE:
            return f"{model.name} is losing: {first.named} {value}"
        case Family.DATA_QUALITY:
            broken = sorted({f.subject for f in findings}, key=lambda s: -model.importance(s))
            return f"{model.name}: broken data in {some(broken)}"
        case Family.OPERATIONS:
            return f"{model.name}: {first.named} {value} {unit}".rstrip()
    return f"{model.name}: inputs have moved far, and no labels say whether it still does well"


def _raise(desk: Desk, unit: Unit, model: Model, look: Look, findings: list[Finding]) -> None:
    """Open an incident for these findings, or bring the open one up to date."""
    family, findings = findings[0].family, sorted(findings, key=lambda f: (-f.importance, f.check, f.subject))
    known = unit.open_for(dedup_key(model.name, model.environment, family))
    if known is not None:
        _refresh(desk, unit, model, known, [*findings, *_of_others(model, known, look)])
    elif findings[0].check != SERVED and _explained(unit, model, family):
        return
    elif model.mode == RECORD:
        what = told(severity_of(model, family, findings), title_of(model, family, findings))
        would_open(desk, unit, look, findings, Note(model.name, model.environment, look.slot, findings[0].window, what))
    else:
        _open(desk, unit, model, family, findings)


def _explained(unit: Unit, model: Model, family: Family) -> bool:
    """Whether an incident is open that explains this kind of trouble: broken data a loss, a loss drift."""
    return any(i.family.precedence < family.precedence for i in unit.incidents(open_only=True, model=model.key))


def _open(desk: Desk, unit: Unit, model: Model, family: Family, findings: list[Finding]) -> None:
    team = team_of(model, family, findings)
    draft = Incident(
        id=0,
        model=model.name,
        environment=model.environment,
        family=family,
        severity=severity_of(model, family, findings),
        state=State.OPEN,
        title=title_of(model, family, findings),
        team=team,
        opened_at=desk.clock.now(),
        window=findings[0].window,
        findings=tuple(findings),
        handed_to=team if family is Family.DATA_QUALITY else "",
    )
    incident = unit.open_incident(draft)
    if incident is None:  # another replica was first; its incident is this one
        return
    row = unit.audit(
        AuditEntry(
            incident.opened_at,
            BOT,
            "incident.opened",
            incident.key,
            incident.id,
            {"severity": incident.severity.value, "title": incident.title, "window": str(incident.window)},
        )
    )
    announce.show(desk, unit, incident, row)


def _refresh(desk: Desk, unit: Unit, model: Model, known: Incident, findings: list[Finding]) -> None:
    """Bring an open incident level with the newest window; only a worse severity is news enough for a line of its own."""
    severity = min(known.severity, severity_of(model, known.family, findings), key=lambda s: s.rank)
    changed = known.moved(known.state, findings=tuple(findings), window=findings[0].window, severity=severity)
    saved = unit.save_incident(changed)
    row = None
    if severity is not known.severity:
        row = unit.audit(
            AuditEntry(
                desk.clock.now(),
                BOT,
                "incident.severity",
                known.key,
                known.id,
                {"from": known.severity.value, "to": severity.value},
            )
        )
        announce.line(unit, saved, row, ":small_red_triangle:", f"Severity rose from {known.severity.value} to {severity.value}.")
    announce.show(desk, unit, saved, row)


def _settle(desk: Desk, unit: Unit, model: Model, look: Look, findings: list[Finding]) -> None:
    """Close an incident that nobody is working on and whose findings have all recovered (`bot.flow.recover`).

    Inputs that have moved for good never come back; labels that have said `n` times that the model does well are enough.
    """
    family = findings[0].family
    known = unit.open_for(dedup_key(model.name, model.environment, family))
    if known is None or known.state not in (State.OPEN, State.ACKNOWLEDGED):
        return
    blamed = {f.key for f in known.findings}
    seen = [f for f in findings if f.key in blamed]
    if not seen or not recovered(desk, unit, look.watch, seen):
        if family is Family.DRIFT and _does_well_again(unit, model, look):
            close(desk, unit, known, by=BOT, cause="The inputs stay where they moved to, and labels say that the model does well.")
    elif others := _of_others(model, known, look):
        announce.show(desk, unit, unit.save_incident(replace(known, findings=tuple(others))))
    else:
        close(desk, unit, known, by=BOT, cause="It came back to normal without any action.")


def _of_others(model: Model, known: Incident, look: Look) -> list[Finding]:
    """Return the incident's findings that this look cannot speak of: those of another watch."""
    elsewhere = {SERVED, *(check for watch in model.watches for check in watch.checks)} - set(look.watch.checks)
    return [finding for finding in known.findings if finding.check in elsewhere]


def _does_well_again(unit: Unit, model: Model, look: Look) -> bool:
    """Whether the primary metric has been healthy for `n` windows in a row, this one included."""
    told = [f for f in unit.latest(model.key) if f.family is Family.PERFORMANCE and f.subject == model.primary]
    earlier = look.watch.persistence.n - 1
    return bool(told) and all(
        verdicts.count(Verdict.HEALTHY) == earlier + 1
        for f in told
        for verdicts in [[f.verdict, *unit.recent(f.model, f.key, look.slot, earlier)]]
    )


def _remember(desk: Desk, unit: Unit, model: Model, slot: datetime, findings: list[Finding]) -> None:
    """Keep one digest line when inputs begin to move that are not worth waking anybody for; an onset, not every window."""
    moved = [f for f in findings if f.family is Family.DRIFT and f.verdict is Verdict.CRITICAL and not f.slice]
    if any(not _was_bad(unit, slot, f) for f in moved):
        note = Note(model.name, model.environment, slot, moved[0].window, announce.drift_note(unit, model, moved))
        if unit.note(note):
            announce.digest(desk, unit, slot)


def _was_bad(unit: Unit, slot: datetime, finding: Finding) -> bool:
    return any(v in (Verdict.WARNING, Verdict.CRITICAL) for v in unit.recent(finding.model, finding.key, slot, 1))
