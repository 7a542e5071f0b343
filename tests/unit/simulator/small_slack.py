"""A small workspace, and the app's side of the Web API without any client's comfort."""

import httpx

from bot.simulator import Channel, Command, Shortcut, SlackApp, User, UserGroup, Workspace

OPS, SECRET, QUIET = "C0000000OPS", "C0000SECRET", "C000000QUIET"
ANA, BO = "U00000000AA", "U00000000BB"


def small_workspace(**app):
    return Workspace(
        users=(User(ANA, "ana", "Ana", "ML engineer", "ana@example.com"), User(BO, "bo", "Bo", "On-call")),
        channels=(
            Channel("C0000000GEN", "general", ("ana", "bo", "aiops")),
            Channel(OPS, "ops", ("ana", "bo", "aiops")),
            Channel(QUIET, "quiet", ("ana",)),
            Channel(SECRET, "secret", ("ana",), is_private=True),
        ),
        groups=(UserGroup("S1", "oncall", "On call", ("ana", "bo")),),
        app=SlackApp(
            commands=(Command("/aiops", "models", "status", should_escape=True),),
            shortcuts=(Shortcut("Report", "report"), Shortcut("Why", "why", "message")),
            **app,
        ),
    )


class Api:
    def __init__(self, slack):
        self.slack = slack
        self.http = httpx.Client(base_url=slack.url, trust_env=False)

    def raw(self, method, token=None, **args):
        chosen = self.slack.app.bot_token if token is None else token
        headers = {"Authorization": f"Bearer {chosen}"} if chosen else {}
        return self.http.post(f"/api/{method}", json=args, headers=headers)

    def __call__(self, method, token=None, **args):
        return self.raw(method, token, **args).json()

    def post(self, text="hello", channel=OPS, **more):
        return self("chat.postMessage", channel=channel, text=text, **more)["ts"]

    def error(self, method, **args):
        answer = self(method, **args)
        return "ok" if answer["ok"] else answer["error"]
