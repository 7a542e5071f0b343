"""Every subcommand answers, to the person who asked only; what cannot be understood is answered with help."""

from dataclasses import replace

import pytest

from bot.core.approvals import Who
from bot.core.errors import NotFound
from bot.core.holds import Hold, Kind
from bot.flow import break_glass
from bot.slack.command import Asked, Command, answer, known_commands, whole_number
from bot.slack.commands import audit, auto, digest, help, incident, incidents, pause, report, resume, review, status, whoami  # noqa: A004  their names
from tests.unit.flow.room import Room

ALL = known_commands()


def asks(room, text, name="ana"):
    return answer(room.desk, text, room.person(name), ALL)


@pytest.fixture
def room():
    room = Room()
    room.losing()
    return room


def test_each_file_makes_one_command():
    files = (audit.audit, digest.digest, help.help_command, incident.incident, incidents.incidents, report.report, status.status)

    assert {command.name for command in (*files, auto.auto, pause.pause, resume.resume, review.review, whoami.whoami)} == set(ALL)


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("status", "status"),
        ("incidents", "incidents"),
        ("incidents open", "incidents"),
        ("incident #1", "details"),
        ("report", "report"),
        ("report delays", "report"),
        ("audit", "audit"),
        ("audit 3", "audit"),
        ("digest 30", "digest"),
        ("whoami", "whoami"),
        ("help", "help"),
        ("STATUS", "status"),
        ("", "help"),
    ],
)
def test_a_command_answers_with_its_template(room, text, template):
    assert asks(room, text).template == template


def test_the_audit_log_is_told_no_longer_than_a_message(room):
    assert len(asks(room, "audit 999999").data["rows"]) <= 60


def test_whoami_says_what_a_person_may_approve(room):
    assert asks(room, "whoami", "ana").data["may"] == ["rollback (1 needed)"]
    assert asks(room, "whoami", "cy").data["may"] == []


@pytest.mark.parametrize(("typed", "meant"), [("statsu", "'status'"), ("incidnts", "'incidents'")])
def test_a_typing_error_is_answered_with_the_nearest_command(room, typed, meant):
    assert meant in asks(room, typed).data["problem"]


@pytest.mark.parametrize(
    "text", ["incident", "incident one", "incident 99", "incidents closed", "report nobody", "audit -1", "digest ²"]
)
def test_what_cannot_be_answered_is_said_in_one_sentence(room, text):
    with pytest.raises(NotFound, match=r"^[^\n]+\.$"):
        asks(room, text)


def test_a_number_is_read_with_or_without_its_mark():
    assert (whole_number("#12", "rows"), whole_number(" 12 ", "rows")) == (12, 12)


def test_a_commands_own_words_reach_it(room):
    heard = []
    command = Command("echo", "Say it again.", lambda _desk, asked: heard.append(asked))
    answer(room.desk, "echo a b", room.person("ana"), {"echo": command})

    assert heard == [Asked(room.person("ana"), ["a", "b"], {"echo": command})]


def test_the_brake_is_pulled_with_its_reason_and_released_by_another_person(room):
    assert asks(room, "pause the edge  is moved", "ana").data["text"].startswith("Paused.")
    assert asks(room, "status").data["paused"]["reason"] == "the edge is moved"
    assert (
        asks(room, "resume", "bo").data["text"]
        == "Resumed; it was paused by <@U0ANA> since 2026-03-02 09:00 UTC (the edge is moved)."
    )


def test_what_the_bot_may_do_by_itself_is_told_and_armed_again(room):
    room.lays(policies={"rollback": replace(room.policy, auto_per_day=2)})
    with room.store.write() as unit:
        unit.hold(Hold(Kind.ASK, "delays@production", "aiops-bot", room.clock.now(), "it came back"))
    (row,) = asks(room, "auto").data["rows"]

    assert (row["used"], row["per_day"], row["asks"]) == (0, 2, "it came back")
    assert asks(room, "auto arm delays").data["text"].startswith("Armed: the bot may act by itself on delays@production again.")
    assert asks(room, "auto").data["rows"][0]["asks"] == ""


@pytest.mark.parametrize("text", ["auto arm", "auto disarm delays", "auto arm delays now"])
def test_auto_knows_its_words(room, text):
    with pytest.raises(NotFound, match="/aiops auto arm and a model's name"):
        asks(room, text)


def test_a_review_is_written_with_the_words_behind_its_number(room):
    room.lays(policies={"rollback": replace(room.policy, break_glass=Who(people=frozenset({"U0ANA"})))})
    number = room.proposed(by="ana").id
    break_glass.break_glass(room.desk, number, by=room.person("ana"), reason="nobody answers")
    assert asks(room, "digest").data["reviews"][0]["number"] == number
    with pytest.raises(NotFound, match="Say which proposal and what you found"):
        asks(room, "review", "bo")

    assert asks(room, f"review {number} it was right", "bo").data["text"].startswith("Your review is written")
    assert room.proposal(number).review == "it was right"
