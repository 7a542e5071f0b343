"""The demo's company in the days before the incident: real flights, models, Envoy, Slack, and the bot in a process of its own."""

from contextlib import contextmanager

from rich.console import Console

from bot.app import manifest, open_record
from bot.demo.company import SERVING, Company
from bot.demo.story import DAY_S, SPRING, Stage, Tempo

ANA, BO = "U0ANA", "U0BO"
INCIDENTS, DATA, DIGEST = "#/C0INCIDENTS", "#/C0DATAENG", "#/C0DIGEST"


@contextmanager
def company_at(folder, *, since):
    """Yield the stage of the story, its clock at `since`; leaving the block stops everything."""
    with Company(folder, manifest(), start=SPRING) as company:
        company.replay.backfill(since, SERVING, company.model(SERVING))
        company.hire()
        with open_record(company.config) as store:
            yield Stage(company, store, Tempo(DAY_S, 3_600.0), Console(quiet=True))
