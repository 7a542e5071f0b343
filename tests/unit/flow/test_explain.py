"""Evidence before anybody asks: what moved, what other versions do on the very same rows, what to do next."""

from dataclasses import replace

import numpy as np
import pytest

from bot.core.checks import Family, Measurement
from bot.core.errors import NotFound
from bot.core.findings import Verdict
from bot.flow.explain import drawn, drift_rows, explain, explain_all, rivals, timeline
from tests.fakes.nouns import a_finding, an_incident
from tests.unit.flow.room import DELAYS


def evidence(room):
    return room.incident().evidence


def test_the_version_that_gains_most_is_suggested_with_its_numbers(room):
    room.losing()

    assert evidence(room)["best"] == "v2"
    assert evidence(room)["suggestion"] == (
        "Roll back to v2: on the very same 10,000 rows its calibration gap is 2 points, v3's 15 points; "
        "log loss lower by 0.13 [0.12, 0.14]."
    )


def test_a_version_that_is_better_only_perhaps_is_not_suggested(room):
    room.versions.gaps = {"v2": 0.145, "v3": 0.15}
    room.losing()

    assert (evidence(room)["best"], len(evidence(room)["versions"])) == ("", 2)
    assert evidence(room)["suggestion"] == (
        "No other version of delays does better on these rows, so a rollback would not help; "
        "it needs new training data or a person."
    )


def test_a_version_on_trial_that_loses_is_what_has_to_go(room):
    room.splitter.set_split("delays", {"v1": 0.0, "v2": 0.8, "v3": 0.2}, "release")
    room.losing()

    assert evidence(room)["suggestion"] == (
        "Take v3 out of the traffic, it gets 20 %: on the very same 10,000 rows its calibration gap is 15 points, v2's 2 points."
    )


def test_a_version_that_loses_and_that_nobody_gets_is_not_to_blame(room):
    room.splitter.set_split("delays", {"v1": 0.0, "v2": 1.0, "v3": 0.0}, "release")
    room.losing()

    assert "so a rollback would not help" in evidence(room)["suggestion"]


def test_a_model_whose_versions_cannot_be_asked_says_how_they_could(room):
    room.lays(scorers={})
    room.losing()

    assert evidence(room)["suggestion"] == (
        "No model versions can be asked to score again; add `scorer:` to the model in aiops.yaml."
    )


def test_a_scorer_that_is_down_is_said_and_the_incident_still_gets_its_evidence(room):
    room.versions.down = "The model servers do not answer."
    room.losing()

    assert evidence(room)["suggestion"] == "The other versions could not be compared: The model servers do not answer."
    assert evidence(room)["split"] == "v3 100 %"


def test_a_splitter_that_is_down_is_said_and_nothing_is_called_better(room):
    room.splitter.down = True
    room.losing()

    assert (evidence(room)["split"], evidence(room)["best"]) == ("unknown: the splitter does not answer", "")
    assert evidence(room)["suggestion"].endswith("The splitter gave no answer.")


def test_without_a_splitter_nobody_knows_what_serves_so_nothing_is_called_better(room):
    room.lays(platforms={})
    room.losing()

    assert evidence(room)["suggestion"] == (
        "The other versions could not be compared: nothing says which version serves; "
        "the model's `serving:` in aiops.yaml names the platform that does."
    )


def test_a_model_whose_splitter_nobody_named_is_not_said_to_serve_nothing(room):
    room.lays(models={room.model.key: replace(room.model, serving="")})
    room.losing()

    assert evidence(room)["split"] == ""


def test_a_serving_version_that_cannot_be_asked_is_named(room):
    room.versions.gaps = {"v1": 0.02}
    room.losing()

    assert "the version that serves, v3, cannot be asked to score" in evidence(room)["suggestion"]


def test_a_version_without_a_number_is_shown_without_one(room):
    room.losing()
    room.measures("performance", lambda _r, _c: iter([Measurement("brier", 0.2, 10_000)]))
    room.forgets_evidence()
    explain_all(room.desk)
    rows = {r["version"]: r for r in evidence(room)["versions"]}

    assert {(r["value"], r["value_text"]) for r in rows.values()} == {(None, "")}
    assert (rows["v2"]["gain_text"], rows["v3"]["gain_text"]) == ("0.13", "")


def test_a_gain_without_an_interval_is_a_point(room):
    room.lays(paired=lambda _s, ours, theirs: Measurement("gain", float(np.mean(ours - theirs)), len(ours)))
    room.losing()
    rows = {r["version"]: r for r in evidence(room)["versions"]}

    assert rows["v2"]["gain_interval_text"] == "[0.13, 0.13]"


def test_broken_data_without_a_scorer_still_say_who_can_mend_them(room):
    room.lays(scorers={})
    room.log.missing = 1.0
    room.looks(2)

    assert evidence(room)["why_none"] == (
        "Handed to weather: temp must come back at the source. Every version reads the same columns, so neither rollback nor "
        "retraining would mend it."
    )


def test_versions_of_a_regression_are_not_compared_and_it_is_said(room):
    told = rivals(room.desk, replace(DELAYS, task="regression"), room.model.reference)

    assert told["versions"] == []
    assert "cannot be compared on a regression task" in told["why_none"]


def test_the_evidence_of_the_quicker_replica_stays(room):
    room.losing()
    room.forgets_evidence()
    scores = room.versions.score

    def while_another_explains(target, version, sample):
        room.versions.score = scores
        explain(room.desk, 1)
        return scores(target, version, sample)

    room.versions.score = while_another_explains
    before = room.audited().count("incident.explained")
    explain(room.desk, 1)

    assert room.audited().count("incident.explained") == before + 1


def test_every_incident_is_explained_once(room):
    room.losing()

    assert explain_all(room.desk) == 0
    assert room.audited().count("incident.explained") == 1
    assert room.store.audit_log[-1].entry.payload == {"best": "v2", "split": "v3 100 %"}


def test_an_incident_of_a_model_that_is_no_longer_configured_keeps_nobody_else_waiting(room):
    with room.store.write() as unit:
        unit.open_incident(an_incident(model="gone"))
    room.log.gap = 0.15
    room.looks(2)

    assert evidence(room) == an_incident().evidence
    assert room.incident(2).evidence["best"] == "v2"
    with pytest.raises(NotFound, match="There is no model 'gone@production' here"):
        explain(room.desk, 1)


def test_what_moved_is_one_row_a_column_its_strongest_check_the_most_important_first():
    rows = drift_rows(
        [
            a_finding(subject="temp", check="psi", verdict=Verdict.WARNING, value=0.2, importance=0.4),
            a_finding(subject="temp", check="ks", verdict=Verdict.CRITICAL, value=0.1, importance=0.4),
            a_finding(subject="temp", check="mean", verdict=Verdict.WARNING, value=None, importance=0.4),
            a_finding(subject="wind", check="psi", verdict=Verdict.CRITICAL, value=9.0, importance=0.01),
            a_finding(subject="rain", verdict=Verdict.HEALTHY),
            a_finding(subject="brier", family=Family.PERFORMANCE, verdict=Verdict.CRITICAL),
        ]
    )

    assert [(row["subject"], row["check"]) for row in rows] == [("temp", "ks"), ("wind", "psi")]


def test_the_chart_is_the_history_of_the_finding_that_opened_the_incident():
    first = a_finding(label="PSI", unit="index", threshold=0.25, reference=0.01)
    chart = timeline(an_incident(findings=(first,)), [replace(first, value=None), replace(first, interval=(0.2, 0.4)), first])

    assert chart["title"] == "PSI of temperature, delays"
    assert [(p["value"], p["low"], p["high"]) for p in chart["points"]] == [(0.31, 0.2, 0.4), (0.31, None, None)]
    assert (chart["threshold"], chart["reference"], chart["unit"]) == (0.25, 0.01, "index")


@pytest.mark.parametrize(
    ("finding", "title"),
    [
        ({"family": Family.PERFORMANCE, "check": "performance", "subject": "brier", "label": "Brier score"}, "Brier score, delays"),
        ({"family": Family.DATA_QUALITY, "check": "volume", "subject": "model"}, "volume, delays"),
    ],
)
def test_a_chart_of_the_model_itself_names_no_column(finding, title):
    assert timeline(an_incident(findings=(a_finding(**finding),)), [])["title"] == title


@pytest.mark.parametrize(
    ("values", "strongest"), [((0.2, 0.3), 0.3), ((0.3, 0.2), 0.3), ((None, 0.2), 0.2), ((0.2, None), 0.2), ((-0.1, None), None)]
)
def test_of_two_equally_bad_checks_of_a_column_the_larger_number_is_shown(values, strongest):
    rows = drift_rows([a_finding(check=f"c{i}", value=value) for i, value in enumerate(values)])

    assert [row["value"] for row in rows] == [strongest]


def test_the_evidence_is_an_answer_in_the_incidents_thread_with_its_picture(room):
    room.losing()
    notice = room.store.notices["incident:1/evidence"]

    assert (notice.thread, notice.template, notice.chart["kind"]) == ("incident:1", "evidence", "timeline")
    assert notice.data["best"] == "v2"
    assert "chart" not in notice.data


@pytest.mark.parametrize(("unit", "shown"), [("share", 78.6), ("points", 78.6), ("nats", 0.786)])
def test_a_chart_shows_what_the_words_around_it_say(unit, shown):
    assert drawn(0.786, unit) == shown
    assert drawn(None, unit) is None


def test_the_chart_of_a_share_is_in_percent_from_line_to_reference():
    first = a_finding(check="missing", unit="share", value=0.5, threshold=0.2, reference=0.01, interval=(0.4, 0.6))
    chart = timeline(an_incident(findings=(first,)), [first, replace(first, value=None)])

    assert (chart["unit"], chart["threshold"], chart["reference"]) == ("%", 20.0, 1.0)
    assert [(p["value"], p["low"], p["high"]) for p in chart["points"]] == [(50.0, 40.0, 60.0)]
