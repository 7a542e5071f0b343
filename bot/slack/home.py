"""App Home: what waits for a person, what is open, how the models are."""

from slack_sdk import WebClient

from bot.core.approvals import Principal
from bot.flow import report
from bot.flow.desk import Desk
from bot.slack.client import call
from bot.slack.ports import Render


def publish(desk: Desk, client: WebClient, render: Render, who: Principal) -> None:
    """Bring a person's Home tab level with the truth.

    Raises:
        SlackTrouble: Slack did not take it.
    """
    shown = render("home", report.home(desk, who), view=True)
    call(lambda: client.views_publish(user_id=who.id, view={"type": "home", "blocks": list(shown.blocks)}))
