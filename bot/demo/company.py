"""The demo company: people, a Slack, trained models behind a real Envoy, a log that fills, and the bot that watches it.

Everything runs on loopback in processes of its own. The bot is the ordinary `aiops serve` with an ordinary `aiops.yaml`; only its
`slack.base_url` points at the simulator and its data clock at the replay.
"""

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import httpx
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from bot.demo.clock import DataClock
from bot.demo.flights import CATEGORIES, FEATURES, WEATHER, between, flights
from bot.demo.leash import Leashed
from bot.demo.log import PredictionLog
from bot.demo.models import Card, Model, load, prepare
from bot.demo.platform import ModelPlatform
from bot.demo.ports import free_port
from bot.demo.replay import Replayer
from bot.simulator import Channel, Simulator, SlackApp, User, UserGroup, Workspace

MODEL = "late-arrivals"
SERVING = "v3"
TRAINED = (datetime(2013, 1, 1, 9, tzinfo=UTC), datetime(2013, 5, 1, 9, tzinfo=UTC))
"""The training months of the serving version: what its inputs are compared with."""

PEOPLE = (
    User("U0ANA", "ana", "Ana Flores", "ML on-call", color="2f6f8f"),
    User("U0BO", "bo", "Bo Lindqvist", "ML on-call", color="8f4f2f"),
    User("U0CY", "cy", "Cy Okafor", "Data engineering", color="3f7f4f"),
    User("U0DEE", "dee", "Dee Novak", "Product, may look", color="6b4f9f"),
)
INCIDENTS, DATA, DIGEST = "ml-incidents", "data-engineering", "ml-digest"


def workspace(manifest: Mapping[str, Any]) -> Workspace:
    """Return the company's Slack: four people, four channels, the app as its manifest describes it."""
    everybody = tuple(person.id for person in PEOPLE)
    app = SlackApp.from_manifest(manifest)
    members = (*everybody, app.bot_user_id)
    return Workspace(
        team_name="Skyline Air",
        domain="skyline-air",
        users=PEOPLE,
        channels=(
            Channel("C0INCIDENTS", INCIDENTS, members, topic="One thread an incident. The bot proposes, two people decide."),
            Channel("C0DATAENG", DATA, members, topic="Feeds and pipelines"),
            Channel("C0DIGEST", DIGEST, members, topic="What the bot noticed and did not wake anybody for"),
            Channel("C0GENERAL", "general", everybody, topic="Departures, mostly on time"),
        ),
        groups=(
            UserGroup("S0ONCALL", "ml-oncall", "ML on-call", ("U0ANA", "U0BO")),
            UserGroup("S0DATA", "data-eng", "Data engineering", ("U0CY",)),
        ),
        app=app,
    )


class Company:
    """Everything that runs; leaving the block stops it, and `folder` keeps databases, logs and the configuration."""

    def __init__(
        self, folder: Path, manifest: Mapping[str, Any], *, start: datetime, port: int = 0, transport: str = "socket"
    ) -> None:
        """Train the versions, start the platform and the Slack; the bot is started by `hire`.

        Args:
            folder: where everything is kept.
            manifest: the app's manifest.
            start: the time at which the data begin.
            port: where the page listens; 0 is any.
            transport: how Slack reaches the bot, "socket" or "http" (signed).

        Raises:
            DemoFailed: a part did not start.
        """
        self.folder, self.transport, self.bot_port = folder, transport, free_port() if transport == "http" else 0
        folder.mkdir(parents=True, exist_ok=True)
        self.flights = flights()
        self.cards = prepare(folder / "models", self.flights)
        self._models: dict[str, Model] = {}
        training_set(self.flights, self.model(SERVING), folder / "training.parquet")
        with ExitStack() as open_:
            versions = [card.name for card in self.cards]
            self.platform = open_.enter_context(
                ModelPlatform(folder / "platform", MODEL, folder / "models", versions, live=SERVING)
            )
            self.log = open_.enter_context(PredictionLog(folder / "predictions.db"))
            self.clock = DataClock.starting(folder / "data-clock.txt", start)
            self.replay = Replayer(self.flights, self.log, self.clock, start=start, front=self.platform.front)
            open_.callback(self.replay.close)
            self.slack = open_.enter_context(Simulator(workspace(manifest), db=folder / "slack.db", port=port))
            self._page = open_.enter_context(
                httpx.Client(base_url=self.slack.url, headers={"X-Simulator-Page": "1"}, trust_env=False, timeout=10.0)
            )
            self._open = open_.pop_all()
        self.config = folder / "aiops.yaml"
        self.config.write_text(HEADER + yaml.safe_dump(self._settings(), sort_keys=False, allow_unicode=True, width=120), "utf-8")
        self.bot: Leashed | None = None

    def model(self, version: str) -> Model:
        """Return a version to score with in this process; trained once."""
        if version not in self._models:
            self._models[version] = load(self.folder / "models", version)
        return self._models[version]

    def hire(self, within: float = 30.0) -> Leashed:
        """Start the bot: the ordinary command, in a process of its own."""
        app = self.slack.app
        tokens = {"SLACK_BOT_TOKEN": app.bot_token, "SLACK_APP_TOKEN": app.app_token, "SLACK_SIGNING_SECRET": app.signing_secret}
        command = [sys.executable, "-m", "bot", "--config", str(self.config), "serve"]
        self.bot = Leashed(
            command, self.folder / "bot.log", env={**tokens, "MPLCONFIGDIR": str(self.folder / "matplotlib")}, foreign=True
        )
        self._open.callback(self.bot.stop)
        if self.transport == "http":
            self.bot.wait_for(self._healthy, within)
            self.slack.deliver_to(f"http://127.0.0.1:{self.bot_port}/slack/events")
        else:
            self.slack.wait_for_app(within)
        return self.bot

    def tell(self, text: str, progress: float) -> None:
        """Write the narrator's line above the page."""
        self._page.post("/ui/banner", json={"text": text, "progress": progress})

    def roots(self, channel: str) -> int:
        """Return how many messages stand in a channel itself, threads not counted, as Dee sees it."""
        place = next(c.id for c in self.slack.workspace.channels if c.name == channel)
        shown = self._page.get(f"/ui/channels/{place}/messages", params={"user": "U0DEE"}).json()["messages"]
        return sum(not message["ephemeral"] for message in shown)

    def answered_since(self, at: datetime) -> Mapping[str, int]:
        """Return by version how many flights were scored live since this time of the data, from the log itself."""
        return self.log.answered_since(at)

    def close(self) -> None:
        """Stop everything, the bot first."""
        self.replay.stop()
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _healthy(self) -> bool | None:
        try:
            return httpx.get(f"http://127.0.0.1:{self.bot_port}/healthz", trust_env=False).is_success or None
        except httpx.HTTPError:
            return None

    def _settings(self) -> dict[str, Any]:
        """Return the company's `aiops.yaml`."""
        card = next(c for c in self.cards if c.name == SERVING)
        return {
            "database": f"sqlite:///{self.folder / 'aiops.db'}",
            "slack": {
                "channel": INCIDENTS,
                "digest": DIGEST,
                "base_url": self.slack.api_url,
                "transport": self.transport,
                "port": self.bot_port,
            },
            "teams": {
                "ml-platform": {"channel": INCIDENTS, "group": "S0ONCALL"},
                "data-engineering": {"channel": DATA, "group": "S0DATA"},
            },
            "roles": {"ml-oncall": ["U0ANA", "U0BO"], "data-engineer": ["U0CY"]},
            "sources": {
                "predictions": {"kind": "sql", "url": self.log.url, "table": "log"},
                "training": {"kind": "files", "path": str(self.folder / "training.parquet")},
            },
            "platforms": {"edge": {"kind": "envoy", **self.platform.splitter_options}},
            "scorers": {"versions": {"kind": "model_servers", **self.platform.scorer_options}},
            "models": [_model(card)],
            "approvals": {"rollback": {"roles": ["ml-oncall"], "quorum": 1, "self_approval": False, "expires": "4h"}},
            "audit": {"key": str(self.folder / "audit.key"), "checkpoints": str(self.folder / "checkpoints.txt")},
            "poll": "1s",
            "replay": {"clock": str(self.folder / "data-clock.txt"), "tick": "150ms", "lookback": "3d"},
        }


HEADER = """\
# The demo company's configuration, as `aiops demo` wrote it: an ordinary aiops.yaml.
# The figures behind every line below come from the data; `python -m bot.demo.experiment` prints them.
"""


def _model(card: Card) -> dict[str, Any]:
    total = sum(max(0.0, value) for value in card.importances.values()) or 1.0
    share = {name: round(max(0.0, value) / total, 3) for name, value in card.importances.items()}
    return {
        "name": MODEL,
        "team": "ml-platform",
        "source": "predictions",
        "serving": "edge",
        "scorer": "versions",
        "reference": {"source": "training", "start": TRAINED[0].isoformat(), "end": TRAINED[1].isoformat()},
        "features": {
            name: {
                "kind": "categorical" if name in CATEGORIES else "numeric",
                "importance": share.get(name, 0.0),
                "team": "data-engineering" if name in WEATHER else "ml-platform",
            }
            for name in FEATURES
        },
        "primary": "calibration_gap",
        "thresholds": {
            # 14 days of flights: a gap of 10 points that certainly is one. 5,000 labels, because a holiday weekend alone misleads.
            "performance.calibration_gap": {"warning": 0.09, "critical": 0.10, "least_rows": 5_000},
            # The barometers are often away (11 % of the reference, 73 % of single days): only a feed that is gone counts.
            "missing.pressure": {"warning": 0.85, "critical": 0.95},
        },
        "watches": [
            {
                "name": "quality",
                "every": "0 9 * * *",
                "window": "14d",
                "checks": ["performance", "psi", "ks", "chi_square"],
                "persist": {"k": 2, "n": 2},
            },
            {
                "name": "feed",
                "every": "0 */3 * * *",
                "window": "24h",
                "checks": ["missing", "schema", "volume", "freshness", "latency", "errors"],
                "persist": {"k": 2, "n": 2},
            },
        ],
    }


def training_set(frame: pd.DataFrame, model: Model, path: Path) -> None:
    """Write what the serving version was trained on, with its scores, as any team keeps it."""
    rows = between(frame, *TRAINED)
    columns: dict[str, Any] = {name: pa.array(rows[name], from_pandas=True) for name in FEATURES}
    columns["request_id"] = pa.array(rows["flight_id"].astype(str))
    columns["time"] = pa.array(rows["departs"])
    columns["score"] = pa.array(model.scores(rows))
    columns["label"] = pa.array([None if late != late else bool(late) for late in rows["late"]])  # noqa: PLR0124  NaN: cancelled
    pq.write_table(pa.table(columns), path)
