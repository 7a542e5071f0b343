"""MLflow's connector against servers that are broken, strangers or liars, and settings that cannot work."""

import pytest

import bot.connectors
from bot.connectors.mlflow import make, mlflow
from bot.core.errors import ActionFailed, ConfigError, NotFound, OutcomeUnknown
from bot.core.ports import ConnectorKind
from bot.core.registry import discover
from bot.http import Unreached
from tests.fakes.loopback import serving
from tests.fakes.mlflow import API, FakeMlflow

ALIAS, SEARCH = f"{API}/registered-models/alias", f"{API}/model-versions/search"
HEADER = {"header": "X-Model-Version"}


def options(url, served=None, **more):
    place = {"registered": "late-arrivals", "served": {"url": f"{url}/invocations", **(served or HEADER)}, **more}
    return {"url": url, "token": "s3cret", "models": {"delays": place}, "timeout": 2.0}


@pytest.fixture
def fake():
    return FakeMlflow()


@pytest.fixture
def url(fake):
    with serving(fake.answer) as url:
        yield url


@pytest.fixture
def platform(url):
    made = make(options(url))
    yield made
    made.close()


def asked_at(url, **served):
    platform = make(options(url, served))
    try:
        return platform.split("delays")
    finally:
        platform.close()


def test_it_is_found():
    assert discover(bot.connectors, ConnectorKind)["mlflow"] is mlflow


def test_the_served_version_may_stand_in_a_header(platform):
    assert platform.split("delays") == {"2": 1.0}


def test_the_token_goes_to_the_registry_and_to_nobody_else(platform, fake):
    platform.split("delays")
    platform.aliased("delays")

    assert [call[4].get("authorization") for call in fake.calls] == [None, "Bearer s3cret"]


@pytest.mark.parametrize("said", ["run3", "m-3", "3", 3])
def test_a_server_may_tell_its_run_or_its_logged_model(url, fake, said):
    fake.instead["/invocations"] = 200, {"model": [{"is/it": said}]}

    assert asked_at(url, pointer="/model/0/is~1it") == {"3": 1.0}


def test_the_oldest_version_is_found_on_a_later_page(url, fake):
    fake.instead["/invocations"] = 200, {"is": "run1"}

    assert asked_at(url, pointer="/is") == {"1": 1.0}


def test_what_no_version_is_called_is_not_served(url, fake):
    fake.instead["/invocations"] = 200, {"is": "3.17.2"}
    with pytest.raises(ActionFailed, match=r"says that it serves '3\.17\.2', which is no version of delays"):
        asked_at(url, pointer="/is")


@pytest.mark.parametrize("told", [{"is": True}, {"is": None}, {"is": " "}, {"is": {"a": 1}}, {"other": 1}, [1], 7, b"<html>"])
def test_an_answer_without_a_version_is_said_so(url, fake, told):
    fake.instead["/invocations"] = 200, told
    with pytest.raises(ActionFailed, match=r"does not say at '/is'|did not answer with JSON"):
        asked_at(url, pointer="/is")


def test_a_header_that_is_not_there_is_said_so(url):
    with pytest.raises(ActionFailed, match="does not say in the header 'X-Other'"):
        asked_at(url, header="X-Other")


def test_a_server_that_fails_serves_no_version(url, fake):
    fake.instead["/invocations"] = 500, {}
    with pytest.raises(ActionFailed, match="answered 500"):
        asked_at(url, **HEADER)


def test_only_versions_that_are_ready_are_offered(platform, fake):
    fake.rows[0]["status"] = "PENDING_REGISTRATION"

    assert platform.versions("delays") == ["1", "2"]


@pytest.mark.parametrize(
    "told", [[], {"model_versions": 5}, {"model_versions": [7]}, {"model_versions": [{"version": "1; drop"}]}, b"<html>"]
)
def test_a_list_that_is_no_list_of_versions_is_said_so(platform, fake, told):
    fake.instead[SEARCH] = 200, told
    with pytest.raises(ActionFailed, match=r"does not tell versions as MLflow does|did not answer with JSON"):
        platform.versions("delays")


def test_a_list_without_end_is_left_after_some_pages(platform, fake):
    fake.instead[SEARCH] = 200, {"model_versions": [{"version": "1"}], "next_page_token": "again"}

    assert platform.versions("delays") == ["1"]
    assert len(fake.calls) == 50


@pytest.mark.parametrize("told", [[], {}, {"model_version": {"version": "../1"}}, b"<html>"])
def test_an_alias_that_names_no_number_is_said_so(platform, fake, told):
    fake.instead[ALIAS] = 200, told
    with pytest.raises(ActionFailed, match=r"does not tell versions as MLflow does|did not answer with JSON"):
        platform.aliased("delays")


@pytest.mark.parametrize("told", [b"<html>", [], {"error_code": "BAD_REQUEST"}])
def test_another_400_is_not_taken_for_a_missing_alias(platform, fake, told):
    fake.instead[ALIAS] = 400, told
    with pytest.raises(ActionFailed, match="answered 400"):
        platform.aliased("delays")


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_refused_is_said_so_without_repeating_it(platform, fake, status):
    fake.instead[ALIAS] = status, {}
    for asks in (lambda: platform.aliased("delays"), lambda: platform.set_alias("delays", "1", "run:1")):
        with pytest.raises(ActionFailed, match=rf"with this token \({status}\)") as raised:
            asks()
        assert "s3cret" not in str(raised.value)


def test_a_move_over_which_mlflow_breaks_down_is_read_back(platform, fake):
    fake.instead[ALIAS] = 502, {}
    with pytest.raises(OutcomeUnknown, match="answered 502"):
        platform.set_alias("delays", "1", "run:1")


def test_a_registry_that_is_gone_has_moved_nothing():
    with pytest.raises(Unreached, match="nothing was sent"):
        make(options("http://127.0.0.1:9")).set_alias("delays", "1", "run:1")


def test_a_model_that_nobody_configured_is_refused(platform):
    with pytest.raises(NotFound, match="told nothing of 'churn'; known: delays"):
        platform.split("churn")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"alias": "v12"}, "keeps that name for itself"),
        ({"alias": "a b"}, "alias"),
        ({"registered": "a'b"}, "registered"),
        ({"served": {"url": "http://127.0.0.1:9"}}, "needs `pointer` or `header`"),
        ({"served": {"url": "http://127.0.0.1:9", "header": "X-V", "pointer": "/v"}}, "needs `pointer` or `header`"),
    ],
    ids=["reserved", "alias", "registered", "neither", "both"],
)
def test_settings_that_cannot_work_are_refused_at_the_start(more, said):
    with pytest.raises(ConfigError, match=said):
        make(options("http://127.0.0.1:9", **more))


def test_a_models_own_name_may_be_none_of_mlflows():
    given = options("http://127.0.0.1:9")
    given["models"] = {"eu/delays": {"served": given["models"]["delays"]["served"]}}
    with pytest.raises(ConfigError, match="give `registered`"):
        make(given)
