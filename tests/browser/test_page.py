"""The page in a real browser, as a person uses it. Every test also asserts a silent console (fixture `screen`)."""

import time

import pytest
from echo_app import CARD, OPS
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
ANA, BO = "U00000000AA", "U00000000BB"
HOSTILE = "<img src=x onerror=alert(1)> & <b>bold</b>"


def last_message(window):
    return window("messages").get_by_test_id("message").last


def test_what_is_written_with_enter_stands_in_the_channel(screen):
    window = screen()

    window.says("Anything *open*?")

    expect(last_message(window).locator("strong")).to_have_text("open")


def test_shift_enter_breaks_the_line(screen):
    window = screen()

    window("composer").fill("one")
    window("composer").press("Shift+Enter")
    window("composer").press_sequentially("two")

    expect(window("composer")).to_have_value("one\ntwo")


def test_hostile_text_stays_text(screen, echo):
    window = screen()

    echo.say(HOSTILE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))

    expect(last_message(window)).to_contain_text(HOSTILE)
    expect(last_message(window).locator("img")).to_have_count(0)


def test_a_link_with_a_script_is_no_link(screen, echo):
    window = screen()

    echo.say("<javascript:alert(1)|press me>")

    expect(last_message(window)).to_contain_text("press me")
    expect(last_message(window).locator("a")).to_have_count(0)


def test_the_keyboard_completes_a_command_and_its_verb(screen):
    window = screen()

    window("composer").press_sequentially("/ai")
    window("composer").press("Tab")
    window("composer").press_sequentially("in")
    window("composer").press("Enter")

    expect(window("composer")).to_have_value("/aiops incidents ")


def test_a_command_is_answered_to_the_asker_only(screen):
    window = screen(BO)

    window.says("/aiops status")

    expect(last_message(window)).to_contain_text("Only visible to you")
    expect(last_message(window)).to_contain_text("Heard status")


def test_an_unknown_command_is_refused_above_the_composer_and_not_lost(screen):
    window = screen()

    window.says("/nonsense")

    expect(window("composer-error")).to_contain_text("/nonsense is not a valid command")
    expect(window("composer")).to_have_value("/nonsense")


def test_acting_as_somebody_else_hides_what_only_one_could_see(screen):
    window = screen(BO)
    window.says("/aiops status")
    expect(window("messages")).to_contain_text("Heard status")

    window.acts_as(ANA)

    expect(window("act-as")).to_contain_text("Ana Pereira")
    expect(window("messages")).not_to_contain_text("Heard status")


def test_a_button_with_a_question_waits_for_yes(screen, echo):
    echo.say("card", blocks=CARD)
    window = screen()

    window.action("close").click()
    window("confirm-deny").click()
    window.action("close").click()
    expect(window("confirm")).to_contain_text("It opens again.")
    window("confirm-yes").click()

    expect(last_message(window)).to_contain_text("Closed.")
    assert echo.heard.count("close") == 1


def test_a_click_that_nobody_acknowledges_says_so(screen, echo):
    echo.say("card", blocks=CARD)
    window = screen()

    window.action("deaf").click()

    expect(window("act-error")).to_contain_text("did not answer")


def test_a_form_shows_the_apps_complaint_then_goes_through(screen, echo):
    echo.say("card", blocks=CARD)
    window = screen()

    window.action("propose").click()
    window("modal").locator("textarea").fill("no")
    window("modal-submit").click()
    expect(window("modal")).to_contain_text("Say it in at least 5 characters.")
    window("modal").locator("textarea").fill("the feed broke")
    window("modal-submit").click()

    expect(window("modal")).to_be_hidden()
    expect(last_message(window)).to_contain_text("Proposed: the feed broke")


def test_escape_closes_a_form(screen, echo):
    echo.say("card", blocks=CARD)
    window = screen()
    window.action("propose").click()
    expect(window("modal")).to_be_visible()

    window.page.keyboard.press("Escape")

    expect(window("modal")).to_be_hidden()


def test_a_form_outlives_a_reload_of_the_page(screen, echo):
    echo.say("card", blocks=CARD)
    window = screen()
    window.action("propose").click()
    expect(window("modal")).to_be_visible()

    window.page.reload()

    expect(window("modal")).to_contain_text("Reason")


def test_a_thread_grows_while_it_is_open(screen, echo):
    root = echo.say("incident")
    echo.say("first", thread_ts=root)
    window = screen()
    window("thread-teaser").click()
    expect(window("thread-messages")).to_contain_text("first")

    echo.say("second", thread_ts=root)
    window.says("third", composer="thread-composer")

    expect(window("thread-messages").get_by_test_id("message")).to_have_count(4)
    expect(window("thread-teaser")).to_contain_text("3 replies")


def test_an_edited_message_changes_in_its_place(screen, echo):
    ts = echo.say("open")
    echo.say("later")
    window = screen()

    echo.call("chat.update", channel=OPS, ts=ts, text="resolved")

    expect(window("message").filter(has_text="resolved")).to_contain_text("(edited)")
    expect(window("messages").get_by_test_id("message")).to_have_count(2)


def test_a_reaction_is_counted_and_taken_back(screen, echo):
    ts = echo.say("done")
    window = screen()
    window("message").hover()
    window("react").click()
    window.page.locator(".menu-emoji .menu-item").first.click()
    chip = window.page.locator(f'[data-ts="{ts}"] .reaction')
    expect(chip).to_have_text("✅1")

    chip.click()

    expect(chip).to_have_count(0)


def test_a_mention_elsewhere_raises_a_badge(screen, person):
    window = screen(BO)
    person("ana").says("@bo look at this", channel="general")

    expect(window.page.locator('[data-name="general"]').get_by_test_id("badge")).to_have_text("1")


def test_the_home_tab_shows_what_the_app_publishes(screen):
    window = screen(place="#/home")

    expect(window("home")).to_contain_text("Models in production")


def test_the_narrator_speaks_above_the_page(screen, slack):
    window = screen()

    window.page.request.post(
        f"{slack.url}/ui/banner", data={"text": "A feed broke.", "progress": 0.5}, headers={"X-Simulator-Page": "1"}
    )

    expect(window("banner")).to_contain_text("A feed broke.")


def test_the_call_log_shows_calls_as_they_happen(screen, echo):
    window = screen()
    window("log-toggle").click()

    echo.say("hello")

    expect(window.page.locator('[data-testid="call"][data-name="chat.postMessage"]').first).to_have_attribute("data-status", "ok")


def test_a_fault_from_the_drawer_hits_the_next_call(screen, slack):
    window = screen()
    window("log-toggle").click()
    window("fault-cause").click()
    expect(window("faults")).to_contain_text("rate_limited")

    window.page.request.post(f"{slack.api_url}chat.postMessage", data={"channel": OPS, "text": "x"})

    expect(window.page.locator('[data-testid="call"][data-status*="ratelimited"]')).to_have_count(1)


def test_the_chosen_theme_is_kept(screen):
    window = screen(scheme="light")
    window("theme-toggle").click()
    expect(window.page.locator("html")).to_have_attribute("data-theme", "dark")

    window.page.reload()

    expect(window.page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("place", ["#/C0000000OPS", "#/home"])
def test_nothing_can_be_scrolled_sideways_on_a_phone(screen, echo, place):
    echo.say("card", blocks=CARD)
    echo.say("x" * 500)
    window = screen(size=(390, 844), place=place)
    expect(window("channel-name")).to_be_visible()

    assert window.sideways == 0


def test_on_a_phone_the_drawer_changes_the_channel(screen):
    window = screen(size=(390, 844))
    window("menu").click()

    window.page.locator('[data-name="general"]').click()

    expect(window("channel-name")).to_have_text("general")
    expect(window.page.locator("#sidebar")).not_to_be_in_viewport()


def test_a_long_day_leaves_few_nodes(screen, echo):
    window = screen()
    for number in range(700):
        echo.say(f"message {number}")

    expect(last_message(window)).to_contain_text("message 699")
    assert window("messages").get_by_test_id("message").count() <= 400


def test_older_messages_come_on_the_way_up(screen, echo):
    for number in range(150):
        echo.say(f"message {number}")
    window = screen()
    expect(last_message(window)).to_contain_text("message 149")

    for _ in range(3):
        window("messages").evaluate("node => { node.scrollTop = 0; }")
        window.page.wait_for_timeout(300)

    expect(window("messages").get_by_test_id("message").first).to_contain_text("message 0")


def test_what_is_said_while_the_page_connects_stands_on_it(screen, echo):
    class Slow:
        def join(self, socket):
            time.sleep(0.5)  # the page could draw itself meanwhile
            echo.say("said meanwhile")
            socket.connect_to_server()

    window = screen(line=Slow())

    expect(last_message(window)).to_contain_text("said meanwhile")


def test_a_change_that_overtakes_the_page_is_not_lost(screen, echo):
    ts = echo.say("open")
    window = screen(place="#/home")

    def late(route):
        old = route.fetch()
        echo.call("chat.update", channel=OPS, ts=ts, text="resolved")
        window.page.wait_for_timeout(200)  # the page hears of it before it has the answer
        route.fulfill(response=old)

    window.page.route("**/ui/channels/*/messages*", late)
    window.page.locator('[data-name="ops"]').click()

    expect(last_message(window)).to_contain_text("resolved")


def test_a_lost_connection_is_told_and_what_was_missed_is_caught_up(screen, line, echo):
    window = screen(line=line)
    line.cut()
    expect(window.page.locator("#offline")).to_be_visible()

    echo.say("said meanwhile")
    line.mend()

    expect(last_message(window)).to_contain_text("said meanwhile")
    expect(window.page.locator("#offline")).to_be_hidden()
