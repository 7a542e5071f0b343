"""The file that Traefik watches, from its hostile side: what stands in it, what it is, and who else writes it."""

import os
import stat
import tempfile
import threading
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.connectors.traefik.file import held
from bot.connectors.traefik.weights import changed, weights
from bot.core.errors import ActionFailed, WorldMoved

NOBODY = 65_534
TEXT = """\
# 🚦 ask ana before you touch this
http:
  routers: {delays: {rule: "PathPrefix(`/`)", service: delays}}
  services:
    delays:
      weighted:
        sticky: {cookie: {}}
        services:
          - name: v1
            weight: 90  # most
          - {weight: "10", name: v2@docker}
    churn: {weighted: {services: [{name: v1, weight: 90}]}}
tcp: {unknown: [1, two, {three: null}]}
"""


def with_weights(text):
    return text.replace("            weight: 90  # most", "            weight: ONE  # most").replace('"10"', "TWO")


def test_weights_are_found_by_the_names_that_traefik_has_for_them():
    assert weights(TEXT, "delays", "f.yml") == {"v1@file": 90, "v2@docker": 10}


def test_everything_but_the_digits_stays_character_for_character():
    assert changed(TEXT, "delays", {"v1@file": 0, "v2@docker": 10_000}, "f.yml") == (
        TEXT.replace("weight: 90  # most", "weight: 0  # most").replace('"10"', "10000")
    )


@pytest.mark.parametrize("text", [TEXT.replace("\n", "\r\n"), "---\n" + TEXT + "...\n"], ids=["windows", "dots"])
def test_other_ways_to_write_text_are_kept(text):
    new = changed(text, "delays", {"v1@file": 7, "v2@docker": 3}, "f.yml")

    assert new == text.replace("weight: 90  # most", "weight: 7  # most").replace('"10"', "3")


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.text("ab ü🚦#'\\", max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_whatever_stands_around_them_means_the_same_afterwards(weight, words, newline):
    text = yaml.safe_dump({"x": words, "http": {words + "k": [words], "services": yaml.safe_load(TEXT)["http"]["services"]}})
    text = text.replace("\n", newline)
    new = changed(text, "delays", {"v1@file": weight, "v2@docker": 10_000 - weight}, "f.yml")
    meant = yaml.safe_load(text)
    for row, number in zip(meant["http"]["services"]["delays"]["weighted"]["services"], (weight, 10_000 - weight), strict=True):
        row["weight"] = number

    assert yaml.safe_load(new) == meant


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("weight: 90  # most", "weight: abc", r"^f.yml, line 10: the weight is no plain whole number; write one.$"),
        ("weight: 90  # most", "weight: 010", r"line 10: the weight is no plain"),
        ("weight: 90  # most", "weight: -3", r"line 10: the weight is no plain"),
        ("weight: 90  # most", "weight: 0x10", r"line 10: the weight is no plain"),
        ("weight: 90  # most", "weight: !!int 9", r"line 10: the weight is no plain"),
        ("weight: 90  # most", "weight: [9]", r"line 10: the weight is no plain"),
        ("weight: 90  # most", "weight:", r"line 10: the weight is no plain"),
        ("weight: 90  # most", 'weight: {{ env "W" }}', r"line 10: a key must be plain text and stand only once"),
        ("weight: 90  # most", "weight: *w", r"line 10: the weights are shared by an anchor"),
        ("weight: 90  # most", "weight: &w 90", r"line 10: the weights are shared by an anchor"),
        ("        services:\n", "        services: &all\n", r"line 8: the weights are shared by an anchor"),
        ("            weight: 90  # most\n", "", r"line 9: a service of 'delays' has no `weight`; write one"),
        ("v2@docker", "v1", r"names a service twice in the weighted service 'delays'"),
        ("    delays:\n", "    other:\n", r"has no http.services.delays.weighted.services; is it really the file"),
        ("tcp: {", "http: {", r"line 13: a key must be plain text and stand only once"),
        ("tcp: {", "? [a]\n: {", r"line 13: a key must be plain text"),
        ("tcp: {", "---\ntcp: {", r"line 14: this is no file that Traefik would take"),
        ("tcp: {", "tcp: [" + "[" * 80 + "]" * 80 + "]\nudp: {", r"line 13: this is no file that Traefik would take"),
        ("tcp: {", "tcp: }{", r"line 13: this is not YAML; Traefik does not take it either"),
        ("tcp: {", "tcp: \x07{", r"line \d+: this is not YAML"),
    ],
)
def test_what_cannot_be_changed_safely_is_refused_with_its_line(old, new, sentence):
    assert TEXT.count(old) == 1

    with pytest.raises(ActionFailed, match=sentence):
        changed(TEXT.replace(old, new), "delays", {"v1@file": 1, "v2@docker": 0}, "f.yml")


def test_aliases_elsewhere_stay_aliases_however_much_they_stand_for():
    bomb = "a: &a [x, x]\n" + "".join(
        f"{name}: &{name} [*{last}, *{last}]\n" for last, name in zip("abcdefghij", "bcdefghijk", strict=True)
    )
    text = bomb + TEXT

    assert changed(text, "delays", {"v1@file": 1, "v2@docker": 9}, "f.yml").startswith(bomb)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "models.yml"
    path.write_text(TEXT)
    path.chmod(0o604)
    return path


def test_a_file_is_exchanged_as_a_whole_with_its_mode(path):
    before = path.stat().st_ino
    with held(path, 1) as file:
        file.replace("new\n", file.read())

    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new\n", 0o604)
    assert path.stat().st_ino != before
    assert list(path.parent.iterdir()) == [path]


def test_a_file_keeps_its_owner(path):
    root = os.geteuid() == 0
    theirs = (12_345, 54_321) if root else (os.geteuid(), os.getgroups()[-1])  # others may give it to a group of theirs only
    os.chown(path, *theirs)
    with held(path, 1) as file:
        file.replace("new\n", file.read())

    assert (path.stat().st_uid, path.stat().st_gid) == theirs


def test_a_byte_order_mark_is_no_part_of_the_text(path):
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    with held(path, 1) as file:
        assert file.read().text == TEXT


def test_line_ends_are_kept(path):
    path.write_bytes(b"a\r\nb\r\n")
    with held(path, 1) as file:
        seen = file.read()
        file.replace(seen.text, seen)

    assert path.read_bytes() == b"a\r\nb\r\n"


@pytest.mark.parametrize("how", ["rewritten", "renamed over"])
def test_what_somebody_writes_after_it_was_read_stays(path, how):
    with held(path, 1) as file:
        seen = file.read()
        if how == "rewritten":
            path.write_text(TEXT.replace("90", "91"))
        else:
            (path.parent / "theirs").write_text(TEXT.replace("90", "91"))
            (path.parent / "theirs").replace(path)
        with pytest.raises(WorldMoved, match=r"Somebody else has just changed .*models.yml; that stays, and nothing was written"):
            file.replace("new\n", seen)

    assert path.read_text() == TEXT.replace("90", "91")
    assert list(path.parent.iterdir()) == [path]


def test_what_a_killed_bot_left_is_no_obstacle_and_no_way_out_of_the_folder(path, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "secret"
    elsewhere.write_text("untouched")
    (path.parent / ".models.yml.aiops").symlink_to(elsewhere)
    with held(path, 1) as file:
        file.replace("new\n", file.read())

    assert (path.read_text(), elsewhere.read_text()) == ("new\n", "untouched")
    assert list(path.parent.iterdir()) == [path]


def test_a_look_whether_it_could_be_written_leaves_nothing_behind(path):
    with held(path, 1) as file:
        file.check()

    assert (path.read_text(), list(path.parent.iterdir())) == (TEXT, [path])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda _: None, "models.yml cannot be read: No such file or directory"),
        (lambda path: path.symlink_to("other.yml"), "is a symbolic link; name the file that it leads to"),
        (os.mkfifo, "models.yml is no plain file"),
        (lambda path: path.mkdir(), "models.yml is no plain file"),
        (lambda path: path.write_bytes(b"\xff"), "models.yml is not UTF-8 text"),
        (lambda path: path.write_bytes(b"#" * 4_000_001), "models.yml is larger than 4 MB"),
    ],
    ids=["nothing", "link", "pipe", "folder", "bytes", "large"],
)
def test_what_is_no_plain_file_of_text_is_said_so_at_once(tmp_path, make, sentence):
    make(tmp_path / "models.yml")

    with held(tmp_path / "models.yml", 1) as file, pytest.raises(ActionFailed, match=sentence):
        file.read()


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with (
        pytest.raises(ActionFailed, match=r"The folder .*nowhere cannot be opened: No such file"),
        held(tmp_path / "nowhere" / "a.yml", 1),
    ):
        pass


@pytest.fixture
def nobodys():
    """A file in a folder of a person who may not write everywhere: root's tests act as that person for as long as it lasts."""
    root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "models.yml")
        path.write_text(TEXT)
        if root:
            os.chown(folder, NOBODY, NOBODY)
            os.chown(path, NOBODY, NOBODY)
            os.seteuid(NOBODY)
        try:
            yield path
        finally:
            if root:
                os.seteuid(0)
            Path(folder).chmod(0o700)


def test_a_folder_in_which_nothing_may_be_written_leaves_the_file_as_it_was(nobodys):
    nobodys.parent.chmod(0o500)
    with held(nobodys, 1) as file, pytest.raises(ActionFailed, match="by a new file beside it: Permission denied; it is untouched"):
        file.replace("new\n", file.read())

    assert nobodys.read_text() == TEXT
    assert list(nobodys.parent.iterdir()) == [nobodys]


def test_a_folder_that_vanishes_meanwhile_is_a_sentence(path):
    with held(path, 1) as file:
        seen = file.read()
        path.unlink()
        path.parent.rmdir()
        with pytest.raises(ActionFailed, match="cannot be"):
            file.replace("new\n", seen)


def test_only_one_holds_the_folder_and_the_next_one_waits_for_it(path):
    order = []

    def second():
        with held(path, 2):
            order.append("second")

    waiting = threading.Thread(target=second)
    with held(path, 1):
        waiting.start()
        time.sleep(0.05)
        order.append("first")
    waiting.join()

    assert order == ["first", "second"]


def test_a_folder_that_is_never_let_go_is_said_so(path):
    with (
        held(path, 1),
        pytest.raises(ActionFailed, match=r"Another run is changing .*models.yml and does not end"),
        held(path, 0.05),
    ):
        pass
