"""Abandoned: a run that the engine has given up is handed to people; nobody else would ever end it.

The engine gives up what broke in a way that its body did not expect, and what took its process down too often. Such a run would
look at work for ever, and while a run is at work its model's windows open nothing.
"""

from collections.abc import Callable

from bot.core.runs import RunState
from bot.flow.desk import Desk
from bot.flow.hand_over import hand_over

WORDS = (
    "The bot gave this run up, because it broke or took the bot down again and again; its log says where. How far the last step "
    "came is not known: a person has to look at the platform now."
)


def hand_over_abandoned(desk: Desk, over: Callable[[str], bool]) -> int:
    """Close every run of which nothing more will happen, though it has not ended; return how many there were.

    `over` says of a run's number whether the engine has ended it. It is asked before the run is read again: a run that ends just
    now writes that down first.
    """
    with desk.store.read() as unit:
        at_work = [run.id for run in unit.runs(active=True)]
    given_up = [number for number in at_work if over(number)]
    for number in given_up:
        with desk.store.write() as unit:
            hand_over(desk, unit, number, RunState.FAILED, WORDS)
    return len(given_up)
