"""Unleash's connector against servers that are broken or strangers, and settings that cannot work. When well: tests/contract."""

import pytest

import bot.connectors
from bot.connectors.unleash import make, rules, unleash
from bot.core.errors import ActionFailed, ConfigError, NotFound, OutcomeUnknown
from bot.core.ports import ConnectorKind
from bot.core.registry import discover
from bot.http import Unanswered, Unreached
from tests.fakes.loopback import serving
from tests.fakes.unleash import ADMIN, PROJECT, VIEWER, FakeUnleash

FLAG = ("GET", f"{PROJECT}/features/new")
ON = ("POST", f"{PROJECT}/features/new/environments/production/on")
RAW = ("GET", "/api/admin/client-metrics/features/new/raw")
USER, PLAY = ("GET", "/api/admin/user"), ("POST", "/api/admin/playground")
WHOLE = {"archived": False, "dependencies": [], "children": [], "environments": []}
HERE = {"name": "production", "enabled": True, "strategies": []}
SHARE = {"name": "flexibleRollout", "parameters": {"rollout": "25"}}


def options(url, **more):
    flags = {"churn": {"flag": "new"}, "elsewhere": {"flag": "new", "project": "other"}}
    return {"url": url, "token": ADMIN, "environment": "production", "flags": flags, "timeout": 2.0, **more}


@pytest.fixture(scope="module")
def server():
    """One server and one connector for all: a TLS context each would take longer than the tests."""
    fake = FakeUnleash()
    with serving(fake.answer) as url:
        platform = make(options(url))
        yield fake, url, platform
        platform.close()


@pytest.fixture
def fake(server):
    fake = server[0]
    fake.__init__()
    fake.answer("POST", f"{PROJECT}/features", {}, {"name": "new"}, {"authorization": ADMIN})
    fake.calls.clear()
    return fake


@pytest.fixture
def url(server, fake):
    return server[1]


@pytest.fixture
def platform(server, fake):
    return server[2]


def test_it_is_found():
    assert discover(bot.connectors, ConnectorKind)["unleash"] is unleash


def test_every_call_carries_the_token_and_a_files_last_line_end_does_not_spoil_it(url, fake):
    platform = make(options(url, token=f"{ADMIN}\n"))
    platform.toggle("churn")
    platform.switch("churn", "run:1", on=True)
    platform.close()

    assert [call[4]["authorization"] for call in fake.calls] == [ADMIN, ADMIN]


@pytest.mark.parametrize("address", ["{}/", "{}/api", "{}/api/"])
def test_the_address_may_be_written_as_people_copy_it(url, address):
    platform = make(options(address.format(url)))
    try:
        assert platform.toggle("churn").flag == "new"
    finally:
        platform.close()


def test_a_flag_may_lie_in_another_project(platform, fake):
    with pytest.raises(NotFound, match="in the project 'other'"):
        platform.toggle("elsewhere")

    assert fake.calls[0][1] == "/api/admin/projects/other/features/new"


@pytest.mark.parametrize(
    "told",
    [
        [],
        {},
        {**WHOLE, "archived": True},
        {**WHOLE, "environments": 5},
        {**WHOLE, "environments": [7]},
        {**WHOLE, "environments": [{**HERE, "enabled": "yes"}]},
        {**WHOLE, "environments": [{**HERE, "strategies": None}]},
        {**WHOLE, "environments": [HERE], "children": [{}]},
        {**WHOLE, "environments": [HERE], "dependencies": "parent"},
    ],
    ids=["list", "empty", "archived", "number", "numbers", "text", "none", "children", "dependencies"],
)
def test_what_is_no_flag_is_neither_on_nor_off(platform, fake, told):
    fake.instead[FLAG] = 200, told
    with pytest.raises(ActionFailed, match="does not tell flags as Unleash does"):
        platform.toggle("churn")


def test_a_page_of_somebody_else_is_said_so(platform, fake):
    fake.instead[FLAG] = 200, b"<html>"
    with pytest.raises(ActionFailed, match="did not answer with JSON"):
        platform.toggle("churn")


@pytest.mark.parametrize("row", [{"yes": True, "no": 0}, {"yes": -1, "no": 0}, {"yes": 0.5, "no": 0}, {"no": 0}, 5])
def test_counts_that_are_none_are_said_so(platform, fake, row):
    fake.instead[RAW] = 200, {"data": [row]}
    with pytest.raises(ActionFailed, match="as Unleash does"):
        platform.answered("churn")


def test_reports_from_another_environment_do_not_count(platform, fake):
    row = {"appName": "a", "timestamp": "t", "environment": "development", "yes": 3, "no": 0}
    fake.instead[RAW] = 200, {"data": [row]}

    assert platform.answered("churn") == {}


@pytest.mark.parametrize("told", [[], {}, {"features": [{"name": "other"}]}, {"features": [{"name": "new"}]}])
def test_a_playground_that_says_nothing_of_the_flag_is_not_a_yes(platform, fake, told):
    fake.instead[FLAG] = 200, {**WHOLE, "environments": [HERE], "dependencies": [{"feature": "parent"}]}
    fake.instead[PLAY] = 200, told
    with pytest.raises(ActionFailed, match=r"says nothing of 'new'|as Unleash does"):
        platform.toggle("churn")


@pytest.mark.parametrize(
    ("held", "lacks"),
    [
        ([{"permission": "ADMIN"}], False),
        ([{"permission": "UPDATE_FEATURE_ENVIRONMENT", "project": "default", "environment": "production"}], False),
        ([{"permission": "UPDATE_FEATURE_ENVIRONMENT", "project": "*"}], False),
        ([{"permission": "UPDATE_FEATURE_ENVIRONMENT", "project": "default", "environment": "development"}], True),
        ([{"permission": "UPDATE_FEATURE_ENVIRONMENT", "project": "other", "environment": "production"}], True),
        ([{"permission": "UPDATE_FEATURE", "project": "default"}], True),
        ([], True),
    ],
    ids=["admin", "here", "everywhere", "elsewhere", "other-project", "other-right", "none"],
)
def test_a_permission_counts_where_it_is_given(platform, fake, held, lacks):
    fake.instead[USER] = 200, {"user": {}, "permissions": held}

    assert bool(platform.lacks("churn")) is lacks


def test_a_token_that_is_refused_is_said_so_without_repeating_it(url):
    platform = make(options(url, token="*:*.s3cret"))
    for asks in (lambda: platform.toggle("churn"), lambda: platform.switch("churn", "run:1", on=True)):
        with pytest.raises(ActionFailed, match=r"with this token \(401\)") as raised:
            asks()
        assert "s3cret" not in str(raised.value)
    platform.close()


def test_who_may_only_look_has_switched_nothing(url, fake):
    platform = make(options(url, token=VIEWER))
    with pytest.raises(ActionFailed, match="where change requests are on, switch it in Unleash"):
        platform.switch("churn", "run:1", on=True)
    platform.close()

    assert not fake.flags["new"]["places"]["production"]["enabled"]


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_switch_over_which_unleash_breaks_down_is_read_back(platform, fake, status):
    fake.instead[ON] = status, b"<html>"
    with pytest.raises(OutcomeUnknown, match=f"answered {status}"):
        platform.switch("churn", "run:1", on=True)


def test_a_playground_that_rests_in_maintenance_is_said_so(platform, fake):
    fake.instead[FLAG] = 200, {**WHOLE, "environments": [HERE], "dependencies": [{"feature": "parent"}]}
    fake.instead[PLAY] = 503, {"message": "Unleash is currently in maintenance mode."}
    with pytest.raises(ActionFailed, match="in maintenance mode"):
        platform.toggle("churn")


def test_another_400_is_not_taken_for_an_archived_flag(platform, fake):
    fake.instead[ON] = 400, {"name": "BadDataError"}
    with pytest.raises(ActionFailed, match="answered 400"):
        platform.switch("churn", "run:1", on=True)


def test_a_server_that_is_gone_has_switched_nothing():
    platform = make(options("http://127.0.0.1:9"))
    with pytest.raises(Unreached, match="nothing was sent"):
        platform.switch("churn", "run:1", on=True)
    platform.close()


def test_a_flag_longer_than_any_is_not_read_to_its_end(platform, fake):
    fake.instead[FLAG] = 200, b" " * 9_000_000
    with pytest.raises(Unanswered, match="more than"):
        platform.toggle("churn")


def test_a_model_without_a_flag_is_refused(platform):
    with pytest.raises(NotFound, match="told of no flag of 'fraud'; known: churn, elsewhere"):
        platform.toggle("fraud")


@pytest.mark.parametrize(
    "more",
    [
        {"flags": {}},
        {"flags": {"churn": {"flag": "../../user"}}},
        {"flags": {"churn": {"flag": "new?x=1"}}},
        {"flags": {"churn": {"flag": "new", "project": "a/b"}}},
        {"environment": ".."},
        {"environment": ""},
        {"token": ""},
        {"token": "a\nb"},
        {"token": "ключ"},
        {"url": "unleash.corp"},
    ],
    ids=["no-flags", "path", "query", "project", "environment", "nowhere", "no-token", "two-lines", "letters", "url"],
)
def test_settings_that_cannot_work_are_refused_at_the_start(more):
    with pytest.raises(ConfigError):
        make({**options("http://127.0.0.1:9"), **more})


@pytest.mark.parametrize(
    ("strategies", "reach"),
    [
        ([], "everybody"),
        ([{**SHARE, "disabled": True}], "everybody"),
        ([SHARE], "25 %"),
        ([SHARE, SHARE], "25 %"),
        ([{"name": "gradualRolloutRandom", "parameters": {"percentage": 5}}], "5 %"),
        ([{**SHARE, "segments": [1]}], "25 % of some, by its constraints"),
        ([{"name": "default"}], "everybody"),
        ([{"name": "default", "segments": [1]}], "some, by its constraints"),
        ([{"name": "userWithId", "parameters": {"userIds": "1"}}], "whom its strategy 'userWithId' picks"),
        ([{"name": "x" * 999}], f"whom its strategy '{'x' * 60}' picks"),
        (
            [{"name": f"s{i}"} for i in range(5)],
            " or ".join([f"whom its strategy 's{i}' picks" for i in range(3)] + ["2 more rules"]),
        ),
        ([SHARE, {"name": "default"}], "everybody"),
        *[
            ([{**SHARE, "parameters": {"rollout": odd}}], "whom its strategy 'flexibleRollout' picks")
            for odd in ("a", "nan", -1, 10**400)
        ],
    ],
    ids=[
        *("none", "disabled", "share", "same-twice", "older", "segment", "default", "limited", "users", "long", "many", "either"),
        *("word", "nan", "negative", "huge"),
    ],
)
def test_for_whom_it_is_on_is_said_in_words(strategies, reach):
    assert rules.reach(strategies) == reach


def test_a_zero_beside_others_reaches_those(platform, fake):
    zero = {**SHARE, "parameters": {"rollout": "0"}}

    assert (rules.reach([zero, SHARE]), rules.reaches_nobody([zero, SHARE])) == ("25 %", False)
    assert (rules.reach([zero]), rules.reaches_nobody([zero]), rules.reaches_nobody([])) == ("nobody (0 %)", True, False)


def test_only_what_decides_is_in_the_digest():
    same = [{**SHARE, "id": "1", "title": "a"}, {"name": "default"}]

    assert rules.digest(same) == rules.digest([{"name": "default", "constraints": []}, {**SHARE, "id": "2", "title": "b"}])
    assert rules.digest(same) == rules.digest([*same, {"name": "default", "disabled": True}])
    assert rules.digest(same) != rules.digest([SHARE])
    assert rules.digest([{**SHARE, "parameters": {"rollout": float("nan")}}]) != rules.digest([SHARE])
