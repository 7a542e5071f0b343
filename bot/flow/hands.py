"""Hands: what acts for a run's change, as the desk has it now."""

from bot.core.actions import Action, Change, Platform
from bot.flow.desk import Desk


def hands(desk: Desk, number: str, change: Change) -> tuple[Action, Platform]:
    """Return the action of a run's change and the platform that it acts on."""
    with desk.store.read() as unit:
        run = unit.run(number)
    return desk.actions[change.action], desk.platform(desk.model(run.model_key), change.on)
