"""Shadow: of a model that is only recorded the digest says what would have opened; nobody is mentioned or waited for."""

from collections.abc import Sequence

from bot.core.findings import Finding
from bot.core.incidents import Note, Severity
from bot.core.models import Look
from bot.core.ports import Unit
from bot.flow import announce
from bot.flow.desk import Desk


def would_open(desk: Desk, unit: Unit, look: Look, found: Sequence[Finding], note: Note) -> None:
    """Keep the digest line at the onset of what would have been an incident; while it lasts, say nothing more."""
    if not any(_pressed_before(unit, look, finding) for finding in found) and unit.note(note):
        announce.digest(desk, unit, look.slot)


def told(severity: Severity, title: str) -> str:
    """Return the digest line."""
    return f"would have opened {severity.value}: {title} (this model is only recorded)."


def _pressed_before(unit: Unit, look: Look, finding: Finding) -> bool:
    """Return whether it was as bad, and had persisted, at the look before this one."""
    wanted = look.watch.persistence
    earlier = unit.recent(finding.model, finding.key, look.slot, wanted.n)
    return bool(earlier) and earlier[0] is finding.verdict and sum(v is finding.verdict for v in earlier) >= wanted.k
