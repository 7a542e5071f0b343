"""The small company's papers: its `aiops.yaml`, a playbook of three short steps, and a prediction log that is plain arithmetic.

In the four days up to ten o'clock version v3 promised 0.5 where one row of five came true: a calibration gap of 0.3, critical.
After ten v2 promised 0.2 and was right (or, where the remedy shall not help, 0.5 again).
"""

import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from bot.simulator import Channel, SlackApp, User, Workspace
from tests.faults.edge import EARLIER, SCORES, SERVING, TARGET, Edge

TEN = datetime(2030, 1, 10, 10, tzinfo=UTC)
QUIET, LOSING, JUDGED = TEN - timedelta(minutes=15), TEN + timedelta(seconds=1), TEN + timedelta(minutes=30)
CHANNEL, PLACE = "incidents", "C000INCIDENT"
DATA = "C000000DATA"
PEOPLE = ("ana", "bo", "cy", "dee")
Row = tuple[str, str, str, float, bool, str, float]


def workspace(manifest: Mapping[str, object]) -> Workspace:
    """Return the company's Slack: Ana, Bo and Cy decide, Dee only looks."""
    users = tuple(User(f"U0{name.upper()}", name) for name in PEOPLE)
    app = SlackApp.from_manifest(manifest)
    members = (*(user.id for user in users), app.bot_user_id)
    return Workspace(users, (Channel(PLACE, CHANNEL, members), Channel(DATA, "data", members)), app)


TRAINING = """
import pathlib, sys, time
with open("trained", "a") as effects:
    effects.write("x")
print("epoch 1 of 2", flush=True)
while not pathlib.Path("go").exists():
    time.sleep(0.05)
print('{"words": "trained v9", "version": "v9"}')
"""
"""A training that waits for a file `go`, and leaves one letter in `trained` for every time that it was really begun."""


def settings(folder: Path, edge: Edge, api_url: str, *, expires: str, trains: bool = False) -> str:
    """Return the company's `aiops.yaml`; one that `trains` has a trainer and lets nobody roll back."""
    remedy = "retrain" if trains else "rollback"
    training = {"retrain": {"run": [sys.executable, "-c", TRAINING], "folder": str(folder), "timeout": "1m"}}
    gap = {"warning": 0.05, "critical": 0.1, "least_rows": 100}
    watch = {"name": "quality", "every": "0 * * * *", "window": "96h", "checks": ["performance"], "persist": {"k": 1, "n": 1}}
    model = {
        "name": TARGET,
        "team": "ml",
        "source": "log",
        "serving": "edge",
        "connectors": {"trainer": "nightly"},
        "scorer": "versions",
        "reference": {"start": (TEN - timedelta(days=9)).isoformat(), "end": (TEN - timedelta(days=4)).isoformat()},
        "features": {"temp": {"kind": "numeric", "importance": 0.5}},
        "thresholds": {"performance.calibration_gap": gap},
        "watches": [watch],
    }
    written = {
        "database": f"${{file:{folder / 'database'}}}",
        "slack": {"channel": CHANNEL, "base_url": api_url, "port": 0},
        "teams": {"ml": {"channel": CHANNEL}, "data": {"channel": "data"}},
        "roles": {"on-call": ["U0ANA", "U0BO", "U0CY"]},
        "sources": {"log": {"kind": "sql", "url": f"sqlite:///{folder / 'log.db'}", "table": "log"}},
        "platforms": {
            "edge": {"kind": "envoy", **edge.options},
            "nightly": {"kind": "command", "state": str(folder / "jobs"), "jobs": training},
        },
        "scorers": {"versions": {"kind": "model_servers", "targets": {TARGET: dict(edge.servers)}}},
        "models": [model],
        "approvals": {remedy: {"roles": ["on-call"], "expires": expires}},
        "audit": {"key": str(folder / "audit.key"), "checkpoints": str(folder / "checkpoints.txt")},
        "poll": "300ms",
        "replay": {"clock": str(folder / "clock"), "tick": "100ms", "lookback": "30m"},
    }
    return yaml.safe_dump(written, sort_keys=False)


def playbook() -> str:
    """Return the company's own `rollback`: three steps, short holds, wide tolerances."""
    steps = [
        {
            "name": name,
            "action": "set_traffic",
            "parameters": {"version": "{{ to_version }}", "share": share},
            "hold": "300ms",
            "within": 0.35,
        }
        for name, share in (("quarter", 0.25), ("half", 0.5), ("all", 1))
    ]
    written = {
        "name": "rollback",
        "title": "Roll back",
        "summary": "Sends traffic to an earlier version.",
        "offered": {"families": ["performance"]},
        "parameters": [{"name": "to_version", "kind": "version", "title": "Version"}],
        "steps": steps,
        "verification": {"checks": "same", "least_rows": 100, "within": "14d"},
    }
    return yaml.safe_dump(written, sort_keys=False)


def log(path: Path, *, mends: bool) -> None:
    """Write the prediction log; `mends` says whether v2 really does better after ten o'clock."""
    columns = "request_id TEXT, time DATETIME, version TEXT, score REAL, label BOOLEAN, label_time DATETIME, temp REAL"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE TABLE log ({columns})")
        rows = [
            *_rows("r", 500, TEN - timedelta(days=9), TEN - timedelta(days=4), (SERVING, 0.5, 2)),
            *_rows("c", 500, TEN - timedelta(hours=95), TEN, (SERVING, SCORES[SERVING], 5)),
            *_rows("f", 150, LOSING + timedelta(seconds=1), JUDGED, (EARLIER, SCORES[EARLIER if mends else SERVING], 5)),
        ]
        database.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def _rows(prefix: str, n: int, start: datetime, end: datetime, kind: tuple[str, float, int]) -> Iterator[Row]:
    """Yield n rows spread evenly over [start, end); one in `every` came true."""
    version, score, every = kind
    for i in range(n):
        at = f"{start + (end - start) * i / n:%Y-%m-%d %H:%M:%S.%f}"
        yield f"{prefix}{i}", at, version, score, i % every == 0, at, float(i % 17)
