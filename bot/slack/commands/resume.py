"""`/aiops resume`: a person releases the brake."""

from bot.flow import brake
from bot.flow.desk import Desk
from bot.slack.command import Answer, Asked, Command


def _run(desk: Desk, asked: Asked) -> Answer:
    hold = brake.resume(desk, by=asked.who)
    said = f"Resumed; it was paused {hold.words}."
    return Answer("line", {"emoji": ":arrow_forward:", "text": said, "seen": {"by": hold.by}})


resume = Command("resume", "Release the brake: runs go on where they were.", _run)
