"""`/aiops audit`: the newest rows of the audit log."""

from bot.flow import report
from bot.flow.desk import Desk
from bot.slack.command import Answer, Asked, Command, whole_number

USUAL, MOST = 15, 60


def _run(desk: Desk, asked: Asked) -> Answer:
    wanted = whole_number(asked.words[0], "rows") if asked.words else USUAL
    return Answer("audit", report.audit(desk, min(max(wanted, 1), MOST)))


audit = Command("audit", "Who did what, from the hash-chained audit log.", _run, "[ROWS]")
