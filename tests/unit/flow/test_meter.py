"""Metrics stand beside the log: asked for where operations are judged, and no outage of theirs blinds anything else."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np
import pytest

from bot.checks.resources import resources
from bot.core.errors import ConfigError
from bot.core.findings import Verdict
from bot.core.metrics import Metrics, Series
from bot.core.windows import Window
from bot.flow.desk import meter
from bot.flow.meter import metered
from bot.flow.same_hours import Usual
from bot.flow.verify import fresh_findings
from bot.flow.watch import look, measured, reference
from tests.fakes.world import MORNING
from tests.unit.flow.room import DAY, DELAYS

METRICS = Metrics("prom", {"memory": "mem", "cpu": "cpu"}, {"memory": 3.0})
WATCHED = replace(DELAYS.watches[0], checks=("missing", "resources"))
MODEL = replace(DELAYS, metrics=METRICS, watches=(WATCHED,))
PAST = DELAYS.reference


@dataclass
class FakeMeter:
    """A server that knows a constant a query; `down` is what it says of everything else."""

    name: str = "prom"
    known: dict[str, float] = field(default_factory=lambda: {"mem": 1.0, "cpu": 0.5})
    down: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, Window]] = field(default_factory=list)

    def series(self, queries, window):
        self.asked += [(query, window) for query in queries.values()]
        return {name: self._told(query) for name, query in queries.items()}

    def _told(self, query):
        if query in self.down:
            return Series(trouble=self.down[query])
        return Series(np.full(50, self.known[query]), 50)

    def past(self):
        """Which queries were asked of the reference's stretch."""
        return [query for query, window in self.asked if window == PAST]


@pytest.fixture
def server(room):
    made = FakeMeter()
    room.model = MODEL
    room.lays(
        models={MODEL.key: MODEL}, sources={"log": room.log, "prom": made}, checks={**room.desk.checks, "resources": resources}
    )
    return made


def usually(room):
    """What is usual, as it is now told and kept."""
    like = reference(room.desk, MODEL)
    return metered(room.desk, MODEL, WATCHED, Usual(like, like), like, keep=True)[0].whole.resources


def findings(room, model=MODEL, **options):
    slot = MORNING + DAY
    told = measured(room.desk, model, model.watches[0], slot, reference(room.desk, model), **options)
    return {(f.check, f.subject): f for f in told}


def test_a_window_is_judged_against_the_reference_and_its_limit(room, server):
    server.known["mem"] = 2.9
    told = findings(room)

    assert told["resources", "memory"].value == pytest.approx(1.0)
    assert told["resources", "memory_limit"].verdict is Verdict.WARNING
    assert told["resources", "cpu"].verdict is Verdict.HEALTHY
    assert ("resources", "cpu_limit") not in told


def test_a_watch_that_judges_no_operations_asks_nobody(room, server):
    findings(room, replace(MODEL, watches=(replace(WATCHED, checks=("missing", "psi")),)))

    assert server.asked == []


def test_a_model_without_metrics_asks_nobody(room, server):
    told = findings(room, replace(MODEL, metrics=None))

    assert server.asked == []
    assert told["resources", "model"].verdict is Verdict.UNKNOWN


def test_an_outage_is_unknown_for_the_metrics_and_nothing_to_the_other_checks(room, server):
    server.down = {"mem": "Prometheus is gone.", "cpu": "Prometheus is gone."}
    told = findings(room)

    assert told["missing", "temp"].verdict is Verdict.HEALTHY
    assert {(s, f.verdict, f.reason) for (c, s), f in told.items() if c == "resources"} == {
        (subject, Verdict.UNKNOWN, "Prometheus is gone.") for subject in ("memory", "memory_limit", "cpu")
    }
    assert told["source", "model"].verdict is Verdict.HEALTHY
    assert server.past() == []  # of somebody who does not answer nothing else is asked


def test_a_source_that_is_no_meter_is_said_in_each_metric(room, server):
    told = findings(room, replace(MODEL, metrics=replace(METRICS, source="log")))

    assert "'log' is no source of metrics" in told["resources", "cpu"].reason
    assert told["missing", "temp"].verdict is Verdict.HEALTHY


def test_an_unknown_meter_is_refused_by_name(server):
    with pytest.raises(ConfigError, match="'lost' is no source of metrics"):
        meter({"prom": server}, "lost")


def test_what_is_usual_is_read_once_and_kept(room, server):
    for _ in range(2):
        findings(room, keep=True)

    assert sorted(server.past()) == ["cpu", "mem"]


def test_another_process_finds_what_was_kept(room, server):
    findings(room, keep=True)
    room.lays(memory=type(room.desk.memory)())
    server.known["mem"] = 2.5

    assert findings(room)["resources", "memory"].value == 2.5
    assert sorted(server.past()) == ["cpu", "mem"]


def test_a_look_that_keeps_nothing_writes_nothing(room, server):
    for _ in range(2):
        findings(room)

    assert sorted(server.past()) == ["cpu", "cpu", "mem", "mem"]


def test_what_could_not_be_told_is_asked_again_and_the_rest_is_kept(room, server):
    server.down = {"cpu": "the query is wrong"}
    now = usually(room)
    server.down = {}
    again = usually(room)

    assert (now["cpu"].trouble, again["cpu"].trouble) == ("the query is wrong", "")


def test_a_mended_query_leaves_what_is_usual_for_the_others(room, server):
    findings(room, keep=True)
    server.known["cpu2"] = 0.7
    findings(room, replace(MODEL, metrics=replace(METRICS, queries={"memory": "mem", "cpu": "cpu2"})), keep=True)

    assert sorted(server.past()) == ["cpu", "cpu2", "mem"]


def test_a_stretch_of_its_own_is_what_is_usual(room, server):
    own = Window(MORNING - 5 * DAY, MORNING - 2 * DAY)
    findings(room, replace(MODEL, metrics=replace(METRICS, reference=own)))

    assert {window for _, window in server.asked} == {own, WATCHED.judged_at(MORNING + DAY)}


def test_memory_beyond_its_limit_opens_an_incident_and_closes_it_when_it_is_back(room, server):
    look(room.desk, MODEL, WATCHED, MORNING)  # keeps what is usual
    server.known["mem"] = 3.5
    room.looks(2)
    opened = room.incident()
    server.known["mem"] = 1.0
    room.looks(2)

    assert opened.title.startswith("delays: memory 3.5 times the reference's")
    assert (opened.severity, opened.family) == ("SEV2", "operations")
    assert room.incident().state == "resolved"


def test_a_floor_of_rows_does_not_count_samples(room, server):
    told = findings(room, replace(MODEL, watches=(replace(WATCHED, least_rows=5_000),)))

    assert told["resources", "cpu"].verdict is Verdict.HEALTHY


def test_fresh_metrics_decide_whether_a_run_has_helped(room, server):
    look(room.desk, MODEL, WATCHED, MORNING)
    server.known["mem"] = 3.5
    room.looks(2)
    run = SimpleNamespace(plan=SimpleNamespace(verification=SimpleNamespace(checks=("resources",))))
    server.known["mem"] = 1.0
    told, rows = fresh_findings(room.desk, MODEL, run, room.incident(), room.data.now() - DAY)

    assert {f.subject: f.verdict for f in told} == {"memory": Verdict.HEALTHY, "memory_limit": Verdict.HEALTHY}
    assert rows == room.log.rows
