"""`/aiops incidents`: the newest incidents, or only the open ones."""

from bot.core.errors import NotFound
from bot.flow import report
from bot.flow.desk import Desk
from bot.slack.command import Answer, Asked, Command


def _run(desk: Desk, asked: Asked) -> Answer:
    word = asked.words[0].lower() if asked.words else ""
    if word not in ("", "open", "all"):
        raise NotFound(f"/aiops incidents knows 'open', not '{word[:40]}'; for one incident type /aiops incident and its number.")
    return Answer("incidents", report.incidents(desk, open_only=word == "open"))


incidents = Command("incidents", "The newest incidents.", _run, "[open]")
