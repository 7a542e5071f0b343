"""`/aiops status`: how every model is, in one line each."""

from bot.flow import report
from bot.flow.desk import Desk
from bot.slack.command import Answer, Asked, Command


def _run(desk: Desk, _asked: Asked) -> Answer:
    return Answer("status", report.status(desk))


status = Command("status", "How every model is, the worst first.", _run)
