"""`/aiops incident 12`: everything known about one incident."""

from bot.core.errors import NotFound
from bot.flow import report
from bot.flow.desk import Desk
from bot.slack.command import Answer, Asked, Command, whole_number


def _run(desk: Desk, asked: Asked) -> Answer:
    if not asked.words:
        raise NotFound("Say which incident, e.g. /aiops incident 12.")
    return Answer("details", report.incident(desk, whole_number(asked.words[0], "an incident")))


incident = Command("incident", "Everything known about one incident.", _run, "NUMBER")
