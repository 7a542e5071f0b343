"""What comes twice goes through once; what is too fast waits its turn."""

import pytest

from bot.slack.carrier import backoff_s
from bot.slack.doors import Seen, name_of, stranger
from bot.slack.pacing import Pace


class Time:
    at = 0.0

    def __call__(self):
        return self.at


def test_a_delivery_goes_through_once_in_ten_minutes():
    time = Time()
    seen = Seen(time)
    first = [seen.first("event_id:E1"), seen.first("event_id:E1"), seen.first("event_id:E2")]
    time.at = 601.0

    assert first == [True, False, True]
    assert seen.first("event_id:E1")


def test_a_delivery_that_failed_gets_its_second_chance():
    seen = Seen()
    seen.first("trigger_id:T")
    seen.forget("trigger_id:T")

    assert seen.first("trigger_id:T")


def test_what_has_no_name_always_goes_through():
    seen = Seen()

    assert seen.first("") and seen.first("")  # noqa: PT018  the same twice is the point


@pytest.mark.parametrize(
    ("body", "name"), [({"event_id": "E"}, "event_id:E"), ({"trigger_id": "T"}, "trigger_id:T"), ({}, ""), ({"trigger_id": ""}, "")]
)
def test_a_delivery_is_named_by_what_slack_makes_unique(body, name):
    assert name_of(body) == name


def test_a_person_of_another_workspace_is_a_stranger():
    assert stranger({"user": {"id": "U1", "team_id": "T2"}}, "T1")
    assert not stranger({"user": {"id": "U1", "team_id": "T1"}}, "T1")
    assert not stranger({"user_id": "U1"}, "T1")


def test_a_channel_takes_a_short_burst_then_one_a_second_and_others_do_not_wait():
    time = Time()
    pace = Pace(time)
    waits = [pace.post_in_s("ops") for _ in range(5)]

    assert waits == [0, 0, 0, 1, 2]
    assert pace.post_in_s("other") == 0


def test_edits_share_the_apps_own_limit():
    time = Time()
    pace = Pace(time)
    waits = [pace.edit_in_s(f"c{n}") for n in range(22)]

    assert waits[:20] == [0] * 20
    assert waits[21] == pytest.approx(2.4)


def test_waiting_doubles_up_to_its_most():
    assert [backoff_s(n, 15) for n in (0, 1, 2, 3, 4, 5, 99)] == [1, 1, 2, 4, 8, 15, 15]
