"""The page's files: whole, self-contained, and never turning data into markup."""

import re
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

import bot.simulator

STATIC = Path(bot.simulator.__file__).parent / "static"
FILES = sorted(path for path in STATIC.iterdir() if path.is_file())
SCRIPTS = [path for path in FILES if path.suffix == ".js"]
INDEX = (STATIC / "index.html").read_text(encoding="utf-8")
NAMESPACES = {"http://www.w3.org/2000/svg"}
MARKUP = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval(", "new Function", "srcdoc")
IMPORT = re.compile(r"""(?:from|import)\s+["']([^"']+)["']""")


class _Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def tags_of_the_page():
    return _Tags(INDEX).tags


def addresses_in(text):
    found = re.findall(r"""(?:https?:|wss?:)?//[a-z0-9][\w.-]*\.[a-z]{2,}[^\s"'`)]*""", text, re.IGNORECASE)
    return {address for address in found if address not in NAMESPACES and "127.0.0.1" not in address}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_names_an_address_elsewhere(path):
    assert addresses_in(path.read_text(encoding="utf-8")) == set()


def test_an_address_elsewhere_would_be_noticed():
    assert addresses_in('url("https://cdn.example.com/a.css")') == {"https://cdn.example.com/a.css"}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_turns_text_into_markup_or_code(path):
    text = path.read_text(encoding="utf-8")

    assert [word for word in MARKUP if word in text] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_every_imported_module_exists(path):
    wanted = IMPORT.findall(path.read_text(encoding="utf-8"))

    assert [name for name in wanted if not (STATIC / name).is_file()] == []


def test_every_file_that_the_page_names_exists():
    named = [value for _, attrs in tags_of_the_page() for key, value in attrs.items() if key in {"src", "href"}]
    files = [name for name in named if not name.startswith("#")]

    assert len(files) >= 5
    assert [name for name in files if not (STATIC / name.removeprefix("/static/")).is_file()] == []


def test_every_file_is_used():
    scripts = "".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    unused = [path.name for path in FILES if path.name not in INDEX + scripts and path.name != "index.html"]

    assert unused == []


def test_the_page_holds_no_inline_script_style_or_handler():
    inline = [
        (tag, key)
        for tag, attrs in tags_of_the_page()
        for key in attrs
        if key.startswith("on") or key == "style" or (tag == "script" and not attrs.get("src"))
    ]

    assert inline == []
    assert "<style" not in INDEX


def test_every_element_that_a_script_looks_up_stands_in_the_page():
    ids = {attrs["id"] for _, attrs in tags_of_the_page() if "id" in attrs}
    wanted = {name for path in SCRIPTS for name in re.findall(r'byId\("([\w-]+)"\)', path.read_text(encoding="utf-8"))}

    assert len(wanted) > 20
    assert wanted - ids == set()


def test_every_button_of_the_page_has_a_name_for_screen_readers():
    written_by_scripts = {"theme"}
    nameless = [
        attrs.get("id")
        for tag, attrs in tags_of_the_page()
        if tag == "button" and "data-icon" in attrs and not attrs.get("aria-label") and attrs.get("id") not in written_by_scripts
    ]

    assert nameless == []


def test_the_server_hands_out_the_page_and_its_modules(slack):
    page = httpx.get(slack.url + "/", trust_env=False)
    module = httpx.get(slack.url + "/static/main.js", trust_env=False)

    assert (page.status_code, module.status_code) == (200, 200)
    assert "javascript" in module.headers["content-type"]


def test_the_policy_of_the_page_lets_scripts_come_from_the_simulator_only():
    policy = next(attrs["content"] for tag, attrs in tags_of_the_page() if attrs.get("http-equiv") == "Content-Security-Policy")

    assert "script-src 'self';" in policy
    assert "default-src 'none';" in policy
    assert "unsafe" not in policy


def test_a_page_that_knows_nobody_opens_as_the_first_person(slack):
    told = httpx.get(slack.url + "/ui/state", trust_env=False).json()

    assert told["me"]["name"] == "ana"
