"""Our pages list what there is, and their links lead somewhere."""

import re

import pytest

from tests.house import tables
from tests.house.house import ROOT, name_of

PAGES = {name_of(page): page.read_text(encoding="utf-8") for page in tables.pages()}
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(text):
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(name, text):
    """Return the links of a page that lead to no file and no heading of ours."""
    found = []
    for link in LINK.findall(text):
        place, _, anchor = link.partition("#")
        there = (ROOT / name).parent / place if place else ROOT / name
        if "://" in link:
            continue
        if not there.exists() or (anchor and anchor not in anchors(there.read_text(encoding="utf-8"))):
            found.append(link)
    return found


@pytest.mark.parametrize("table", sorted(tables.TABLES))
def test_each_table_has_its_place_on_one_page(table):
    places = [name for name, text in PAGES.items() if tables.marked(table).search(text)]

    assert len(places) == 1, f"put <!-- {table} --> and <!-- /{table} --> on one page"


@pytest.mark.parametrize("name", PAGES)
def test_the_tables_list_what_there_is(name):
    assert tables.refreshed(PAGES[name]) == PAGES[name], "the tables are stale; run: python -m tests.house.tables"


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    assert broken(name, PAGES[name]) == []


@pytest.mark.parametrize("link", ["nowhere.md", "README.md#nothing-like-this", "#nor-this"])
def test_a_broken_link_is_found(link):
    assert broken("README.md", f"see [there]({link})") == [link]
