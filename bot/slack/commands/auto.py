"""`/aiops auto`: what the bot may do by itself; `/aiops auto arm MODEL` lets it again after a mend that did not last."""

from bot.core.errors import NotFound
from bot.flow import heal
from bot.flow.desk import Desk
from bot.slack.command import Answer, Asked, Command


def _run(desk: Desk, asked: Asked) -> Answer:
    match asked.words:
        case []:
            return Answer("auto", {"rows": heal.budgets(desk)})
        case ["arm", model]:
            hold = heal.arm(desk, model, by=asked.who)
            text = f"Armed: the bot may act by itself on {hold.subject} again. It had asked because {hold.reason}."
            return Answer("line", {"emoji": ":robot_face:", "text": text})
    raise NotFound("/aiops auto shows what the bot may do by itself; /aiops auto arm and a model's name lets it again.")


auto = Command("auto", "What the bot may do by itself, and where it asks instead.", _run, "[arm MODEL]")
