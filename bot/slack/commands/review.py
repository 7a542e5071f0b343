"""`/aiops review 2f1c… what was found`: the review that a break-glass approval owes."""

from bot.core.errors import NotFound
from bot.flow import break_glass
from bot.flow.desk import Desk
from bot.slack.command import Answer, Asked, Command


def _run(desk: Desk, asked: Asked) -> Answer:
    if not asked.words:
        raise NotFound(
            "Say which proposal and what you found, e.g. /aiops review 2f1c77 It was right; /aiops status lists what is owed."
        )
    break_glass.review(desk, asked.words[0], by=asked.who, words=" ".join(asked.words[1:]))
    return Answer("line", {"emoji": ":memo:", "text": "Your review is written; the thread shows it."})


review = Command("review", "Write the review that a break-glass approval owes.", _run, "PROPOSAL WORDS")
