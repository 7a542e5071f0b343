"""Each packaged playbook as people live through it: the real bot, a real Envoy or a real program, the simulator's Slack.

Those that need other servers have files of their own; `rollback` comes before `restore`, and in the demo's year.
A minute or two together, so `make test-all` plays them.
"""

import sqlite3
import sys
from contextlib import closing
from datetime import timedelta

import pytest
import yaml

from bot.core.incidents import State
from bot.core.runs import RunState
from tests.faults.edge import EARLIER, SCORES, TARGET, Edge
from tests.faults.house import House
from tests.faults.papers import DATA, JUDGED, LOSING, PLACE, TEN

pytestmark = pytest.mark.slow
TROUBLES = {
    "slow": "UPDATE log SET latency_ms = 5000 WHERE request_id LIKE 'c%'",
    "broken": "UPDATE log SET temp = NULL WHERE request_id LIKE 'c%'",
    "losing": "SELECT 1",
}
JOB = "import sys; open('done', 'a').write(' '.join(sys.argv[1:]) + ';')"


@pytest.fixture
def house(sqlite_url, tmp_path):
    edge = Edge(tmp_path)
    with House(tmp_path, sqlite_url, edge) as house:
        yield house
    edge.close()


def offers(house, playbook, *, check="performance", parts=None):
    """Let the company have this playbook as it comes with the bot, on this check; `parts` are jobs of one's own."""
    (house.folder / "playbooks" / "rollback.yaml").unlink()
    told = yaml.safe_load(house.config.read_text())
    told["approvals"] = {playbook: {"roles": ["on-call"]}}
    told["models"][0]["watches"][0]["checks"] = [check]
    told["models"][0]["columns"] = {"latency_ms": "latency_ms"}
    job = {
        "run": [sys.executable, "-c", JOB, *[f"{{{name}}}" for name in (parts or {}).get("takes", ())]],
        "folder": str(house.folder),
    }
    told["platforms"]["nightly"]["jobs"] = {(parts or {}).get("job", "none"): {**job, "timeout": "1m"}}
    told["models"][0]["connectors"] = {(parts or {}).get("on", "nobody"): "nightly"}
    house.config.write_text(yaml.safe_dump(told, sort_keys=False))


def rewrites(house, trouble, fresh=6_000):
    """Give the log's last days this trouble, and let so many sound rows follow in the half hour after them."""
    with closing(sqlite3.connect(house.folder / "log.db")) as log, log:
        log.execute("ALTER TABLE log ADD COLUMN latency_ms REAL DEFAULT 20")
        log.execute(TROUBLES[trouble])
        log.execute("DELETE FROM log WHERE request_id LIKE 'f%'")
        step = (JUDGED - LOSING - timedelta(seconds=2)) / fresh
        times = [f"{LOSING + timedelta(seconds=1) + step * i:%Y-%m-%d %H:%M:%S.%f}" for i in range(fresh)]
        rows = [(f"g{i}", at, EARLIER, SCORES[EARLIER], i % 5 == 0, at, float(i % 17), 20.0) for i, at in enumerate(times)]
        log.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)


def done(house):
    """What the job of one's own has written, one entry a start."""
    return (house.folder / "done").read_text()


def is_mended(house, incident=1):
    """Let fresh data come, and wait until they have closed the incident."""
    house.until("the run has applied its steps", lambda: len(house.audited("run.applied")) == incident, within=150)
    house.is_judged()
    house.until("the run is over", lambda: house.is_over)
    assert [run.state for run in house.runs] == [RunState.SUCCEEDED] * incident
    assert {one.state for one in house.incidents} == {State.RESOLVED}
    house.until("the thread says so", lambda: "Resolved: Mended by" in house.slack.transcript(PLACE))


def test_slow_servers_are_restarted_and_fresh_requests_say_that_it_helped(house):
    offers(house, "restart", check="latency", parts={"on": "operator", "job": "restart", "takes": ("model",)})
    rewrites(house, "slow")
    with house.lives():
        house.loses()
        house.asked("Restart the servers", "p95")("bo")()
        is_mended(house)

        assert done(house) == f"{TARGET};"
        house.invariants()


def test_a_broken_input_is_taken_away_and_the_data_are_sound_again(house):
    offers(house, "data_quarantine", check="missing", parts={"on": "features", "job": "quarantine", "takes": ("model", "column")})
    rewrites(house, "broken")
    with house.lives():
        house.loses()
        house.asked("Quarantine an input", "broken data in temp")("bo")()
        is_mended(house)

        assert done(house) == f"{TARGET} temp;"
        house.invariants()


def test_traffic_is_shifted_in_measured_steps_as_far_as_was_chosen(house):
    offers(house, "traffic_shift")
    rewrites(house, "losing")
    with house.lives():
        house.loses()
        house.asked("Moves traffic to another version", f"Roll back to {EARLIER}", **{"Up to this share (0 to 1)": "0.3"})("bo")()
        is_mended(house)

        assert [round(call.share, 2) for call in house.edge.door.sets] == [0.1, 0.3]
        house.invariants()


def test_a_splitter_that_forgot_a_shift_is_put_back_by_people_who_were_asked(house):
    offers(house, "restore")
    rewrites(house, "losing")
    told = yaml.safe_load(house.config.read_text())
    told["approvals"]["rollback"] = {"roles": ["on-call"]}
    house.config.write_text(yaml.safe_dump(told, sort_keys=False))
    with house.lives():
        house.loses()
        house.asked("Moves traffic to an earlier version", f"Roll back to {EARLIER}")("bo")()
        is_mended(house)
        house.edge.restarts()
        for minute in range(1, 4):
            house.clock.advance(JUDGED + timedelta(minutes=minute))
            house.until("it was looked at", lambda at=TEN + timedelta(minutes=30 + minute): _looked(house) >= at)
        assert house.edge.door.sets[-1].share == 1.0  # nobody has put anything back unasked
        house.asked("Put the decided split back", f"Put {EARLIER} 100 % back")("bo")()
        is_mended(house, incident=2)

        assert [round(call.share, 2) for call in house.edge.door.sets] == [0.25, 0.5, 1.0, 1.0]


def test_another_team_is_told_in_its_own_channel_and_the_incident_stays_with_its_people(house):
    offers(house, "notify_team")
    rewrites(house, "losing")
    with house.lives():
        house.loses()
        house.asked(
            "Posts to another team's channel",
            f"Roll back to {EARLIER}",
            **{"Team": "data", "What you ask of them": "Is a feed late?"},
        )("bo")()
        house.until("the run is over", lambda: house.is_over)
        house.until("they were told", lambda: "asks *data*" in house.slack.transcript(DATA))

        assert "Is a feed late?" in house.slack.transcript(DATA)
        assert [one.state for one in house.incidents] == [State.ACKNOWLEDGED]
        house.invariants()


def test_somebody_has_the_bot_look_around_and_reads_it_in_the_thread(house):
    offers(house, "investigate")
    rewrites(house, "losing")
    with house.lives():
        house.loses()
        house.asked("Runs every check of the model on the newest data", f"Roll back to {EARLIER}")("bo")()
        house.until("it is in the thread", lambda: "Looked around" in house.slack.transcript(PLACE))
        house.until("the run is over", lambda: house.is_over)

        assert "Every version on the newest" in house.slack.transcript(PLACE)
        assert house.edge.door.sets == []
        house.invariants()


def _looked(house):
    found = [f for f in house.read(lambda unit: unit.latest(f"{TARGET}@production")) if f.check == "serving"]
    return found[0].window.end if found else TEN
