"""Break-glass: one person alone, loudly, with a reason, and a review that stays owed until somebody else writes it."""

from dataclasses import replace

import pytest

from bot.core.approvals import Policy, Standing, Who
from bot.core.errors import Conflict, NotAllowed
from bot.core.holds import Kind
from bot.core.incidents import State
from bot.flow import brake, decide, report
from bot.flow.break_glass import break_glass, remind, review
from tests.unit.flow.room import Room
from tests.unit.flow.test_decide import at_once

GLASS = Policy(frozenset({"on-call"}), quorum=2, break_glass=Who(people=frozenset({"U0ANA"}), roles=frozenset({"viewer"})))
WHY = "nobody answers and users see errors"


@pytest.fixture
def room():
    room = Room(policy=GLASS)
    room.lays(digest_channel="#ml")
    room.losing()
    return room


@pytest.fixture
def proposed(room):
    return room.proposed(by="ana").id


def breaks(room, number, by="ana", reason=WHY):
    return break_glass(room.desk, number, by=room.person(by), reason=reason)


def reviews(room, number, by="bo", words="It was right."):
    return review(room.desk, number, by=room.person(by), words=words)


def owed(room):
    return [row["number"] for row in report.status(room.desk).get("reviews", ())]


def test_one_person_approves_alone_what_they_proposed_themselves_and_it_runs(room, proposed):
    assert {b["action"] for b in room.shown(f"proposal:{proposed}")["buttons"]} == {"approve", "reject", "break_glass"}
    broken = breaks(room, proposed)
    room.log.gap = 0.02

    assert (broken.standing, broken.decided_by, broken.reason) == (Standing.APPROVED, "U0ANA", WHY)
    assert [started.number for started in room.store.enqueued] == [proposed]
    assert room.runs(proposed)["verdict"] == "healthy"


def test_it_is_told_loudly_to_everybody_who_should_have_been_asked(room, proposed):
    breaks(room, proposed)
    (line,) = [n for n in room.store.notices.values() if "BREAK-GLASS" in str(n.data.get("text", ""))]
    (row,) = [row.entry for row in room.store.audit_log if row.entry.action == "break_glass.used"]

    assert (line.mention, line.data["by"]) == ("<!subteam^on-call>", "U0ANA")
    assert (row.actor, row.payload["reason"], row.payload["own"]) == ("U0ANA", WHY, True)
    assert room.shown(f"proposal:{proposed}")["glass"] == {"by": "U0ANA", "reviewed_by": "", "review": ""}


def test_its_review_is_listed_everywhere_until_somebody_writes_it(room, proposed):
    breaks(room, proposed)
    assert owed(room) == [proposed]
    assert [b["action"] for b in room.shown(f"proposal:{proposed}")["buttons"]] == ["review"]
    assert report.home(room.desk, room.person("cy"))["reviews"][0]["reason"] == WHY
    assert report.digest(room.desk, room.data.now())["reviews"][0]["by"] == "U0ANA"
    (day,) = [n for n in room.store.notices.values() if n.template == "digest"]
    assert day.data["reviews"][0]["number"] == proposed
    reviews(room, proposed)
    card = room.shown(f"proposal:{proposed}")

    assert (owed(room), card["buttons"]) == ([], [])
    assert card["glass"] == {"by": "U0ANA", "reviewed_by": "U0BO", "review": "It was right."}
    assert "Break-glass reviewed: It was right." in room.thread()
    assert "reviews" not in room.shown(day.key)
    assert room.audited().count("break_glass.reviewed") == 1


def test_a_review_stays_owed_after_the_incident_is_resolved(room, proposed):
    breaks(room, proposed)
    room.log.gap = 0.02
    room.runs(proposed)

    assert (room.incident().state, owed(room)) == (State.RESOLVED, [proposed])
    assert reviews(room, proposed).reviewed_by == "U0BO"


def test_each_day_reminds_of_what_is_owed_and_of_nothing_else(room, proposed):
    assert remind(room.desk) == 0
    breaks(room, proposed)
    room.data.passes(86_400)
    assert remind(room.desk) == 1
    digests = [n for n in room.store.notices.values() if n.template == "digest"]

    assert [len(n.data["reviews"]) for n in digests] == [1, 1]


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_it_needs_a_reason(room, proposed, reason):
    with pytest.raises(NotAllowed, match="Say why nobody else could be asked"):
        breaks(room, proposed, reason=reason)


def test_who_is_not_named_for_it_may_not_and_the_try_is_audited(room, proposed):
    with pytest.raises(NotAllowed, match="Only viewer or <@U0ANA> may break the glass here; your roles: on-call"):
        breaks(room, proposed, by="bo")

    assert room.audited()[-1] == "break_glass.refused"
    assert list(room.store.enqueued) == []


def test_where_no_policy_says_so_there_is_no_glass_and_no_button():
    room = Room()
    room.losing()
    number = room.proposed(by="ana").id
    assert len(room.shown(f"proposal:{number}")["buttons"]) == 2
    with pytest.raises(NotAllowed, match="No policy lets anybody break the glass for 'rollback'"):
        breaks(room, number)


def test_what_is_decided_or_expired_has_no_glass(room, proposed):
    room.clock.passes(4 * 3_600)
    with pytest.raises(NotAllowed, match="has expired"):
        breaks(room, proposed)
    decide.expire(room.desk)
    with pytest.raises(NotAllowed, match="has expired"):
        breaks(room, proposed)


def test_the_brake_holds_for_break_glass_too(room, proposed):
    brake.pause(room.desk, by=room.person("bo"), reason="stop")
    with pytest.raises(NotAllowed, match=r"The bot is paused by <@U0BO> .* \(stop\), and that holds for break-glass, too"):
        breaks(room, proposed)

    assert (owed(room), list(room.store.enqueued)) == ([], [])


def test_of_two_who_break_it_at_once_one_starts_one_run_and_one_review_is_owed(room, proposed):
    came = at_once(*(lambda who=who: breaks(room, proposed, by=who) for who in ("ana", "cy")))

    assert sorted(came) == ["This proposal is approved already; its card says by whom.", "approved"]
    assert (len(room.store.enqueued), owed(room)) == (1, [proposed])


def test_who_is_a_moment_too_late_in_the_database_changes_nothing(room, proposed):
    room.store.lost = {"close_proposal": False}
    with pytest.raises(Conflict, match="at the same moment"):
        breaks(room, proposed)

    assert (owed(room), list(room.store.enqueued)) == ([], [])


@pytest.mark.parametrize(
    ("by", "words", "why"),
    [
        ("ana", "It was right.", "You broke the glass yourself; somebody else has to review it"),
        ("eve", "It was right.", "may review this; your roles: none"),
        ("bo", "  ", "Write what you found"),
    ],
    ids=["the breaker", "a stranger", "nothing written"],
)
def test_a_review_is_somebody_elses_and_says_something(room, proposed, by, words, why):
    breaks(room, proposed)
    with pytest.raises(NotAllowed, match=why):
        reviews(room, proposed, by=by, words=words)

    assert owed(room) == [proposed]


def test_a_review_is_written_once(room, proposed):
    breaks(room, proposed)
    reviews(room, proposed)
    with pytest.raises(NotAllowed, match="<@U0BO> has reviewed this already"):
        reviews(room, proposed, by="cy")


def test_what_was_approved_as_usual_needs_no_review(room, proposed):
    with pytest.raises(NotAllowed, match="was not approved by break-glass"):
        reviews(room, proposed)


def test_who_voted_before_may_still_break_the_glass(room):
    room.lays(policies={"rollback": replace(GLASS, self_approval=True)})
    number = room.proposed(by="ana").id
    decide.approve(room.desk, number, by=room.person("ana"))

    assert breaks(room, number).glass_by == "U0ANA"
    with room.store.read() as unit:
        assert len(unit.holds(Kind.REVIEW)) == 1
