"""Membership: whether a person is one of those who are asked for, as Slack and the configuration say it at this moment."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import reduce
from operator import or_

from bot.core.approvals import Principal, Who, or_refuse
from bot.core.errors import AiopsError
from bot.flow.desk import Desk


def known(desk: Desk, who: Principal, *asked: Who) -> Principal:
    """Return the person with those of the asked user groups that they are in.

    Slack is asked only where nothing else names them; where it cannot say, they are in no group, and `unsure` says why. Ask
    outside of transactions: an answer may take seconds.
    """
    if any(who in one for one in asked):
        return who
    inside, unsure = set[str](), ""
    for group in sorted(_groups(asked)):
        try:
            members = desk.groups(group)
        except AiopsError as reason:
            unsure = str(reason)
            continue
        if who.id in members:
            inside.add(group)
    return replace(who, groups=frozenset(inside), unsure=unsure)


def _groups(asked: Iterable[Who]) -> frozenset[str]:
    return frozenset().union(*(one.groups for one in asked))


def refuse_unless(who: Principal, asked: Sequence[Who], what: str) -> None:
    """Raise NotAllowed unless the person is one of any of those."""
    or_refuse(who, reduce(or_, asked, Who()), what)
