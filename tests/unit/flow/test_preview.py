"""What people see before they approve: the chosen version on the rows that raised this, a part's effect, a training's data."""

from dataclasses import replace

import numpy as np
import pytest

from bot.core.readings import REGRESSION, Outcomes, Reading
from tests.unit.flow import test_jobs as jobs
from tests.unit.flow.room import DELAYS, ROLLBACK, Room

PART = replace(ROLLBACK, steps=ROLLBACK.steps[:1])


def losing(playbook=ROLLBACK, **gaps):
    room = Room(playbook=playbook)
    room.versions.gaps |= gaps
    room.losing()
    return room


def lines(room, version="v2"):
    return list(room.proposed(to_version=version).preview["lines"])


def test_the_version_that_the_evidence_speaks_for_has_its_numbers():
    (told,) = lines(losing())

    assert told.startswith("Roll back to v2: on the very same 10,000 rows")


def test_another_version_is_shown_with_its_own_numbers_and_what_the_evidence_speaks_for():
    own, other = lines(losing(), "v1")

    assert own.startswith(
        "v1 on the very same 10,000 rows: calibration gap 8 points [6, 10], v3's 15 points; its log loss is lower by"
    )
    assert "not known" not in own
    assert other.startswith("The evidence speaks for v2. Roll back to v2")


def test_a_version_that_does_no_better_is_called_so():
    own, other = lines(losing(v1=0.4, v2=0.4), "v1")

    assert own.endswith("so it is *not known to do better*.")
    assert other.startswith("No other version of delays does better on these rows")


def test_of_a_version_that_was_not_compared_nothing_is_known():
    room = losing()
    with room.store.write() as unit:
        found = unit.incident(1)
        kept = [row for row in found.evidence["versions"] if row["version"] != "v1"]
        unit.save_incident(replace(found, evidence={**found.evidence, "versions": kept}))

    assert lines(room, "v1")[0] == "*Nothing is known of v1 on the rows that raised this*: it was not compared there."


def test_a_part_of_the_traffic_is_expected_to_have_this_part_of_the_gain():
    room = losing(PART)
    told = lines(room)
    row = next(row for row in room.incident().evidence["versions"] if row["version"] == "v2")

    assert told[1].startswith("With 50 % of the traffic, log loss over all requests is expected to be lower by ")
    assert f"{row['gain'] / 2:.3g}" in told[1]


def test_where_nothing_is_known_of_a_version_nothing_is_expected_of_its_part():
    room = losing(PART)
    room.forgets_evidence()

    assert len(lines(room)) == 1


def says_of_data(**log):
    room = jobs.laid()
    for name, value in log.items():
        setattr(room.log, name, value)
    return jobs.proposed(room).preview["lines"][-1]


def test_a_training_says_which_data_have_come_and_how_many_of_them_have_a_label():
    told = says_of_data(labelled=9_000)

    assert told.startswith("New data for it: 10,000 predictions, ")
    assert told.endswith("; 90 % of them have a label, and of those 0.0 % came true (0.0 % in the reference).")


def test_without_any_label_that_is_said_first():
    assert says_of_data(labelled=0).endswith("; *none of them has a label yet*.")


def test_data_that_cannot_be_looked_at_are_said_so():
    assert says_of_data(down="The log does not answer.") == "The data for it could not be looked at: The log does not answer."


def test_where_there_is_no_log_as_in_a_rehearsal_nothing_is_said_of_data():
    room = jobs.laid()
    room.lays(sources={})

    assert "New data" not in " ".join(jobs.proposed(room).preview["lines"])


@pytest.mark.parametrize("outcomes", [None, "numbers"])
def test_of_a_log_without_labels_or_of_numbers_no_share_came_true(outcomes):
    room = jobs.laid(model=replace(DELAYS, connectors={"trainer": "nightly"}, task=REGRESSION))
    told = Outcomes(np.zeros(5), np.zeros(5, bool), np.full(5, "v3"), np.zeros(5, np.int64))
    room.log.reading = lambda _model, window, *_like, **_asked: Reading(window, 10, outcomes=told if outcomes else None)
    words = jobs.proposed(room).preview["lines"][-1]

    assert words.endswith("; 100 % of them have a label." if outcomes else "; *none of them has a label yet*.")


def test_before_the_first_look_nobody_knows_how_many_predictions_a_day_this_is_about():
    room = losing()
    with room.store.write() as unit:
        unit.record(room.data.now(), [replace(f, n=0) for f in unit.latest(DELAYS.key)])

    assert "predictions a day" not in room.proposed().preview["blast_radius"]
