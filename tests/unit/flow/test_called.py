"""A playbook's own slash command finds the one open incident that is meant, and says in a sentence why it does not."""

from dataclasses import replace

import pytest

from bot.core.checks import Family
from bot.core.errors import Conflict, NotAllowed, NotFound
from bot.core.incidents import Severity
from bot.core.playbooks import Parameter
from bot.flow.called import asks, by_command, meant
from bot.flow.resolve import resolve
from tests.unit.flow.room import ROLLBACK, Room

BACK = replace(ROLLBACK, command="/back")


@pytest.fixture
def room():
    room = Room(playbook=BACK)
    room.losing()
    return room


def opens(room, model="delays", family=Family.PERFORMANCE):
    """Open one more incident as triage would; return its number."""
    first = room.incident()
    with room.store.write() as unit:
        return unit.open_incident(replace(first, id=0, model=model, family=family, severity=Severity.SEV2)).id


def refused(room, text, error=NotFound, command="/back"):
    with pytest.raises(error) as why:
        meant(room.desk, command, text)
    return str(why.value)


@pytest.mark.parametrize("text", ["", "delays", "delays@production", "#1", "1", "  1 "])
def test_the_one_open_incident_is_meant_by_nothing_its_model_or_its_number(room, text):
    playbook, incident = meant(room.desk, "/back", text)

    assert (playbook.name, incident.id) == ("rollback", 1)


def test_a_command_whose_file_was_taken_away_says_so(room):
    room.lays(playbooks={})

    assert refused(room, "") == "No playbook answers to /back here any more; /aiops help lists the commands that there are."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("delays now", "Write one model or one incident after /back, such as /back #12."),
        ("dleays", "There is no model 'dleays' here. Known: delays@production."),
        ("#77", "77"),
        ("12345678901234567890", "'123456789012…' is no number of an incident; write it like #12."),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(room, text, said):
    assert said in refused(room, text)


def test_without_an_open_incident_there_is_nothing_to_mend(room):
    resolve(room.desk, 1, by=room.person("ana"), cause="the feed")

    assert refused(room, "") == "No incident is open, so there is nothing to mend with /back."
    assert refused(room, "delays") == "No incident is open for delays, so there is nothing to mend with /back."
    assert refused(room, "#1", NotAllowed) == "Incident #1 is resolved; there is nothing left to mend."


def test_of_several_the_one_that_the_playbook_mends_is_meant(room):
    opens(room, family=Family.DATA_QUALITY)
    opens(room, model="watched no more")

    assert meant(room.desk, "/back", "")[1].id == 1


def test_several_that_it_could_mend_are_named_by_number(room):
    opens(room, family=Family.OPERATIONS)

    assert refused(room, "delays", Conflict) == (
        f"Which one? 2 incidents are open: #1 delays ({Family.PERFORMANCE.words}), #2 delays ({Family.OPERATIONS.words}). "
        "Write its number: /back #1"
    )


def test_no_more_than_ten_are_named(room):
    for number in range(11):
        opens(room, model=f"m{number}", family=Family.DATA_QUALITY)
    with room.store.write() as unit:
        unit.save_incident(replace(unit.incident(1), family=Family.DATA_QUALITY))

    assert "12 incidents are open" in refused(room, "", Conflict)
    assert "and 2 more" in refused(room, "", Conflict)


def test_what_it_asks_there_is_what_the_form_shows(room):
    offered = asks(room.desk, room.incident(), BACK)

    assert (offered["name"], [p["name"] for p in offered["parameters"]]) == ("rollback", ["to_version"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"families": frozenset({Family.DATA_QUALITY})}, "does not mend"),
        ({"steps": (replace(ROLLBACK.steps[0], on="trainer"),)}, "needs platforms that delays@production does not have"),
        ({"parameters": (Parameter("team", "team", title="Team"),)}, "There is nothing to choose for 'Team' now"),
        ({"parameters": (Parameter("to", "team"),)}, "There is nothing to choose for 'to' now"),
    ],
)
def test_where_it_cannot_be_proposed_the_sentence_says_why(room, changes, said):
    playbook = replace(BACK, **changes)
    room.lays(directory=type("Nobody", (type(room.desk.directory),), {"teams": lambda _self: ()})())

    with pytest.raises(NotAllowed, match=said):
        asks(room.desk, room.incident(), playbook)


def test_commands_are_found_by_their_word_and_playbooks_without_one_by_none():
    assert by_command({"rollback": BACK, "other": replace(ROLLBACK, name="other")}) == {"/back": BACK}
