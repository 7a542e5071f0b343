"""What a real Traefik does with its file that no other splitter does, and what the connector makes of it."""

import stat
import threading
from contextlib import ExitStack, contextmanager

import pytest

from bot.connectors.traefik import make
from bot.core.errors import ActionFailed, WorldMoved
from tests.contract.test_splitter import TARGET, model_server
from tests.contract.traefik_house import TraefikHouse


@contextmanager
def started(folder, **options):
    with ExitStack() as stack:
        ports = {version: stack.enter_context(model_server()) for version in ("v1", "v2")}
        house = TraefikHouse(folder, ports, **options)
        stack.callback(house.close)
        yield house


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    with started(tmp_path_factory.mktemp("traefik")) as house:
        yield house


@pytest.fixture
def house(real):
    real.set_raw({"v1": 100, "v2": 0})
    return real


@pytest.fixture
def hasty(house):
    """The connector of somebody who does not wait long."""
    connector = make({**house.options, "settle": 0.3})
    yield connector
    connector.close()


def test_only_the_digits_of_the_weights_change_in_what_its_operators_wrote(house):
    house.file.chmod(0o640)
    house.connector.set_split(TARGET, {"v1": 0.9, "v2": 0.1}, "run:1")

    assert house.file.read_text() == house.text.replace("weight: 100 ", "weight: 9000 ").replace("weight: 0}", "weight: 1000}")
    assert stat.S_IMODE(house.file.stat().st_mode) == 0o640
    assert list(house.watched.iterdir()) == [house.file]


def test_what_traefik_refuses_is_noticed_and_put_back(house, hasty):
    refused = house.text.replace("http:\n", "http:\n  unknown: {}\n")
    house.write(refused)

    with pytest.raises(
        ActionFailed, match=r"did not take over the new weights of delays within 0\.3 s: it serves delays_v1 100, delays_v2 0, and"
    ):
        hasty.set_split(TARGET, {"v2": 1.0}, "run:1")
    assert house.file.read_text() == refused
    assert house.connector.split(TARGET) == {"v1": 1.0, "v2": 0.0}
    assert house.send(3) == 0


def test_weights_in_the_file_that_traefik_does_not_serve_are_somebody_elses(house, hasty):
    refused = house.written({"v1": 50, "v2": 50}).replace("http:\n", "http:\n  unknown: {}\n")
    house.write(refused)

    with pytest.raises(WorldMoved, match=r"says delays_v1 50, delays_v2 50, but Traefik serves delays_v1 100, delays_v2 0: "):
        hasty.set_split(TARGET, {"v2": 1.0}, "run:1")
    with pytest.raises(ActionFailed, match="Traefik has refused the file, as its log tells"):
        hasty.ready(TARGET)
    assert house.file.read_text() == refused


def test_going_back_to_what_is_served_mends_a_file_that_was_left_half_way(house):
    house.write(house.written({"v1": 50, "v2": 50}).replace("http:\n", "http:\n  unknown: {}\n"))
    house.connector.set_split(TARGET, {"v1": 1.0}, "run:1:undo")

    assert "weight: 100 " in house.file.read_text()
    assert "weight: 0}" in house.file.read_text()


def test_a_run_that_was_killed_while_it_waited_goes_on(house):
    house.write(house.written({"v1": 0, "v2": 10_000}))
    house.connector.set_split(TARGET, {"v2": 1.0}, "run:1")

    assert house.connector.split(TARGET) == {"v1": 0.0, "v2": 1.0}


def test_a_restart_on_a_file_that_it_refuses_serves_nobody_and_the_split_says_so(house):
    house.write("http: [")
    house.restart(waiting=False)

    with pytest.raises(ActionFailed, match=r"Traefik has no service 'delays@file'; .* see its log whether it took the file"):
        house.connector.split(TARGET)
    with pytest.raises(ActionFailed, match="has no service"):
        house.connector.requests(TARGET)
    assert house.send(3) == 3


def test_a_service_that_is_not_there_switches_the_split_off_and_it_says_so(house):
    house.write(house.text.replace("name: delays_v2, weight", "name: gone, weight"))
    house.process.wait_for(lambda: house.send(1) or None)

    with pytest.raises(ActionFailed, match=r"has switched its service 'delays@file' off, so callers get errors: .*gone@file"):
        house.connector.split(TARGET)


@pytest.mark.parametrize(
    ("written", "split"),
    [("-3", {"v1": 0.0, "v2": 1.0}), ("", {"v1": 0.25, "v2": 0.75}), ('"9"', {"v1": 0.75, "v2": 0.25})],
    ids=["negative", "missing", "quoted"],
)
def test_odd_weights_are_told_as_traefik_serves_them(house, written, split):
    house.write(house.written({"v1": written, "v2": 3}))
    house.process.wait_for(lambda: house.connector.split(TARGET) == split or None)
    before = house.connector.requests(TARGET)
    house.send(20)
    counts = {version: n - before[version] for version, n in house.connector.requests(TARGET).items()}

    assert counts == {version: round(20 * share) for version, share in split.items()}


def test_two_runs_that_change_two_models_in_one_file_at_once_lose_nothing(house):
    """The other model shares the same two servers behind a weighted service of its own."""
    other = house.text + "    churn:\n      weighted: {services: [{name: delays_v1, weight: 1}, {name: delays_v2, weight: 0}]}\n"
    house.write(other)
    places = {version: {"weighted": "churn", "service": f"delays_{version}"} for version in ("v1", "v2")}
    churn = make({**house.options, "targets": {"churn": places}})
    house.process.wait_for(lambda: "churn@file" in house.caller.get(f"{house.options['api']}/api/http/services").text or None)

    def ramp(connector, target):
        for share in (0.2, 0.3):
            connector.set_split(target, {"v1": 1 - share, "v2": share}, f"run:{share}")

    runs = [threading.Thread(target=ramp, args=run) for run in ((house.connector, TARGET), (churn, "churn"))]
    for run in runs:
        run.start()
    for run in runs:
        run.join()

    assert house.connector.split(TARGET) == churn.split("churn") == {"v1": 0.7, "v2": 0.3}
    churn.close()


@pytest.mark.slow
def test_setting_waits_out_the_two_seconds_that_traefik_takes_by_itself(tmp_path):
    with started(tmp_path, pause="2s") as house:
        for share in (0.5, 1.0):
            house.connector.set_split(TARGET, {"v1": 1 - share, "v2": share}, f"run:{share}")

            assert house.connector.split(TARGET) == {"v1": 1 - share, "v2": share}
