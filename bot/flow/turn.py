"""Turn: runs whose playbooks share a lock never overlap, whatever their models; who queued first goes first.

One run a model is the engine's lane. A lock is held by the run's own row: taken in the transaction in which the run begins, with
the store's pen, given back in the one in which it ends. So two replicas cannot both take it, and no crash leaves it behind.
"""

from dataclasses import replace

from bot.core.ports import Unit
from bot.core.runs import Run, RunState
from bot.flow import cards


def lane_words(unit: Unit, run: Run) -> str:
    """Say which earlier run on the same model a new one is queued behind; empty where there is none."""
    ahead = next((other for other in unit.runs(model=run.model_key, active=True) if other.id != run.id), None)
    return f"Waits until {_named(ahead)} has ended: one run a model." if ahead else ""


def must_wait(unit: Unit, run: Run) -> bool:
    """Return whether another run holds this one's lock, or came before it; its message then says which."""
    ahead = _ahead(unit, run)
    if ahead is None:
        return False
    words = f"Waits until {_named(ahead)} has ended: both need the lock '{run.plan.lock}'."
    if (run.outcome, run.in_line) != (words, True):
        waiting = replace(run, outcome=words, in_line=True)
        unit.save_run(waiting)
        cards.progress(unit, waiting)
    return True


def _ahead(unit: Unit, run: Run) -> Run | None:
    """Return the run that holds the lock, else the one that has waited for it longest; None when it is this one's turn."""
    if not run.plan.lock or run.state is not RunState.QUEUED:
        return None
    rivals = [other for other in unit.runs(active=True) if other.plan.lock == run.plan.lock and other.id != run.id]
    at_work = [other for other in rivals if other.state is not RunState.QUEUED]
    earlier = [other for other in rivals if other.in_line and (other.queued_at, other.id) < (run.queued_at, run.id)]
    return min(at_work or earlier, key=lambda other: (other.queued_at, other.id), default=None)


def _named(run: Run) -> str:
    return f"the run on {run.model} for incident #{run.incident}"
