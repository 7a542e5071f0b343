"""Prefect as a platform of jobs, where it breaks down, lies, or is something else. What it does when it is well: tests/contract."""

import pytest

import bot.connectors
from bot.connectors.orders import short
from bot.connectors.prefect import deployments, make, prefect, runs
from bot.core.errors import ActionFailed, ConfigError, NotFound, OutcomeUnknown
from bot.core.jobs import Stage
from bot.core.ports import ConnectorKind
from bot.core.registry import discover
from bot.http import Unanswered, Unreached
from tests.fakes.loopback import serving
from tests.fakes.prefect import PASSWORD, QUEUE, RUNNING, FakePrefect, state

KEY = short("run:1")
LOOK, TASKS, DONE = ("POST", "flow_runs/filter"), ("POST", "task_runs/filter"), ("POST", "artifacts/filter")
THERE = ("GET", "deployments/name/train/nightly")
HERE = {"deployment": "train/nightly", "parameters": {"until": "{until}", "epochs": 3}}


def options(url, **more):
    jobs = {"retrain": HERE, "pooled": {"deployment": "train/pooled"}}
    return {"url": url, "jobs": jobs, "username": "bot", "password": PASSWORD, "timeout": 2.0, **more}


@pytest.fixture(scope="module")
def server():
    """One server and one connector for all: a TLS context each would take longer than the tests."""
    fake = FakePrefect()
    with serving(fake.answer) as url:
        platform = make(options(url))
        platform._sleep = lambda seconds: fake.slept.append(seconds)  # noqa: PLW0108 - the list is a new one for each test
        yield fake, platform
        platform.close()


@pytest.fixture
def fake(server):
    fake = server[0]
    fake.__init__()
    fake.slept = []
    return fake


@pytest.fixture
def jobs(server, fake):
    return server[1]


@pytest.fixture
def begun(jobs, fake):
    """A run that has been started, as the server keeps it."""
    jobs.start("retrain", {"until": "today"}, "run:1")
    return fake.runs[KEY]


@pytest.fixture
def create(fake):
    return "POST", f"deployments/{fake.deployments['train/nightly']['id']}/create_flow_run"


def stop(run):
    return "POST", f"flow_runs/{run['id']}/set_state"


def test_it_is_found():
    assert discover(bot.connectors, ConnectorKind)["prefect"] is prefect


def test_an_order_is_said_in_words_without_asking_anybody(jobs, fake):
    assert jobs.order("retrain", {"until": "today"}) == "retrain: deployment train/nightly with epochs 3, until today"
    assert jobs.order("pooled", {}) == "pooled: deployment train/pooled"
    assert fake.calls == []


def test_a_parameter_that_is_missing_is_named(jobs):
    with pytest.raises(ConfigError, match="needs 'until'"):
        jobs.order("retrain", {})


def test_a_job_that_nobody_configured_is_refused(jobs):
    with pytest.raises(NotFound, match="no job 'scale'"):
        jobs.start("scale", {}, "run:1")


def test_a_start_carries_its_key_as_its_name_and_its_parameters(jobs, fake):
    jobs.start("retrain", {"until": "today"}, "run:1")

    wish = {"name": KEY, "idempotency_key": KEY, "parameters": {"until": "today", "epochs": 3}, "tags": ["aiops-bot"]}
    assert fake.calls[-1][2] == wish


@pytest.mark.parametrize(
    "name", ["nightly", "train/", "/nightly", "a/b/c", "../etc", "train/..", "train/a?b", "train/a\nb", "train/a%2F"]
)
def test_a_name_that_is_no_deployments_is_refused(name):
    with pytest.raises(ConfigError, match=r"jobs\.retrain\.deployment must be `flow/deployment`"):
        make(options("http://127.0.0.1:9", jobs={"retrain": {"deployment": name}}))


def test_a_name_may_hold_spaces(jobs, fake):
    fake.deployments["late arrivals/every night"] = {**fake.deployments["train/nightly"]}

    assert deployments.deployment(jobs._api, "late arrivals/every night").heard


@pytest.mark.parametrize("value", [[1], {"a": 1}, None, float("nan")], ids=["list", "mapping", "nothing", "nan"])
def test_a_parameter_that_no_run_can_be_told_is_refused(value):
    with pytest.raises(ConfigError, match=r"jobs\.retrain\.parameters"):
        make(options("http://127.0.0.1:9", jobs={"retrain": {"deployment": "a/b", "parameters": {"x": value}}}))


@pytest.mark.parametrize("given", [{"password": ""}, {"username": ""}, {"api_key": "key"}])
def test_there_is_one_way_in(given):
    with pytest.raises(ConfigError, match="`username` and `password`, or an `api_key`, or none"):
        make(options("http://127.0.0.1:9", **given))


def test_a_key_that_could_be_no_header_is_refused_and_not_repeated():
    with pytest.raises(ConfigError, match="`api_key` is none") as raised:
        make(options("http://127.0.0.1:9", username="", password="", api_key="pnu_\nx"))

    assert "pnu" not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "sent"),
    [({"api_key": "pnu_1\n", "username": "", "password": ""}, "Bearer pnu_1"), ({"username": "", "password": ""}, None)],
    ids=["key", "nothing"],
)
def test_a_key_is_sent_as_a_bearers_and_nothing_where_nothing_is_given(given, sent):
    seen = []
    with serving(lambda *call: (seen.append(call[4].get("authorization")), (200, []))[1]) as url:
        jobs = make(options(url, **given))
        jobs.job("retrain", "run:1")
        jobs.close()

    assert seen == [sent]


@pytest.mark.parametrize(
    ("given", "called"),
    [("", "/api/flow_runs/filter"), ("/api/", "/api/flow_runs/filter"), ("/api/accounts/1", "/api/accounts/1/flow_runs/filter")],
    ids=["server", "api", "cloud"],
)
def test_the_url_is_that_of_the_server_or_of_its_api(given, called):
    seen = []
    with serving(lambda *call: (seen.append(call[1]), (200, []))[1]) as url:
        jobs = make(options(f"{url}{given}"))
        jobs.job("retrain", "run:1")
        jobs.close()

    assert seen == [called]


def test_a_locked_database_is_asked_again_and_one_run_comes_of_it(jobs, fake, create):
    answers = [(503, {"exception_message": "Service Unavailable"})]
    fake.instead = Once({create: answers})
    jobs.start("retrain", {"until": "today"}, "run:1")

    assert list(fake.runs) == [KEY]
    assert fake.slept == [0.0, 0.5]


class Once(dict):
    """Answers that are given once each."""

    def __getitem__(self, call):
        answers = super().__getitem__(call)
        answer = answers.pop(0)
        if not answers:
            del self[call]
        return answer


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_start_over_which_prefect_breaks_down_each_time_is_read_back(jobs, fake, create, status):
    fake.instead[create] = status, {}
    with pytest.raises(OutcomeUnknown, match=f"answered {status}"):
        jobs.start("retrain", {"until": "today"}, "run:1")

    assert fake.slept == [0.0, 0.5, 1.5, 4.0]


def test_a_start_whose_outcome_is_unknown_stays_unknown_whatever_the_next_try_says(jobs, fake, create):
    fake.instead = Once({create: [(500, {})], THERE: [(200, fake.deployments["train/nightly"]), *[(503, {})] * 3]})
    with pytest.raises(OutcomeUnknown):
        jobs.start("retrain", {"until": "today"}, "run:1")


def test_a_start_that_was_heard_stands_whatever_has_changed_since(jobs, fake):
    jobs.start("pooled", {}, "run:1")
    fake.paused["pool"] = True
    jobs.start("pooled", {}, "run:1")

    assert list(fake.runs) == [KEY]


def test_a_start_before_which_prefect_is_in_trouble_has_changed_nothing(jobs, fake):
    fake.instead[THERE] = 503, {}
    with pytest.raises(Unanswered, match="answered 503"):
        jobs.start("retrain", {"until": "today"}, "run:1")

    assert fake.runs == {}


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_start_that_is_refused_has_failed(jobs, fake, create, status):
    fake.instead[create] = status, {}
    with pytest.raises(ActionFailed, match=f"answered {status}"):
        jobs.start("retrain", {"until": "today"}, "run:1")


@pytest.mark.parametrize("told", [{}, [], {"detail": 5}])
def test_a_refusal_without_a_reason_is_one(jobs, fake, create, told):
    fake.instead[create] = 409, told
    with pytest.raises(ActionFailed, match="with these parameters: it does not say why"):
        jobs.start("retrain", {"until": "today"}, "run:1")


@pytest.mark.parametrize("told", [[], {}, {"idempotency_key": "other"}, b"<html>"])
def test_an_answer_that_tells_of_no_run_of_this_key_is_no_start(jobs, fake, create, told):
    fake.instead[create] = 201, told
    with pytest.raises(ActionFailed):
        jobs.start("retrain", {"until": "today"}, "run:1")


@pytest.mark.parametrize("status", [429, 502])
def test_a_look_at_a_server_in_trouble_says_unknown(jobs, fake, status):
    fake.instead[LOOK] = status, {}

    assert jobs.job("retrain", "run:1").stage is Stage.UNKNOWN


def test_a_server_that_is_gone_says_unknown_and_starts_nothing():
    jobs = make(options("http://127.0.0.1:9"))
    jobs._sleep = [].append

    assert jobs.job("retrain", "run:1").stage is Stage.UNKNOWN
    with pytest.raises(Unreached):
        jobs.start("retrain", {"until": "today"}, "run:1")


WHOLE = {"id": "5b3ea1a2-7f0e-4f10-8d5a-1f5f4f3c2b1a", "idempotency_key": KEY, "state_type": "RUNNING", "state_name": "Running"}


@pytest.mark.parametrize(
    "told",
    [
        {"idempotency_key": "another"},
        {"state_type": "DREAMING"},
        {"state_type": ["COMPLETED"]},
        {"state_type": None},
        {"id": "../../admin"},
        {"id": None},
    ],
    ids=str,
)
def test_a_run_that_is_another_or_none_is_no_success(jobs, fake, told):
    fake.instead[LOOK] = 200, [WHOLE | told]
    with pytest.raises(ActionFailed, match="does not answer as Prefect 3 does"):
        jobs.job("retrain", "run:1")


@pytest.mark.parametrize("told", [{}, {"detail": "x"}, ["COMPLETED"], b"<html>"], ids=str)
def test_what_is_no_list_of_runs_is_no_answer(jobs, fake, told):
    fake.instead[LOOK] = 200, told
    with pytest.raises(ActionFailed):
        jobs.job("retrain", "run:1")


@pytest.mark.parametrize("told", [{}, [], {"id": "1", "status": "?"}, {"id": 5, "status": "READY"}, b"<html>"], ids=str)
def test_what_is_no_deployment_starts_nothing(jobs, fake, told):
    fake.instead[THERE] = 200, told
    with pytest.raises(ActionFailed):
        jobs.start("retrain", {"until": "today"}, "run:1")

    assert fake.runs == {}


def test_an_address_below_which_there_is_no_prefect_is_said_so(jobs, fake):
    fake.instead[THERE] = 404, {"detail": "Not Found"}
    with pytest.raises(ActionFailed, match="is `url` really that of its API"):
        jobs.start("retrain", {"until": "today"}, "run:1")


@pytest.mark.parametrize("told", [{}, [], {"is_paused": "no"}, b"<html>"], ids=str)
def test_a_pool_that_does_not_say_whether_it_is_paused_starts_nothing(jobs, fake, told):
    fake.instead["GET", f"work_queues/{QUEUE}"] = 200, told
    with pytest.raises(ActionFailed):
        jobs.start("pooled", {}, "run:1")

    assert fake.runs == {}


def test_a_deployment_that_does_not_say_what_it_takes_is_told_everything(jobs, fake):
    fake.deployments["train/nightly"]["parameter_openapi_schema"] = None
    there = deployments.deployment(jobs._api, "train/nightly")

    assert deployments.fitted(there, {"n": "{n}", "deep": True}, {"n": "5"}) == {"n": "5", "deep": True}


@pytest.mark.parametrize(
    ("text", "asked", "told"),
    [
        ("5", {"type": "integer"}, 5),
        ("5", {"type": "number"}, 5),
        ("0.5", {"type": "number"}, 0.5),
        ("true", {"type": "boolean"}, True),
        ("true", {"type": "integer"}, "true"),
        ("5", {"type": "string"}, "5"),
        ("5", {"anyOf": [{"type": "integer"}, {"type": "null"}]}, 5),
        ("5", {"anyOf": [{"type": "integer"}, {"type": "string"}]}, "5"),
        ("1e999", {"type": "number"}, "1e999"),
        ("NaN", {"type": "number"}, "NaN"),
        ("five", {"type": "integer"}, "five"),
        ("[1]", {"type": "array"}, "[1]"),
        ("null", {"type": "null"}, "null"),
        ("5", {}, "5"),
        ("5", 7, "5"),
        ("5", {"anyOf": 7}, "5"),
        ("5", {"anyOf": [7]}, "5"),
        ("[" * 499, {"type": "integer"}, "[" * 499),
    ],
    ids=str,
)
def test_a_filled_text_becomes_what_the_flow_asks_for_and_nothing_else(text, asked, told):
    there = deployments.Deployment("1", "a/b", heard=True, pool="", queue="", takes={"n": asked})
    fit = deployments.fitted(there, {"n": "{n}"}, {"n": text})["n"]

    assert (type(fit), fit) == (type(told), told)


def test_a_text_that_is_written_out_stays_one():
    there = deployments.Deployment("1", "a/b", heard=True, pool="", queue="", takes={"n": {"type": "integer"}})

    assert deployments.fitted(there, {"n": "5"}, {}) == {"n": "5"}


def test_tasks_progress_and_obstacles_that_cannot_be_read_are_left_out(jobs, fake, begun):
    begun["states"] = [RUNNING]
    fake.instead = {call: (500, {}) for call in (TASKS, DONE, THERE)}

    assert jobs.job("retrain", "run:1").words == f"run {KEY} runs"


def test_a_deployment_that_was_deleted_meanwhile_leaves_its_run_going(jobs, fake, begun):
    begun["states"] = [RUNNING]
    del fake.deployments["train/nightly"]

    assert jobs.job("retrain", "run:1").words == f"run {KEY} runs: task 'fit-504', epochs 25 %"


@pytest.mark.parametrize(
    ("artifact", "said"),
    [
        ({"data": 12.345, "description": None, "key": "fit"}, "fit 12.3 %"),
        ({"data": 100, "description": None, "key": None}, "progress 100 %"),
        ({"data": 5, "description": "many\nlines <!channel>" * 9}, f"{('many lines <!channel>' * 9)[:60]} 5 %"),
        ({"data": True, "key": "fit"}, ""),
        ({"data": "5", "key": "fit"}, ""),
        ({"data": 101, "key": "fit"}, ""),
        ({"data": float("nan"), "key": "fit"}, ""),
        ({}, ""),
    ],
    ids=str,
)
def test_how_far_it_is_is_said_where_that_is_a_share(artifact, said):
    assert runs.progress([artifact]) == said


def test_names_that_are_none_are_left_out():
    assert runs.names([{"name": "b"}, {"name": "a" * 99}, {"name": 5}, {"name": ""}, {}, {"name": "b"}]) == [f"'{'a' * 60}'", "'b'"]


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (state("PAUSED"), "is paused; somebody has to resume it in Prefect"),
        (state("SCHEDULED", "Late"), "waits for a worker, and should have begun by now"),
        (state("SCHEDULED", "Somebody's own"), "is 'Somebody's own'"),
        (state("CANCELLING"), "is being stopped"),
    ],
    ids=["paused", "late", "own", "cancelling"],
)
def test_a_run_that_is_neither_begun_nor_ended_says_why(jobs, begun, now, words):
    begun["states"] = [now]
    seen = jobs.job("retrain", "run:1")

    assert (seen.stage, seen.words) == (Stage.RUNNING, f"run {KEY} {words}")


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Flow run encountered an exception: ValueError: no\n  data", ": ValueError: no data"),
        ("could not connect to postgresql://ml:s3cret@db/x", ": could not connect to postgresql://…@db/x"),
        ("x" * 999, f": {'x' * 300}"),
        (None, ""),
        (5, ""),
    ],
    ids=["exception", "password", "long", "nothing", "number"],
)
def test_what_a_failure_says_is_one_line_without_passwords(jobs, begun, fake, message, said):
    begun["states"] = [state("FAILED", message=message)]
    fake.instead[TASKS] = 200, [{"name": "load"}, {"name": "fit"}]

    assert jobs.job("retrain", "run:1").words == f"tasks 'fit', 'load' failed in run {KEY}{said}"


def test_a_stop_is_asked_for_again_while_the_database_is_locked(jobs, fake, begun):
    begun["states"] = [RUNNING]
    fake.instead = Once({stop(begun): [(503, {})]})
    fake.slept.clear()
    jobs.cancel("retrain", "run:1")

    assert begun["states"][0]["type"] == "CANCELLING"
    assert fake.slept == [0.0, 0.5]


@pytest.mark.parametrize("kind", ["COMPLETED", "CANCELLED", "CANCELLING"])
def test_what_has_ended_or_is_being_stopped_is_left_alone(jobs, fake, begun, kind):
    begun["states"] = [state(kind)]
    jobs.cancel("retrain", "run:1")

    assert fake.calls[-1][1] == "/api/flow_runs/filter"


@pytest.mark.parametrize("answer", [(404, {}), (201, {"status": "ABORT", "state": {"type": "COMPLETED"}})], ids=["gone", "ended"])
def test_a_run_that_ends_or_goes_while_it_is_stopped_is_stopped(jobs, fake, begun, answer):
    begun["states"] = [RUNNING]
    fake.instead[stop(begun)] = answer
    jobs.cancel("retrain", "run:1")


@pytest.mark.parametrize(
    "told",
    [{"status": "REJECT", "state": {"type": "RUNNING"}}, {"status": "WAIT", "state": None}, {"state": {"type": "?"}}, []],
    ids=str,
)
def test_a_stop_that_stops_nothing_is_said_so(jobs, fake, begun, told):
    begun["states"] = [RUNNING]
    fake.instead[stop(begun)] = 200, told
    with pytest.raises(ActionFailed, match=f"did not stop run {KEY}; it is still 'Running'"):
        jobs.cancel("retrain", "run:1")


@pytest.mark.parametrize("told", [{"token": 5}, {"token": "a\r\nb"}, [], b"<html>"], ids=str)
def test_what_gives_no_token_against_forged_requests_is_said_so(jobs, fake, told):
    fake.seals = {}
    fake.instead["GET", "csrf-token"] = 200, told
    with pytest.raises(ActionFailed, match=r"does not answer as Prefect 3 does|did not answer with JSON"):
        jobs.job("retrain", "run:1")


def test_a_right_that_is_missing_is_not_taken_for_a_missing_token(jobs, fake):
    fake.instead[LOOK] = 403, {"detail": "Forbidden"}
    with pytest.raises(ActionFailed, match=r"does not allow this \(403\)"):
        jobs.job("retrain", "run:1")


def test_a_token_that_another_thread_has_just_got_is_used(jobs, fake):
    jobs._api._seal = "got"
    seal = jobs._api._new_seal(stale="older")
    jobs._api._seal = ""

    assert (seal, fake.calls) == ("got", [])
