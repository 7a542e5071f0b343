"""Another team is told: planned only for a team that is known, with words that fit."""

import pytest

import bot.actions
from bot.actions.notify import notify
from bot.core.actions import UNDO, Action, Effect, Going
from bot.core.errors import ActionFailed, ConfigError, NotFound
from bot.core.notices import Notice, Posted
from bot.core.registry import discover


class Teams:
    """Two teams; `becomes` is what Slack does with a message."""

    name = "aiops-bot"

    def __init__(self, becomes=("sent", "")):
        self.becomes, self.kept, self.back = becomes, {}, []

    def teams(self):
        return ["data", "ops"]

    def tell(self, team, words, key):
        self.kept.setdefault(key, (team, words))

    def told(self, key):
        return Posted(Notice(key, "", "told", {}), *self.becomes) if key.removesuffix(UNDO) in self.kept else None

    def take_back(self, key):
        self.back.append(key)


def planned(teams, **parameters):
    return notify.plan(teams, "delays", {"team": "data", "words": "Please look.", **parameters}, step="tell", before=None)


def test_it_is_found_by_its_name():
    assert discover(bot.actions, Action)["notify"] is notify


def test_the_plan_says_who_is_told_where_and_what():
    assert planned(Teams()).words == "tell data: Please look."
    assert (
        notify.blast([planned(Teams()), planned(Teams(), team="ops")])
        == "posts to data, ops and mentions them; no model is touched"
    )


@pytest.mark.parametrize("wrong", [{"words": " "}, {"words": "x" * 1_001}, {"more": "1"}], ids=["empty", "long", "strange"])
def test_words_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ConfigError, match="notify needs `team` and `words`, 1000 characters at most"):
        planned(Teams(), **wrong)


def test_a_team_that_is_gone_by_now_is_refused():
    teams = Teams()
    change = planned(teams)
    teams.teams = list
    with pytest.raises(NotFound, match=r"no team 'data' under `teams:` in aiops.yaml; known: none"):
        notify.precheck(teams, change)


def test_it_is_told_once_a_key_and_read_back():
    teams = Teams()
    change = planned(teams)
    with pytest.raises(ActionFailed, match="was not kept"):
        notify.read_back(teams, change, "run:tell")
    notify.apply(teams, change, "run:tell")
    notify.apply(teams, change, "run:tell")
    notify.read_back(teams, change, "run:tell")

    assert list(teams.kept) == ["run:tell"]


@pytest.mark.parametrize(
    ("becomes", "seen"),
    [(("sent", ""), Effect("data was told")), (("waiting", ""), Going("waiting for Slack to take it"))],
    ids=["sent", "waiting"],
)
def test_it_counts_only_once_slack_has_taken_it(becomes, seen):
    teams = Teams(becomes)
    notify.apply(teams, planned(teams), "run:tell")

    assert notify.measure(teams, planned(teams), "run:tell") == seen


def test_what_slack_refuses_has_failed():
    teams = Teams(("failed", "is_archived"))
    notify.apply(teams, planned(teams), "run:tell")
    with pytest.raises(ActionFailed, match=r"does not take the message to data \(is_archived\)"):
        notify.measure(teams, planned(teams), "run:tell")
    with pytest.raises(ActionFailed, match="does not say why"):
        notify.measure(teams, planned(teams), "other:tell")


def test_going_back_says_so_in_the_message_where_there_is_one():
    teams = Teams()
    assert notify.undo(teams, planned(teams), f"run:tell{UNDO}") == "data was never told."
    notify.apply(teams, planned(teams), "run:tell")

    assert notify.undo(teams, planned(teams), f"run:tell{UNDO}") == "The message to data says now that it no longer holds."
    assert teams.back == [f"run:tell{UNDO}"]
