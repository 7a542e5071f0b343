"""`/aiops pause reason`: the brake. Nothing acts until a person releases it."""

from bot.flow import brake
from bot.flow.desk import Desk
from bot.slack.command import Answer, Asked, Command

MOST = 300


def _run(desk: Desk, asked: Asked) -> Answer:
    brake.pause(desk, by=asked.who, reason=" ".join(asked.words)[:MOST])
    return Answer("line", {"emoji": ":octagonal_sign:", "text": "Paused. Watching goes on; nothing acts until /aiops resume."})


pause = Command("pause", "The brake: no run starts and none begins its next step.", _run, "[REASON]")
