"""What the bot does by itself: another team is told once and sees when that no longer holds; looking around changes nothing."""

from dataclasses import replace

import pytest

from bot import shelf
from bot.actions.look_around import look_around
from bot.actions.notify import notify
from bot.core import own
from bot.core.approvals import Policy
from bot.core.errors import NotAllowed, NotFound
from bot.core.incidents import State
from bot.flow import decide, heal
from bot.flow.own import Own, run_of
from bot.flow.propose import options, propose
from bot.flow.resolve import resolve
from tests.fakes.journal import Killed
from tests.unit.flow.room import DELAYS, Room

PLAYBOOKS = shelf.read().playbooks
WORDS = "Is the feed of temp late?"


def laid(name="notify_team", *, model=DELAYS, policy=None, **trouble):
    room = Room(model=model, playbook=PLAYBOOKS[name], policy=policy or Policy(frozenset({"on-call"}), self_approval=True))
    room.lays(actions={**room.desk.actions, "notify": notify, "look_around": look_around}, expand=shelf.expand)
    room.lays(platforms={**room.desk.platforms, own.NAME: Own(room.desk)})
    for what, value in (trouble or {"gap": 0.15}).items():
        setattr(room.log, what, value)
    room.looks(2)
    return room


def approved(room, **chosen):
    number = propose(room.desk, 1, room.playbook.name, chosen, by=room.person("ana")).id
    decide.approve(room.desk, number, by=room.person("ana"))
    return number


def told(room):
    """The messages to other teams."""
    return [notice for notice in room.store.notices.values() if notice.template == "told"]


def slack_says(room, state, error=""):
    """What becomes of the one message to another team."""
    (notice,) = told(room)
    room.store._state.deliveries[notice.key] = (state, error)


def test_a_team_is_told_in_its_channel_what_this_is_about_and_people_go_on():
    room = laid()
    ended = room.runs(approved(room, team="weather", words=WORDS))

    assert ended["outcome"] == "Done: weather was told. The incident stays with people."
    (notice,) = told(room)
    assert (notice.channel, notice.mention, notice.thread) == ("#weather", "<!subteam^weather>", "")
    assert {
        "team": "weather",
        "words": WORDS,
        "asked_by": "U0ANA",
        "number": 1,
        "place": "#ml-platform",
    }.items() <= notice.data.items()
    assert room.incident().state is State.ACKNOWLEDGED
    assert room.audited().count("team.told") == 1


def test_the_team_that_feeds_the_likely_cause_is_suggested_else_the_one_it_was_handed_to_else_nobody():
    def suggested(room):
        (offer,) = options(room.desk, 1)["playbooks"]
        return {p["name"]: p["default"] for p in offer["parameters"]}["team"]

    assert suggested(laid(gap=0.15, drift=0.5)) == "weather"
    assert suggested(laid(missing=0.9)) == "weather"
    assert suggested(laid(gap=0.15)) == ""


def test_a_team_that_is_not_known_is_refused_with_those_that_are():
    room = laid()
    with pytest.raises(NotAllowed, match=r"'nobody' is not a team of aiops\.yaml; choose one of data-eng, ml-platform, weather"):
        approved(room, team="nobody")


def test_a_kill_after_the_message_was_kept_posts_it_once():
    room = laid()
    number = approved(room, team="weather")
    journal = room.journal(number, kill_after="tell/apply")
    with pytest.raises(Killed):
        room.runs(number, journal)
    journal.memory.clear()  # as if the journal had not come to write it down
    room.runs(number, journal.restarted())

    assert len(told(room)) == room.audited().count("team.told") == 1


def test_while_slack_has_not_taken_it_the_run_waits_and_a_refusal_goes_back_and_says_so():
    room = laid()
    number = approved(room, team="weather")
    journal = room.journal(number, kill_before="tell/measure")
    with pytest.raises(Killed):
        room.runs(number, journal)
    slack_says(room, "waiting")
    journal = journal.restarted(kill_before="sleep")
    with pytest.raises(Killed):
        room.runs(number, journal)
    slack_says(room, "failed", "not_in_channel")

    ended = room.runs(number, journal.restarted())

    assert "Slack does not take the message to weather (not_in_channel); see that the bot is in that channel." in ended["outcome"]
    assert told(room)[0].data["taken_back"]


def test_an_abort_says_in_the_message_that_it_no_longer_holds_once():
    room = laid()
    number = approved(room, team="weather")
    journal = room.journal(number, kill_before="tell/measure")
    with pytest.raises(Killed):
        room.runs(number, journal)
    slack_says(room, "waiting")
    decide.abort(room.desk, number, by=room.person("bo"))
    room.runs(number, journal.restarted())
    Own(room.desk).take_back(f"{number}:tell")

    assert told(room)[0].data["taken_back"]
    assert room.audited().count("team.untold") == 1


def test_what_was_never_told_cannot_be_taken_back():
    room = laid()
    Own(room.desk).take_back("nobody:tell")

    assert told(room) == []


def test_a_key_that_is_none_is_refused():
    with pytest.raises(NotFound, match="'step' is no key of a step"):
        run_of("step")


def around(room):
    (notice,) = [notice for notice in room.store.notices.values() if notice.template == "around"]
    return notice


def looked(room):
    room.runs(approved(room))
    return dict(around(room).data)


def test_looking_around_tells_what_every_check_and_every_version_say_of_the_newest_data():
    room = laid("investigate")
    seen = looked(room)

    assert around(room).thread == "incident:1"
    assert seen["summary"] == "1 critical, 4 healthy; v2 does better on the newest rows"
    assert [row["name"] for row in seen["wrong"]] == ["calibration gap"]
    assert (seen["best"], seen["split"], seen["decided"], seen["runs"], seen["before"]) == ("v2", "v3 100 %", "", [], {})
    assert room.incident().state is State.ACKNOWLEDGED
    assert room.splitter.moves == []


def test_it_tells_what_was_done_here_lately_and_that_the_trouble_came_before():
    room = laid("investigate")
    room.runs(approved(room))
    resolve(room.desk, 1, by=room.person("bo"), cause="a late feed")
    room.clock.passes(86_400)
    room.looks(2)
    number = propose(room.desk, 2, "investigate", {}, by=room.person("ana")).id
    decide.approve(room.desk, number, by=room.person("bo"))
    room.runs(number)
    seen = [dict(n.data) for n in room.store.notices.values() if n.template == "around"][-1]

    assert seen["before"] == {"times": 1, "last": 1, "ago": "1 d", "cause": "a late feed"}
    assert [(run["playbook"], run["state"], run["approved_by"]) for run in seen["runs"]] == [("investigate", "succeeded", "U0ANA")]


def test_what_cannot_be_looked_at_is_not_known_and_never_healthy():
    room = laid("investigate")
    number = approved(room)
    room.log.down, room.splitter.down = "The log does not answer.", True
    room.runs(number)
    seen = dict(around(room).data)

    assert (seen["healthy"], seen["unknown"], seen["summary"]) == (0, 1, "1 unknown")
    assert "The log does not answer." in seen["reasons"][0]
    assert seen["why_none"] == "The other versions could not be compared: The splitter gave no answer."
    assert seen["split"] == "unknown: the splitter does not answer"


def test_of_broken_data_the_versions_are_not_asked():
    room = laid("investigate", missing=0.9)

    assert "versions" not in looked(room)


def test_where_no_watch_looks_at_performance_the_versions_are_not_asked():
    watch = replace(DELAYS.watches[0], checks=("psi", "latency"))
    room = laid("investigate", model=replace(DELAYS, watches=(watch,)), drift=0.9)

    assert "versions" not in looked(room)


def test_a_kill_after_it_was_written_writes_it_once():
    room = laid("investigate")
    number = approved(room)
    journal = room.journal(number, kill_after="look/apply")
    with pytest.raises(Killed):
        room.runs(number, journal)
    journal.memory.clear()
    room.runs(number, journal.restarted())

    assert room.audited().count("incident.looked_around") == 1


def test_what_mends_nothing_does_not_stand_in_the_way_of_the_one_that_mends_by_itself():
    room = laid("investigate", policy=Policy(frozenset({"on-call"}), auto_per_day=2))
    quarantine = replace(PLAYBOOKS["rollback"], name="mends", parameters=())
    room.lays(
        playbooks={"investigate": PLAYBOOKS["investigate"], "mends": quarantine},
        policies={"investigate": room.policy, "mends": Policy(frozenset({"on-call"}))},
    )
    assert heal.heal_all(room.desk) == 0  # the one that mends asks people; looking around is no substitute for it

    room.lays(playbooks={"investigate": PLAYBOOKS["investigate"]})
    assert heal.heal_all(room.desk) == 1
