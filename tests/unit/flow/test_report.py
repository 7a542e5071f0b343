"""What is true now, as plain data; what is not known is said and never counted as healthy."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.checks import Family, Measurement
from bot.core.errors import NotFound
from bot.core.findings import Verdict
from bot.core.incidents import State
from bot.flow import report, resolve
from tests.fakes.nouns import NOON, a_finding, an_incident
from tests.unit.flow.room import DELAYS

PRIMARY = a_finding(family=Family.PERFORMANCE, subject="calibration_gap", verdict=Verdict.HEALTHY)
ARRIVALS = replace(DELAYS, name="arrivals", serving="")


def of(family, verdict):
    return a_finding(family=family, verdict=verdict)


@pytest.mark.parametrize(
    ("latest", "primary", "verdict"),
    [
        ([], None, "unknown"),
        ([PRIMARY], PRIMARY, "healthy"),
        ([PRIMARY, of(Family.DRIFT, Verdict.CRITICAL)], PRIMARY, "healthy"),
        ([PRIMARY, of(Family.OPERATIONS, Verdict.WARNING)], PRIMARY, "warning"),
        ([PRIMARY, of(Family.DATA_QUALITY, Verdict.CRITICAL)], PRIMARY, "warning"),
        ([PRIMARY, of(Family.DATA_QUALITY, Verdict.UNKNOWN)], PRIMARY, "unknown"),
        ([of(Family.DATA_QUALITY, Verdict.HEALTHY)], None, "unknown"),
        ([of(Family.DATA_QUALITY, Verdict.WARNING)], None, "warning"),
    ],
)
def test_without_an_incident_drift_never_and_other_troubles_at_most_warn(latest, primary, verdict):
    assert report.judged(latest, primary).value == verdict


def test_a_model_that_was_never_looked_at_is_unknown(room):
    (row,) = report.status(room.desk)["models"]

    assert (row["verdict"], row["reason"], row["looked_at"], row["metric"]) == ("unknown", "not looked at yet", "", None)


def test_a_healthy_model_says_the_number_that_matters(room):
    room.looks()
    (row,) = report.status(room.desk)["models"]

    assert (row["verdict"], row["split"]) == ("healthy", "v3 100 %")
    assert row["reason"] == "calibration gap 0 points, reference 0 points, 10,000 labelled rows"
    assert row["looked_at"] == room.data.now().isoformat()


def test_a_model_whose_primary_metric_is_not_measured_says_that_nobody_knows(room):
    room.measures("performance", lambda _r, _c: iter([Measurement("brier", 0.1, 900)]))
    room.looks()
    (row,) = report.status(room.desk)["models"]

    assert (row["verdict"], row["reason"]) == ("unknown", "no labels: nobody can say how well it does")


def test_the_worst_model_comes_first_and_a_silent_splitter_is_said(room):
    room.lays(models={m.key: m for m in (ARRIVALS, DELAYS)})
    room.losing()
    room.splitter.down = True
    rows = report.status(room.desk)["models"]

    assert [(row["model"], row["verdict"]) for row in rows] == [("delays", "critical"), ("arrivals", "unknown")]
    assert [row["split"] for row in rows] == ["unknown: The splitter gave no answer.", ""]
    assert rows[0]["incidents"] == [1]


def test_incidents_are_listed_newest_first_and_the_open_ones_are_counted(room):
    room.losing()
    resolve.resolve(room.desk, 1, by=room.person("ana"), cause="a holiday")
    room.looks(2)
    listed = report.incidents(room.desk)

    assert [(i["number"], i["state"]) for i in listed["incidents"]] == [(2, "open"), (1, "resolved")]
    assert listed["open"] == 1
    assert [i["number"] for i in report.incidents(room.desk, open_only=True)["incidents"]] == [2]
    assert [i["number"] for i in report.incidents(room.desk, limit=1)["incidents"]] == [2]


def test_one_incident_tells_its_findings_proposals_and_runs(room):
    room.losing()
    proposal = room.approved()
    room.log.gap = 0.02
    room.clock.passes(60)
    room.runs(proposal.id)
    told = report.incident(room.desk, 1)

    assert [f["name"] for f in told["findings"]] == ["calibration gap"]
    assert [(p["number"], p["standing"]) for p in told["proposals"]] == [(proposal.id, "approved")]
    assert [(r["state"], r["plan"]) for r in told["runs"]] == [("succeeded", "v3 100 % → v2 100 % in 2 steps")]
    assert "chart" not in told["evidence"]
    assert (told["took"], told["took_s"]) == ("1 min 30 s", 90.5)


def test_an_incident_that_is_open_took_no_time_yet():
    row = report.incident_data(an_incident())

    assert (row["took"], row["took_s"], row["resolved_at"]) == ("", None, "")


def test_an_incident_that_does_not_exist_is_a_sentence(room):
    with pytest.raises(NotFound, match="There is no incident #9"):
        report.incident(room.desk, 9)


@pytest.mark.parametrize(
    ("minutes", "open_", "words"),
    [
        ([], 0, "none resolved yet"),
        ([], 2, "none resolved yet, 2 still open"),
        ([10, 20, 90], 0, "median 20 min over 3 resolved"),
        ([10, 20], 1, "median 15 min over 2 resolved, 1 still open"),
    ],
)
def test_the_time_to_resolve_is_a_median_and_open_incidents_are_said(minutes, open_, words):
    resolved = [an_incident(resolved_at=NOON + timedelta(minutes=m), state=State.RESOLVED) for m in minutes]
    still = [an_incident() for _ in range(open_)]

    assert report.time_to_resolve([*resolved, *still])["words"] == words


def test_a_report_tells_of_one_model_or_of_all(room):
    room.lays(models={m.key: m for m in (ARRIVALS, DELAYS)})
    room.log.drift = 9.4
    room.looks()
    everything, one = report.report(room.desk), report.report(room.desk, "arrivals")

    assert [m["model"] for m in everything["models"]] == ["arrivals", "delays"]
    assert [line["model"] for line in everything["digest"]] == ["delays"]
    assert ([m["model"] for m in one["models"]], one["digest"], one["incidents"]) == (["arrivals"], [], [])


def test_a_report_says_what_is_not_known(room):
    room.log.labelled = 12
    room.looks()

    assert [(f["subject"], f["text"]) for f in report.report(room.desk)["unknown"]] == [("calibration_gap", "12 of 100 labels")]


def test_the_audit_log_is_told_newest_last_with_its_head(room):
    room.losing()
    told = report.audit(room.desk, limit=1)

    assert [(row["seq"], row["action"]) for row in told["rows"]] == [(2, "incident.explained")]
    assert told["head"] == room.store.audit_log[-1].witness


def test_an_empty_audit_log_has_no_head(room):
    assert report.audit(room.desk) == {"rows": [], "head": ""}


@pytest.mark.parametrize(("person", "waiting"), [("bo", 1), ("ana", 0), ("cy", 0)])
def test_a_person_sees_what_waits_for_them_and_not_what_they_may_not_decide(room, person, waiting):
    room.losing()
    room.proposed(by="ana")
    home = report.home(room.desk, room.person(person))

    assert (len(home["waiting_for_me"]), home["waiting"]) == (waiting, 1)


def test_the_digest_tells_what_was_noticed_since(room):
    room.log.drift = 9.4
    room.looks()

    assert [line["model"] for line in report.digest(room.desk, room.data.now())["lines"]] == ["delays"]
    assert report.digest(room.desk, room.data.now() + timedelta(seconds=1)) == {"lines": []}


def test_the_status_of_a_model_in_trouble_says_which_trouble(room):
    room.log.missing = 1.0
    room.looks(2)

    assert report.status(room.desk)["models"][0]["reason"] == room.incident().title
