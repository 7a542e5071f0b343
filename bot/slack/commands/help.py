"""`/aiops help`: every subcommand."""

from bot.flow.desk import Desk
from bot.slack.command import Answer, Asked, Command, help_answer


def _run(desk: Desk, asked: Asked) -> Answer:
    return help_answer(desk, asked.commands)


help_command = Command("help", "This list.", _run)
