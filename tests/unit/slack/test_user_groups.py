"""User groups, asked of the simulator's Slack."""

import pytest

from bot.core.errors import NotAllowed
from bot.simulator import Simulator
from bot.simulator.workspace import default_workspace
from bot.slack.client import web_client
from bot.slack.groups import FRESH_S, Groups


class Watch:
    """A stopwatch that a test moves."""

    at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def slack():
    with Simulator(default_workspace()) as slack:
        yield slack


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def groups(slack, watch):
    return Groups(web_client(slack.app.bot_token, slack.api_url, timeout_s=2), watch)


def questions(slack):
    return sum(call["name"] == "usergroups.users.list" for call in slack.room.calls.after(0, 500))


def test_members_are_asked_of_slack_once_a_minute(groups, slack, watch):
    assert groups("S0000000MLO") == groups("S0000000MLO") == {"U00000000AA", "U00000000BB"}
    assert questions(slack) == 1
    watch.at += FRESH_S
    groups("S0000000MLO")

    assert questions(slack) == 2


def test_a_slack_that_cannot_say_is_a_refusal_even_of_who_was_a_member_a_minute_ago(groups, slack, watch):
    groups("S0000000MLO")
    watch.at += FRESH_S
    slack.fault("rate_limited", "usergroups.users.list", count=1, retry_after=30)

    with pytest.raises(NotAllowed, match=r"who is in the user group S0000000MLO \(ratelimited\), so nobody is let through by it"):
        groups("S0000000MLO")


def test_a_group_that_does_not_exist_lets_nobody_through(groups):
    with pytest.raises(NotAllowed, match="no_such_subteam"):
        groups("S404")
