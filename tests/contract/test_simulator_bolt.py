"""The real slack_bolt meets the simulator, over both transports: what people do and what they see."""

import pytest
from bolt_app import TRANSPORTS, button, card, modal, new_app, plain, until

from bot.simulator import Person, Shortcut, Simulator, SlackApp, Workspace, default_workspace

OPS = "C0000000OPS"


def workspace():
    given = default_workspace()
    shortcuts = (Shortcut("Report", "report"), Shortcut("Why", "why", "message"))
    app = SlackApp(commands=given.app.commands, shortcuts=shortcuts)
    return Workspace(given.users, given.channels, app, given.groups)


@pytest.fixture(params=TRANSPORTS, scope="module")
def slack(request):
    with Simulator(workspace(), ack_timeout_s=1.5) as running:
        app = new_app(running)
        listen(app)
        with TRANSPORTS[request.param](running, app):
            running.bolt = app
            yield running


@pytest.fixture(scope="module")
def ana(slack):
    with Person(slack, "ana") as person:
        yield person


@pytest.fixture(scope="module")
def bo(slack):
    with Person(slack, "bo") as person:
        yield person


def listen(app):  # noqa: C901, PLR0915  one small listener for each kind of delivery
    @app.command("/aiops")
    def command(ack, body, say, respond):
        if body["text"] == "respond":
            ack()
            respond("answered through the URL")
            respond("for everybody", response_type="in_channel")
        elif body["text"].startswith("propose"):
            ack(response_type="in_channel", text="Proposing")
            say(text="fallback", blocks=card(button("Approve", "approve"), button("Ask", "ask"), text=body["text"]))
        else:
            ack(f"heard {body['text']} from {body['user_name']} in {body['channel_name']}")

    @app.action("approve")
    def approve(ack, body, client, respond):
        ack()
        if body["user"]["username"] == "ana":
            respond("Somebody else has to approve.", replace_original=False)
            return
        text = f"Approved by <@{body['user']['id']}>"
        client.chat_update(channel=body["channel"]["id"], ts=body["message"]["ts"], text=text, blocks=card(text=text)[:1])

    @app.action("ask")
    def ask(ack, body, client):
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=modal(private_metadata=body["message"]["ts"]))

    @app.action("details")
    def details(ack, body, client):
        ack()
        app.heard.append(body["view"]["state"]["values"])
        client.views_push(trigger_id=body["trigger_id"], view=modal("Details", "pushed", notify_on_close=True))

    @app.view("reason")
    def submitted(ack, view, client, body):
        values = view["state"]["values"]
        why = values["why"]["typed"]["value"]
        risk = (values["risk"]["risk"]["selected_option"] or {}).get("value")
        if why == "bad":
            ack(response_action="errors", errors={"why": "Say more."})
        elif why == "next":
            ack(response_action="update", view=modal("Second", "second"))
        elif why == "stack":
            ack(response_action="push", view=modal("Above", "second"))
        else:
            ack()
            client.chat_postMessage(channel=OPS, thread_ts=view["private_metadata"], text=f"{body['user']['name']}: {why} ({risk})")

    @app.view("second")
    def second(ack):
        ack(response_action="clear")

    @app.view_closed("pushed")
    def closed(ack, body):
        ack()
        app.heard.append(("closed", body["view"]["title"]["text"], body["is_cleared"]))

    @app.event("app_home_opened")
    def home(event, client):
        section = {"type": "section", "text": plain(f"Home of {event['user']}")}
        actions = {"type": "actions", "elements": [button("Refresh", "refresh")]}
        client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [section, actions]})

    @app.action("refresh")
    def refresh(ack, body, client):
        ack()
        section = {"type": "section", "text": plain(f"Fresh {body['view']['id']}")}
        client.views_publish(user_id=body["user"]["id"], view={"type": "home", "blocks": [section]})

    @app.event("app_mention")
    def mention(event, say):
        say(text=f"You called, <@{event['user']}>?", thread_ts=event["ts"])

    @app.event("message")
    def message(event):
        app.heard.append(("message", event.get("text"), event["channel_type"]))

    @app.event("reaction_added")
    def reaction(event):
        app.heard.append(("reaction", event["reaction"], event["item"]["ts"]))

    @app.shortcut("report")
    def report(ack, shortcut, client):
        ack()
        client.views_open(trigger_id=shortcut["trigger_id"], view=modal("Report", "second"))

    @app.shortcut("why")
    def why(ack, shortcut, respond):
        ack()
        respond(f"You asked about: {shortcut['message']['text']}")

    @app.options("team")
    def teams(ack, payload):
        ack(options=[{"text": plain(f"{payload['value']}-team"), "value": "t1"}])

    @app.action("team")
    def chosen(ack, action):
        ack()
        app.heard.append(("team", action["selected_option"]["value"]))

    @app.action("level")
    def level(ack, action, respond):
        ack()
        respond(f"Level {action['selected_option']['value']}")


def test_a_command_is_answered_to_its_person_only(ana, bo):
    assert ana.says("/aiops status", channel="ops") is None

    ana.sees("heard status from ana in ops")
    bo.does_not_see("heard status from ana")


def test_a_response_url_answers_one_person_or_everybody(ana, bo):
    ana.says("/aiops respond", channel="ops")

    ana.sees("answered through the URL")
    bo.sees("for everybody")
    bo.does_not_see("answered through the URL")


def test_the_proposer_is_refused_and_another_person_approves(slack, ana, bo):
    ana.says("/aiops propose a rollback", channel="ops")
    bo.sees("Proposing")
    assert ana.clicks("Approve", in_thread="propose a rollback") is None
    ana.sees("Somebody else has to approve.")
    bo.does_not_see("Somebody else has to approve.")
    assert bo.clicks("Approve", in_thread="propose a rollback") is None
    ana.sees("Approved by <@U00000000BB>")

    with pytest.raises(AssertionError, match="does not see a button 'Approve'"):
        bo.clicks("Approve", in_thread="Approved by", within=0.1)
    assert "aiops (edited): Approved by @bo" in slack.transcript("ops")


def test_a_modal_is_filled_corrected_and_sent(ana):
    ana.says("/aiops propose with a reason", channel="ops")
    ana.clicks("Ask", in_thread="propose with a reason")
    assert ana.submits() == {"why": "Please complete this required field."}
    ana.fills("Why", "bad")
    assert ana.submits() == {"why": "Say more."}
    ana.fills("Why", "labels are late")
    ana.fills("Risk", "High")
    assert ana.submits() == {}

    ana.sees("ana: labels are late (high)")


def test_only_the_person_who_clicked_gets_the_modal(ana, bo):
    ana.says("/aiops propose alone", channel="ops")
    ana.clicks("Ask", in_thread="propose alone")
    ana.sees("Reason")

    assert bo.screen().count("[modal]") == 0
    ana.closes()


@pytest.mark.parametrize(("typed", "title"), [("next", "Second"), ("stack", "Above")])
def test_a_modal_is_updated_or_stacked_and_then_cleared(ana, typed, title):
    ana.says(f"/aiops propose {typed}", channel="ops")
    ana.clicks("Ask", in_thread=f"propose {typed}")
    ana.fills("Why", typed)
    assert ana.submits() == {}
    ana.sees(title)
    ana.fills("Why", "done")
    ana.submits()

    assert "[modal]" not in ana.screen()


def test_a_click_in_a_modal_carries_its_state_and_pushes_a_view(slack, ana):
    ana.says("/aiops propose details", channel="ops")
    ana.clicks("Ask", in_thread="propose details")
    ana.chooses("Low")
    ana.clicks("Details")
    ana.sees("Details")
    assert slack.bolt.heard[-1]["risk"]["risk"]["selected_option"]["value"] == "low"
    ana.closes()
    until(lambda: ("closed", "Details", False) in slack.bolt.heard)
    ana.sees("Reason")
    ana.closes()

    assert "[modal]" not in ana.screen()


def test_home_is_opened_and_its_buttons_carry_the_view(bo):
    bo.opens_home()
    bo.sees("Home of U00000000BB")
    bo.clicks("Refresh")

    bo.sees("Fresh V1")


def test_a_mention_is_answered_in_the_thread(slack, ana):
    ana.says("hello @aiops & friends", channel="ops")
    ana.sees("You called, <@U00000000AA>?")

    assert "ana: hello @aiops &amp; friends\n  │ aiops: You called, @ana?" in slack.transcript("ops")


def test_messages_of_channels_and_direct_messages_are_told(slack, ana):
    ana.opens_home()
    ana.says("psst", channel="aiops")
    ana.says("aloud", channel="ops")

    until(lambda: {("message", "psst", "im"), ("message", "aloud", "channel")} <= set(map(_hashable, slack.bolt.heard)))


def _hashable(heard):
    return heard if isinstance(heard, tuple) else ()


def test_messages_of_channels_without_the_app_are_not_told(slack, ana):
    ana.says("between us", channel="general")
    ana.says("marker one", channel="ops")
    until(lambda: ("message", "marker one", "channel") in slack.bolt.heard)

    assert ("message", "between us", "channel") not in slack.bolt.heard


def test_a_reaction_is_told(slack, ana):
    ana.says("react to me", channel="ops")
    ana.reacts("eyes", to="react to me", channel="ops")

    until(lambda: any(_hashable(h)[:2] == ("reaction", "eyes") for h in slack.bolt.heard))


def test_shortcuts_work_globally_and_on_a_message(ana):
    assert ana.uses("report") is None
    ana.sees("Report")
    ana.closes()
    ana.says("strange numbers", channel="ops")
    assert ana.uses("why", on="strange numbers", channel="ops") is None
    ana.sees("You asked about: strange numbers")

    assert "no global shortcut" in ana.uses("unknown")


def test_an_external_menu_asks_the_app_for_its_options(slack, ana):
    element = {"type": "external_select", "action_id": "team"}
    block = {"type": "section", "block_id": "b", "text": plain("Pick"), "accessory": element}
    posted = slack.bolt.client.chat_postMessage(channel=OPS, text="Pick a team", blocks=[block])
    at = {"channel": OPS, "message_ts": posted["ts"], "block_id": "b", "action_id": "team"}
    told = ana._get("/ui/options", value="data", **at)
    ana._post("/ui/click", {**at, "selected_option": told["options"][0]})

    assert told["options"][0]["text"]["text"] == "data-team"
    until(lambda: ("team", "t1") in slack.bolt.heard)


def test_a_button_inside_an_attachment_works(slack, ana):
    menu = {"type": "static_select", "action_id": "level", "options": [{"text": plain("SEV1"), "value": "1"}]}
    blocks = [{"type": "actions", "elements": [menu]}]
    slack.bolt.client.chat_postMessage(channel=OPS, text="x", attachments=[{"color": "#f00", "blocks": blocks}])
    assert ana.chooses("SEV1") is None

    ana.sees("Level 1")


def test_the_app_reads_its_own_connection(slack):
    assert slack.bolt.client.auth_test()["user_id"] == slack.app.bot_user_id


def test_upload_v2_shares_a_picture_in_the_thread(slack, ana):
    png = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + (2).to_bytes(4) + (3).to_bytes(4)
    root = slack.bolt.client.chat_postMessage(channel=OPS, text="evidence")["ts"]
    slack.bolt.client.files_upload_v2(
        channel=OPS, thread_ts=root, content=png, filename="psi.png", title="PSI", alt_txt="PSI rose to 0.4"
    )
    ana.sees("PSI rose to 0.4")
    shown = next(m for m in ana._messages("ops") if m["files"])

    assert shown["thread_ts"] == root
    assert (shown["files"][0]["width"], shown["files"][0]["height"]) == (2, 3)
    assert ana._http.get(shown["files"][0]["url"]).content == png
