"""Argo Rollouts' controller over the fake, canary strategy, after its source: syncRolloutStatusCanary, trafficrouting.go, pause.go.

One turn at each look. `mode` "stuck": pods of a new version never become available, and after `patience` looks the rollout has
timed out; "unverified": the router never confirms a weight; "blind": nothing happens.
"""

import copy
import json
import math

from tests.fakes.kube_controller import owner, template_hash

HASH, REVISION = "rollouts-pod-template-hash", "rollout.argoproj.io/revision"
ABORTED = "RolloutAborted: Rollout aborted update to revision {}"
TIMED_OUT = 'ProgressDeadlineExceeded: ReplicaSet "{}" has timed out progressing.'


class Argo:
    """Moves every Rollout one turn further at each look."""

    def __init__(self, kube):
        self.kube, self.mode, self.patience, self.idle = kube, "quick", 3, {}

    def look(self):
        for (resource, namespace, _), paper in list(self.kube.objects.items()):
            if resource == "rollouts" and self.mode != "blind":
                before = json.dumps(paper.get("status"))
                paper["status"] = Turn(self, paper, namespace).taken()
                if json.dumps(paper["status"]) != before:
                    self.kube.touch(paper)


class Turn:
    """One turn of one Rollout: `status` is the one that it ends with, `was` the one that it found."""

    def __init__(self, argo, paper, namespace):
        self.argo, self.paper, self.namespace, self.spec = argo, paper, namespace, paper["spec"]
        self.canary = self.spec["strategy"]["canary"]
        self.steps = self.canary.get("steps", [])
        self.was = paper.get("status", {})
        self.hash = template_hash(self.spec["template"])
        self.new = self.replica_set()
        kept = {name: self.was[name] for name in ("stableRS", "currentStepIndex", "promoteFull") if name in self.was}
        self.status = {**kept, "currentPodHash": self.hash, "observedGeneration": str(paper["metadata"]["generation"])}
        self.status["canary"] = copy.deepcopy(self.was.get("canary", {}))

    def taken(self):
        if self.hash != self.was.get("currentPodHash") or self.steps_changed():
            self.reset()
        elif not self.spec.get("paused"):
            self.weigh()
            self.scale()
            self.sync()
        else:
            self.status |= {name: self.was[name] for name in ("abort", "pauseConditions", "controllerPause") if name in self.was}
        self.status["stepsSeen"] = json.dumps(self.steps)
        self.status |= self.phase()
        return self.status

    def steps_changed(self):
        return json.dumps(self.steps) != self.was.get("stepsSeen")

    def reset(self):
        """A new template takes every order in the status back; one that is the stable one skips all steps."""
        self.status.pop("promoteFull", None)
        back = self.hash == self.was.get("stableRS")
        self.status["currentStepIndex"] = len(self.steps) if back else 0
        self.argo.idle[self.paper["metadata"]["uid"]] = 0

    def replica_set(self):
        """Return the ReplicaSet of the template, made or given the newest revision where it is new in use."""
        name = f"{self.paper['metadata']['name']}-{self.hash}"
        newest = max((int(row["metadata"]["annotations"][REVISION]) for row in self.sets()), default=0)
        found = self.argo.kube.objects.get(("replicasets", self.namespace, name))
        if found is None:
            template = copy.deepcopy(self.spec["template"])
            template["metadata"]["labels"] = {**template["metadata"]["labels"], HASH: self.hash}
            about = {"labels": template["metadata"]["labels"], "annotations": {REVISION: str(newest + 1)}}
            about["ownerReferences"] = [{**owner(self.paper, "Rollout"), "apiVersion": "argoproj.io/v1alpha1"}]
            body = {"metadata": about, "spec": {"template": template}, "status": {"availableReplicas": 0}}
            found = self.argo.kube.put("replicasets", self.namespace, name, body)
        elif int(found["metadata"]["annotations"][REVISION]) < newest:
            found["metadata"]["annotations"][REVISION] = str(newest + 1)
        return found

    def sets(self):
        mine = self.paper["metadata"]["uid"]
        return [row for row in self.argo.kube.sets(self.namespace) if row["metadata"]["ownerReferences"][0]["uid"] == mine]

    @property
    def stable(self):
        return next((row for row in self.sets() if row["metadata"]["labels"][HASH] == self.was.get("stableRS")), None)

    @property
    def promoted(self):
        return self.was.get("stableRS") == self.hash

    @property
    def index(self):
        return self.was.get("currentStepIndex", 0)

    def set_weight(self, index):
        """GetCurrentSetWeight."""
        if self.was.get("abort"):
            return 0
        if index >= len(self.steps):
            return 100
        return next((step["setWeight"] for step in reversed(self.steps[: index + 1]) if "setWeight" in step), 0)

    def wanted(self):
        """Return how many pods the new version should have."""
        if self.was.get("promoteFull") or self.promoted or self.stable is None:
            return self.spec["replicas"]
        return math.ceil(self.spec["replicas"] * self.set_weight(self.index) / 100)

    def at_desired(self):
        return available(self.new) == self.wanted()

    def weigh(self):
        """reconcileTrafficRouting: what the router is told."""
        if "trafficRouting" not in self.canary or self.stable is None:
            return
        weight = 0
        if not self.promoted and not self.was.get("abort") and available(self.new):
            if self.was.get("promoteFull"):
                weight = self.was["canary"].get("weights", {}).get("canary", {}).get("weight", 0)
            else:
                weight = self.set_weight(self.index) if self.at_desired() else self.set_weight(self.index - 1) if self.index else 0
        weights = {"canary": {"weight": weight, "podTemplateHash": self.hash}}
        weights["stable"] = {"weight": 100 - weight, "podTemplateHash": self.was["stableRS"]}
        self.status["canary"]["weights"] = {**weights, **({"verified": False} if self.argo.mode == "unverified" else {})}

    def scale(self):
        wanted = 0 if self.was.get("abort") else self.wanted()
        if self.argo.mode != "stuck" or wanted < available(self.new) or self.promoted:
            self.new["status"]["availableReplicas"] = wanted
        for row in self.sets():
            if row is not self.new:
                mine = row["metadata"]["labels"][HASH] == self.was.get("stableRS")
                routed = "trafficRouting" in self.canary or self.was.get("promoteFull")
                row["status"]["availableReplicas"] = self.spec["replicas"] - (0 if routed else wanted) if mine else 0

    def sync(self):
        """syncRolloutStatusCanary, from promotion on."""
        if self.stable is None or (self.was.get("promoteFull") and available(self.new) >= self.spec["replicas"]):
            self.promote()
        elif self.was.get("abort"):
            self.status |= {"abort": True, "currentStepIndex": len(self.steps) if self.promoted else 0}
        elif self.was.get("promoteFull"):
            self.status["currentStepIndex"] = len(self.steps)
        elif self.index >= len(self.steps):
            if not self.promoted and available(self.new) >= self.spec["replicas"]:
                self.promote()
        else:
            self.step(self.steps[self.index])

    def promote(self):
        self.status.pop("promoteFull", None)
        self.status |= {"stableRS": self.hash, "currentStepIndex": len(self.steps)}

    def step(self, step):
        conditions = self.was.get("pauseConditions")
        if "pause" in step:
            left = self.was.get("controllerPause") and not conditions
            over = conditions and step["pause"].get("duration")
            if left or over:
                self.status["currentStepIndex"] = self.index + 1
            else:
                pause = [{"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:00:00Z"}]
                self.status |= {"pauseConditions": conditions or pause, "controllerPause": True}
        elif self.at_desired() and self.status["canary"].get("weights", {}).get("verified") is not False:
            self.status["currentStepIndex"] = self.index + 1

    def phase(self):
        """CalculateRolloutPhase: the first that holds."""
        uid, promoted = self.paper["metadata"]["uid"], self.status.get("stableRS") == self.hash
        moving = not promoted and not self.status.get("pauseConditions")
        self.argo.idle[uid] = self.argo.idle.get(uid, 0) + 1 if moving and self.argo.mode == "stuck" else 0
        old = "trafficRouting" not in self.canary and any(available(row) for row in self.sets() if row is not self.new)
        told = [
            (self.status.get("abort"), "Degraded", ABORTED.format(self.new["metadata"]["annotations"][REVISION])),
            (self.argo.idle[uid] > self.argo.patience, "Degraded", TIMED_OUT.format(self.new["metadata"]["name"])),
            (self.spec.get("paused"), "Paused", "manually paused"),
            (self.status.get("pauseConditions"), "Paused", "CanaryPauseStep"),
            (available(self.new) < self.spec["replicas"], "Progressing", "more replicas need to be updated"),
            (not promoted, "Progressing", "waiting for all steps to complete"),
            (old, "Progressing", "old replicas are pending termination"),
        ]
        return next(({"phase": phase, "message": why} for holds, phase, why in told if holds), {"phase": "Healthy", "message": ""})


def available(row):
    return row["status"]["availableReplicas"]
