"""Clicks that are one verb: the button's value is an id, everything else is read from the database now."""

from collections.abc import Callable, Mapping

from bot.core.approvals import Principal
from bot.flow import decide, gate, resolve
from bot.flow.desk import Desk
from bot.slack.command import whole_number

Verb = Callable[[Desk, str, Principal], object]


def _acknowledge(desk: Desk, value: str, who: Principal) -> object:
    return resolve.acknowledge(desk, whole_number(value, "an incident"), by=who)


def _approve(desk: Desk, value: str, who: Principal) -> object:
    return decide.approve(desk, value, by=who)


def _abort(desk: Desk, value: str, who: Principal) -> object:
    return decide.abort(desk, value, by=who)


def _continue(desk: Desk, value: str, who: Principal) -> object:
    return gate.proceed(desk, value, by=who)


CLICKS: Mapping[str, Verb] = {"acknowledge": _acknowledge, "approve": _approve, "abort": _abort, "continue": _continue}
