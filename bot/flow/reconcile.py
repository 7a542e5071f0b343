"""Reconcile: look every minute whether traffic is still shared as was decided, and ask when it is not.

What differs at two looks in a row opens an incident. Nothing is put back before people have said so: they approve the playbook that
puts it back, or resolve the incident to keep what is served.
"""

from bot.core.findings import SERVED
from bot.core.models import Look, Model, Persistence, Watch
from bot.flow.desk import Desk
from bot.flow.served import MINUTE, decided, traffic
from bot.flow.triage import triage

WATCH = Watch("serving", "* * * * *", MINUTE, (SERVED,), persistence=Persistence(2, 2))


def reconcile(desk: Desk) -> int:
    """Look at the traffic of every model that was ever decided on here; return how many were looked at."""
    return sum(_look(desk, model) for model in desk.models.values() if model.serving in desk.platforms)


def _look(desk: Desk, model: Model) -> bool:
    with desk.store.read() as unit:
        wanted = decided(unit, model.key)
    if wanted is None:
        return False
    finding = traffic(desk, model, wanted.split, wanted.words)
    slot = finding.window.end
    with desk.store.write() as unit:
        if unit.runs(model=model.key, active=True):  # it is about to decide anew
            return False
        unit.record(slot, [finding])
        triage(desk, unit, model, Look(WATCH, slot), [finding])
    return True
