"""What KServe says is checked before it is believed: its modes, its turns, its revisions, and what it is not ready for."""

import pytest

from bot.connectors.kserve import RIGHTS, make
from bot.core.deployments import NotNow
from bot.core.errors import ActionFailed, ConfigError, NotFound, OutcomeUnknown, WorldMoved
from tests.fakes.kube import FakeKube, serving

TARGETS = {"delays": {"service": "delays"}}
OLD, NEW = "delays-predictor-00001", "delays-predictor-00002"


@pytest.fixture(scope="module")
def house():
    """One server and two connectors for all facts; each begins with a world of its own."""
    kube = FakeKube()
    with serving(kube) as url:
        options = {"url": url, "namespace": "ml", "targets": TARGETS}
        plain, labelled = make(options), make({**options, "version_label": "version"})
        yield kube, plain, labelled
        plain.close()
        labelled.close()


@pytest.fixture
def kube(house):
    """An InferenceService whose second version was rolled out whole."""
    house[0].begin()
    house[0].serve(version="v1")
    house[0].serve(version="v2")
    return house[0]


@pytest.fixture
def platform(kube, house):
    return house[1]


@pytest.fixture
def labelled(kube, house):
    return house[2]


def settled(platform):
    """Look until it serves what it was asked for; return what was said at each look."""
    said = []
    while words := platform.settling("delays"):
        said.append(words)
        assert len(said) < 20
    return said


def test_the_two_newest_revisions_are_its_versions_the_older_first(platform):
    assert platform.split("delays") == platform.ordered("delays") == {OLD: 0.0, NEW: 1.0}
    assert platform.versions("delays") == [OLD, NEW]
    assert platform.where("delays") == "InferenceService ml/delays"


def test_a_share_is_the_percent_of_the_newest(kube, platform):
    platform.set_split("delays", {OLD: 0.75, NEW: 0.25}, "run:1")

    assert kube.service()["spec"]["predictor"]["canaryTrafficPercent"] == 25
    assert platform.ordered("delays") == {OLD: 0.75, NEW: 0.25}


def test_what_was_rolled_out_whole_is_taken_back_in_turns_and_each_is_said(platform):
    platform.set_split("delays", {OLD: 1.0}, "run:1")
    still = f"KServe still routes {NEW} 100 %"
    waits = "its route is not ready (Ingress has not yet been reconciled)"

    assert settled(platform) == [f"{still}; {waits}", f"KServe has taken the shares up; {waits}"]
    assert platform.split("delays") == {OLD: 1.0, NEW: 0.0}


def test_and_given_again(kube, platform):
    platform.set_split("delays", {OLD: 1.0}, "run:1")
    settled(platform)
    platform.set_split("delays", {OLD: 0.5, NEW: 0.5}, "run:2")
    settled(platform)
    assert platform.split("delays") == {OLD: 0.5, NEW: 0.5}
    platform.set_split("delays", {NEW: 1.0}, "run:3")
    settled(platform)

    assert platform.split("delays") == {OLD: 0.0, NEW: 1.0}
    assert kube.service()["status"]["components"]["predictor"]["latestRolledoutRevision"] == NEW


def test_the_same_again_writes_nothing(kube, platform):
    for _ in range(2):
        platform.set_split("delays", {OLD: 0.5, NEW: 0.5}, "run:1")
        settled(platform)

    assert kube.calls["patch inferenceservices"] == 1


def test_everything_is_what_no_percent_says_already(kube, platform):
    platform.set_split("delays", {NEW: 1.0}, "run:1")

    assert kube.calls["patch inferenceservices"] == 0


def test_a_first_version_serves_everything_and_cannot_be_shared(kube, platform):
    kube.begin()
    kube.serve(version="v1", canaryTrafficPercent=20)

    assert platform.split("delays") == platform.ordered("delays") == {OLD: 1.0}
    with pytest.raises(ActionFailed, match="add up to 1"):
        platform.set_split("delays", {OLD: 0.5}, "run:1")


# versions by a label


def test_a_label_names_the_versions_as_the_log_does(labelled):
    labelled.set_split("delays", {"v1": 0.9, "v2": 0.1}, "run:1")
    settled(labelled)

    assert labelled.split("delays") == {"v1": 0.9, "v2": 0.1}
    assert labelled.versions("delays") == ["v1", "v2"]


def test_of_two_revisions_of_one_version_the_newer_bears_its_name(kube, labelled):
    kube.serve(version="v2", minReplicas=3)

    assert labelled.split("delays") == {f"v2 ({NEW})": 0.0, "v2": 1.0}


def test_a_revision_that_was_cleaned_away_goes_by_its_own_name_and_cannot_be_gone_back_to(kube, labelled):
    del kube.objects["revisions", "ml", OLD]

    assert labelled.split("delays") == {OLD: 0.0, "v2": 1.0}
    with pytest.raises(NotFound, match=f"Knative no longer keeps revision {OLD} of delays, so there is nothing to go back to"):
        labelled.set_split("delays", {OLD: 1.0}, "run:1")
    assert kube.calls["patch inferenceservices"] == 0


def test_a_label_that_nobody_set_leaves_the_revisions_their_own_names(kube, labelled):
    del kube.objects["revisions", "ml", NEW]["metadata"]["labels"]

    assert labelled.split("delays") == {"v1": 0.0, NEW: 1.0}


# what is refused


@pytest.mark.parametrize("mode", ["RawDeployment", "Standard", "ModelMesh"])
@pytest.mark.parametrize("said", ["annotation", "status"])
def test_other_modes_are_refused_with_the_reason(kube, platform, mode, said):
    kube.kserve.mode = "blind"
    paper = kube.service()
    paper["status"].pop("deploymentMode")
    if said == "status":
        paper["status"]["deploymentMode"] = mode
    else:
        paper["metadata"]["annotations"] = {"serving.kserve.io/deploymentMode": mode}

    for call in (platform.split, platform.ordered, platform.settling, lambda t: platform.set_split(t, {NEW: 1.0}, "run:1")):
        with pytest.raises(ActionFailed, match=f"runs in {mode} mode, where KServe heeds no canaryTrafficPercent"):
            call("delays")


@pytest.mark.parametrize("mode", ["Serverless", "Knative"])
def test_both_names_of_the_mode_are_known(kube, platform, mode):
    kube.kserve.mode = "blind"
    kube.service()["status"]["deploymentMode"] = mode

    assert platform.split("delays") == {OLD: 0.0, NEW: 1.0}


def test_an_older_kserve_that_shows_traffic_needs_not_say_its_mode(kube, platform):
    kube.kserve.mode = "blind"
    del kube.service()["status"]["deploymentMode"]
    assert platform.split("delays") == {OLD: 0.0, NEW: 1.0}

    kube.service()["status"]["components"]["predictor"]["traffic"] = []
    with pytest.raises(ActionFailed, match="does not say in which mode it runs, and shows no traffic"):
        platform.split("delays")


def test_a_service_that_is_stopped_is_refused(kube, platform):
    kube.service()["metadata"]["annotations"] = {"serving.kserve.io/stop": "true"}

    with pytest.raises(ActionFailed, match="InferenceService ml/delays is stopped, so it serves nothing"):
        platform.split("delays")


def test_nothing_is_set_while_the_newest_revision_is_not_ready(kube, platform):
    kube.kserve.mode = "stuck"
    kube.serve(version="v3")

    with pytest.raises(ActionFailed, match=f"delays-predictor-00003, is not ready, so its share would go to {NEW}"):
        platform.set_split("delays", {OLD: 1.0}, "run:1")
    assert platform.settling("delays") == "its newest revision delays-predictor-00003 is not ready yet"
    assert platform.split("delays") == {OLD: 0.0, NEW: 1.0}


@pytest.mark.parametrize("split", [{OLD: 1.0}, {"v9": 1.0}], ids=["gone", "stranger"])
def test_revisions_that_are_no_longer_shared_have_moved(kube, platform, split):
    kube.serve(version="v3")

    with pytest.raises(
        WorldMoved, match=f"none of the versions that KServe shares delays between since the last deployment: {NEW} and"
    ):
        platform.set_split("delays", split, "run:1")
    assert kube.calls["patch inferenceservices"] == 0


def test_a_route_that_never_gets_ready_never_counts_as_served(kube, platform):
    platform.set_split("delays", {OLD: 0.5, NEW: 0.5}, "run:1")
    kube.kserve.mode = "unrouted"
    kube.settle()

    assert "its route is not ready (Ingress has not yet been reconciled)" in platform.settling("delays")


def test_a_route_that_says_nothing_is_not_ready(kube, platform):
    kube.kserve.mode = "blind"
    kube.service()["status"]["conditions"] = []

    assert platform.settling("delays") == "KServe has taken the shares up; its route is not ready"


def test_traffic_that_does_not_add_up_is_nobodys_share(kube, platform):
    kube.kserve.mode = "blind"
    kube.service()["status"]["components"]["predictor"]["traffic"] = [{"latestRevision": True, "percent": 40}, {"percent": 60}]

    with pytest.raises(NotNow, match="InferenceService ml/delays does not route all of its traffic now"):
        platform.split("delays")


def test_a_revision_that_only_the_traffic_names_goes_by_its_own_name(kube, labelled):
    kube.kserve.mode = "blind"
    kube.service()["status"]["components"]["predictor"]["traffic"] = [{"revisionName": "other", "percent": 100}]

    assert labelled.split("delays") == {"v1": 0.0, "v2": 0.0, "other": 1.0}


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"kind": "Deployment"}, "something else than the InferenceService 'delays'"),
        ({"status": {"deploymentMode": "Serverless"}}, "no revision that is ready, so it serves nothing yet"),
        ({"spec": {"predictor": {"canaryTrafficPercent": 250}}}, "canaryTrafficPercent of 250; correct it first"),
        ({"spec": {"predictor": {"canaryTrafficPercent": "ten"}}}, "canaryTrafficPercent is no count"),
    ],
    ids=["kind", "nothing ready", "too much", "no number"],
)
def test_what_it_says_is_checked(kube, platform, broken, words):
    kube.answers = [(200, {**kube.service(), **broken})]
    with pytest.raises(ActionFailed, match=words):
        platform.ordered("delays")


def test_somebody_else_writing_at_the_same_time_is_tried_again(kube, platform):
    said = iter("ab")

    def meddle():
        for word in said:
            kube.write("inferenceservices", "ml", "delays", {**kube.service(), "spec": {**kube.service()["spec"], "note": word}})
            return

    kube.meddle = meddle
    platform.set_split("delays", {OLD: 0.5, NEW: 0.5}, "run:1")

    assert kube.calls["patch inferenceservices"] == 3


def test_somebody_who_always_writes_first_is_spoken_of(kube, platform):
    kube.meddle = lambda: kube.touch(kube.service())
    with pytest.raises(ActionFailed, match="InferenceService ml/delays changed at each of 5 tries"):
        platform.set_split("delays", {OLD: 0.5, NEW: 0.5}, "run:1")


def test_a_server_that_stumbles_at_a_write_leaves_it_unknown_and_at_a_read_for_later(kube, platform):
    kube.answers = [(200, kube.service()), (200, {}), (500, {})]
    with pytest.raises(OutcomeUnknown, match="whether it was done has to be read back"):
        platform.set_split("delays", {NEW: 0.5, OLD: 0.5}, "run:1")
    kube.answers = [(503, {})]
    with pytest.raises(NotNow, match="answered 503"):
        platform.settling("delays")


@pytest.mark.parametrize("right", [right.words for right in RIGHTS])
def test_a_missing_permission_is_named_as_a_role_writes_it(kube, labelled, right):
    assert labelled.missing("delays") == []
    kube.forbidden = {right}
    with pytest.raises(ActionFailed, match=rf"may not {right} in namespace 'ml' \(403\); add this verb"):
        labelled.set_split("delays", {"v2": 0.5, "v1": 0.5}, "run:1")
    assert labelled.missing("delays") == [right]


def test_a_model_without_a_service_is_named(platform):
    with pytest.raises(NotFound, match="No InferenceService is named for 'churn'; known: delays"):
        platform.split("churn")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "Connector kserve: the bot does not run in a cluster, so `url` must say where the API server is"),
        ({"url": "https://k", "targets": {}}, "at least 1"),
        ({"url": "https://k", "targets": {"delays": {"service": "../secrets"}}}, "service"),
        ({"url": "https://k", "version_label": "a b"}, "version_label"),
        ({"url": "https://k", "labels": "version"}, "labels"),
    ],
    ids=["no url", "no targets", "path", "label", "spelling"],
)
def test_a_wrong_option_is_one_sentence(options, words, monkeypatch):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ConfigError, match=words):
        make({"targets": TARGETS, **options})
