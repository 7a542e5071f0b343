"""Look around: everything that is known of an incident's model at this moment, in one message; nothing is changed.

The checks are those of its watches, run again on the newest data by the very code of a look; then what the other versions would
have done on the newest rows, what is served and whether that was decided, what people and the bot did here lately, and how often
the same trouble came before.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from bot.core.checks import Family
from bot.core.errors import AiopsError, NotFound
from bot.core.findings import Finding, Verdict
from bot.core.incidents import Incident
from bot.core.models import Model, Watch, split_words
from bot.core.ports import Unit
from bot.core.runs import Run
from bot.core.words import duration
from bot.flow import announce
from bot.flow.desk import Desk
from bot.flow.detect import blind
from bot.flow.explain import rivals
from bot.flow.served import decided
from bot.flow.watch import measured, reference

LATELY, BEFORE = timedelta(days=7), timedelta(days=90)
MOST_FINDINGS, MOST_RUNS, MOST_REASONS = 8, 5, 4

Data = dict[str, object]


def around(desk: Desk, incident: Incident) -> Data:
    """Return what there is to see, as facts for the template `around`."""
    model, now = desk.model(incident.model_key), desk.data.now()
    findings = [finding for watch in model.watches for finding in _newest(desk, model, watch)]
    contest = _contest(desk, model) if incident.family is not Family.DATA_QUALITY else {}
    with desk.store.read() as unit:
        wanted = decided(unit, model.key)
        past: Data = {"runs": _lately(desk, unit, model), "before": _before(desk, unit, incident)}
    found = _judged(findings)
    return {
        "number": incident.id,
        "model": model.name,
        "at": now.isoformat(),
        "summary": _summary(found, contest),
        **found,
        **contest,
        "split": _split(desk, model),
        "decided": split_words(wanted.split) if wanted else "",
        **past,
    }


def _newest(desk: Desk, model: Model, watch: Watch) -> list[Finding]:
    """Measure a watch's newest window; what cannot be looked at is a finding, too."""
    now = desk.data.now()
    try:
        return measured(desk, model, watch, now, reference(desk, model))
    except AiopsError as reason:
        return [blind(model, watch.judged_at(now), str(reason))]


def _judged(findings: Sequence[Finding]) -> Data:
    """Return what is wrong, the worst first, why the rest is not known, and how much was looked at."""
    verdicts = Counter(finding.verdict for finding in findings)
    wrong = sorted(
        (f for f in findings if f.verdict in (Verdict.CRITICAL, Verdict.WARNING)), key=lambda f: (-f.verdict.rank, -f.importance)
    )
    unknown = [f"{f.named}{_of(f)}: {f.reason}" for f in findings if f.verdict is Verdict.UNKNOWN]
    return {
        "critical": verdicts[Verdict.CRITICAL],
        "warning": verdicts[Verdict.WARNING],
        "healthy": verdicts[Verdict.HEALTHY],
        "unknown": verdicts[Verdict.UNKNOWN],
        "wrong": [announce.finding_data(f) for f in wrong[:MOST_FINDINGS]],
        "more_wrong": max(0, len(wrong) - MOST_FINDINGS),
        "reasons": list(dict.fromkeys(unknown))[:MOST_REASONS],
    }


def _of(finding: Finding) -> str:
    return f" of {finding.subject}" if finding.subject not in ("", "model") else ""


def _summary(found: Data, contest: Data) -> str:
    told = [f"{found[verdict]} {verdict}" for verdict in ("critical", "warning", "unknown", "healthy") if found[verdict]]
    best = str(contest.get("best", ""))
    return ", ".join(told) + (f"; {best} does better on the newest rows" if best else "")


def _contest(desk: Desk, model: Model) -> Data:
    """Return how every version does on the newest labelled rows; empty where no watch looks at performance."""
    try:
        watch = model.watch_of("performance")
    except NotFound:
        return {}
    return rivals(desk, model, watch.judged_at(desk.data.now()))


def _split(desk: Desk, model: Model) -> str:
    try:
        return split_words(desk.split(model))
    except AiopsError:
        return "unknown: the splitter does not answer"


def _lately(desk: Desk, unit: Unit, model: Model) -> list[Data]:
    """Return what was done on this model within a week, newest first."""
    since = desk.clock.now() - LATELY
    runs = [run for run in unit.runs(model=model.key) if run.queued_at >= since and run.state.over]
    return [_run(desk, unit, run) for run in runs[:MOST_RUNS]]


def _run(desk: Desk, unit: Unit, run: Run) -> Data:
    proposal = unit.proposal(run.proposal)
    return {
        "plan": run.plan.words,
        "playbook": run.plan.playbook,
        "state": run.state.value,
        "ago": duration(desk.clock.now() - run.queued_at),
        "approved_by": proposal.decided_by,
    }


def _before(desk: Desk, unit: Unit, incident: Incident) -> Data:
    """Return how often the same trouble came within three months, and what was said of it last; empty where it is new."""
    since = desk.clock.now() - BEFORE
    same = [
        one
        for one in unit.incidents(model=incident.model_key)
        if one.key == incident.key and one.id != incident.id and one.opened_at >= since
    ]
    if not same:
        return {}
    last = same[0]
    return {"times": len(same), "last": last.id, "ago": duration(desk.clock.now() - last.opened_at), "cause": last.cause}
