"""`/aiops report`: health, incidents and time to resolve, runs, what was noticed without paging, what is not known."""

from bot.flow import report as verbs
from bot.flow.desk import Desk
from bot.slack.command import Answer, Asked, Command


def _run(desk: Desk, asked: Asked) -> Answer:
    return Answer("report", verbs.report(desk, asked.words[0] if asked.words else None))


report = Command("report", "Health, incidents, time to resolve, and what is not known.", _run, "[MODEL]")
