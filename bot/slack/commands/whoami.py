"""`/aiops whoami`: a person's roles, and what they may approve, as the configuration says now."""

from bot.flow.desk import Desk
from bot.slack.command import Answer, Asked, Command


def _run(desk: Desk, asked: Asked) -> Answer:
    roles = asked.who.roles
    may = [f"{name} ({policy.quorum} needed)" for name, policy in sorted(desk.policies.items()) if roles & policy.roles]
    return Answer("whoami", {"id": asked.who.id, "roles": sorted(roles), "may": may})


whoami = Command("whoami", "Your roles, and what you may approve.", _run)
