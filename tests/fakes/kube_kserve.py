"""KServe's controller over the fake, in Serverless mode, after its source: ksvc_reconciler.go and PropagateStatus, August 2026.

One turn at each look. `mode` "stuck": new revisions never become ready; "unrouted": the route never does; "blind": nothing happens.
"""

import copy
import json

PREDICTOR = "predictor"
ROUTE_LOOKS = 1


class KServe:
    """Makes a revision of every new predictor, routes as its percent says, and tells the status a turn later."""

    def __init__(self, kube):
        self.kube, self.mode = kube, "quick"
        self.made, self.route = {}, {}

    def look(self):
        for (resource, namespace, name), paper in list(self.kube.objects.items()):
            if resource == "inferenceservices" and self.mode != "blind" and serverless(paper):
                self.one(paper, namespace, name)

    def one(self, paper, namespace, name):
        before = json.dumps(paper.get("status"))
        status = paper.setdefault("status", {})
        status["deploymentMode"] = "Serverless"
        predictor = status.setdefault("components", {}).setdefault(PREDICTOR, {})
        wanted = targets(paper["spec"][PREDICTOR].get("canaryTrafficPercent"), predictor.get("latestRolledoutRevision"))
        created = self.created(paper, namespace, name)
        ready = self.ready(namespace, created, predictor.get("latestReadyRevision"))
        if ready:
            traffic = [{**row, "revisionName": row.get("revisionName", ready)} for row in wanted]
            propagate(predictor, created, ready, traffic)
            status["conditions"] = [self.routed(paper["metadata"]["uid"], traffic)]
            status["observedGeneration"] = self.made[namespace, name][1]  # of the Knative service: another count than its own
        if json.dumps(status) != before:
            self.kube.touch(paper)

    def created(self, paper, namespace, name):
        """Return the newest revision, made where the predictor or the labels are new."""
        predictor = {key: value for key, value in paper["spec"][PREDICTOR].items() if key != "canaryTrafficPercent"}
        is_now = json.dumps([predictor, paper["metadata"].get("labels")], sort_keys=True)
        was, number = self.made.get((namespace, name), ("", 0))
        if is_now != was:
            number += 1
            self.made[namespace, name] = is_now, number
            about = {"apiVersion": "serving.knative.dev/v1", "metadata": {"labels": dict(paper["metadata"].get("labels", {}))}}
            self.kube.put("revisions", namespace, revision(name, number), {**about, "spec": copy.deepcopy(predictor)})
        return revision(name, number)

    def ready(self, namespace, created, before):
        paper = self.kube.objects["revisions", namespace, created]
        if self.mode != "stuck":
            paper["ready"] = True
        return created if paper.get("ready") else before

    def routed(self, uid, traffic):
        """Return the route's condition: a turn after the traffic was set it is ready."""
        was, looks = self.route.get(uid, (None, 0))
        looks = looks + 1 if was == traffic else 0
        self.route[uid] = traffic, looks
        if self.mode == "unrouted" or looks < ROUTE_LOOKS:
            why = {"reason": "IngressNotConfigured", "message": "Ingress has not yet been reconciled."}
            return {"type": "PredictorRouteReady", "status": "Unknown", **why}
        return {"type": "PredictorRouteReady", "status": "True"}


def revision(name, number):
    return f"{name}-{PREDICTOR}-{number:05}"


def serverless(paper):
    return paper["metadata"].get("annotations", {}).get("serving.kserve.io/deploymentMode", "Serverless") == "Serverless"


def targets(percent, rolled):
    """createKnativeService: what is routed where, before revisions have names."""
    if percent is None or not rolled:
        return [{"latestRevision": True, "percent": 100}]
    rest = {"latestRevision": False, "percent": 100 - percent, "revisionName": rolled, "tag": "prev"}
    return [{"latestRevision": True, "percent": percent}, *([rest] if percent < 100 else [])]


def propagate(predictor, created, ready, traffic):
    """PropagateStatus: what was rolled out whole is remembered, and forgotten when it is split over itself."""
    total = {}
    for row in traffic:
        total[row["revisionName"]] = total.get(row["revisionName"], 0) + row["percent"]
    for row in traffic:
        if row["revisionName"] == ready and row["latestRevision"]:
            rolled, previous = predictor.get("latestRolledoutRevision", ""), predictor.get("previousRolledoutRevision", "")
            if rolled != ready and row["percent"] == 100:
                predictor |= {"previousRolledoutRevision": rolled, "latestRolledoutRevision": ready}
            elif rolled == ready == created and row["percent"] < 100 and total[ready] == 100 and previous:
                predictor["latestRolledoutRevision"] = previous
    predictor |= {"latestCreatedRevision": created, "latestReadyRevision": ready, "traffic": traffic}
