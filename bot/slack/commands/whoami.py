"""`/aiops whoami`: a person's roles, and what they may approve, as the configuration says now."""

from bot.flow.desk import Desk
from bot.flow.membership import known
from bot.slack.command import Answer, Asked, Command


def _run(desk: Desk, asked: Asked) -> Answer:
    roles = asked.who.roles
    mine = [(words, policy) for words, policy in desk.every_policy if known(desk, asked.who, policy.who) in policy.who]
    may = [f"{words} ({policy.quorum} needed)" for words, policy in mine]
    return Answer("whoami", {"id": asked.who.id, "roles": sorted(roles), "may": may})


whoami = Command("whoami", "Your roles, and what you may approve.", _run)
