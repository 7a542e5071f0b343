"""`/aiops digest`: what was noticed and deliberately not paged."""

from datetime import timedelta

from bot.flow import report
from bot.flow.desk import Desk
from bot.slack.command import Answer, Asked, Command, whole_number

USUAL_DAYS, MOST_DAYS = 7, 400


def _run(desk: Desk, asked: Asked) -> Answer:
    days = min(whole_number(asked.words[0], "days"), MOST_DAYS) if asked.words else USUAL_DAYS
    told = report.digest(desk, desk.data.now() - timedelta(days=days))
    return Answer("digest", {"title": f"Noticed in the last {days} days, and on purpose not paged", **told})


digest = Command("digest", "What was noticed and deliberately not paged.", _run, "[DAYS]")
