"""A company that loses and may retrain: what the stories of its trainers share."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import yaml

from bot.connectors.orders import short
from tests.faults.edge import Edge
from tests.faults.house import House
from tests.faults.papers import PLACE
from tests.story.test_remedies import offers, rewrites


@contextmanager
def company(folder: Path, database_url: str) -> Iterator[House]:
    """Stand ready, with nobody started yet."""
    edge = Edge(folder)
    with House(folder, database_url, edge) as house:
        offers(house, "retrain")
        rewrites(house, "losing")
        yield house
    edge.close()


def trains_at(house: House, kind: str, url: str, password: str, job: Mapping[str, object]) -> None:
    """Let the company's trainer be this platform, whose password lies in a file; start the bot, lose, and have it approved."""
    house.secrets[f"the password at {kind}"] = password
    (house.folder / "password").write_text(f"{password}\n")
    told = yaml.safe_load(house.config.read_text())
    door = {"url": url, "username": "bot", "password": f"${{file:{house.folder / 'password'}}}", "timeout": 20.0}
    told["platforms"]["trainer"] = {"kind": kind, **door, "jobs": {"retrain": job}}
    told["models"][0]["connectors"] = {"trainer": "trainer"}
    house.config.write_text(yaml.safe_dump(told, sort_keys=False))
    house.starts()
    house.loses()
    house.asked("Has the model trained anew", "calibration")("bo")()


def trained(house: House) -> tuple[str, str]:
    """Wait for the end of the run; return what the platform calls it, and the thread."""
    house.until("the run is over", lambda: house.is_over, within=90)
    house.until("Slack says so", house.is_level)
    (run,) = house.runs
    return short(f"{run.id}:train"), house.slack.transcript(PLACE)
