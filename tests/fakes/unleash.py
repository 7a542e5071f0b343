"""Unleash's admin API as measured at 6.10.1: its very errors, a strategy nobody asked for, archived flags that still answer."""

import re

ADMIN, VIEWER, SDK = "*:*.admin", "user:viewer", "*:production.sdk"
PROJECT = "/api/admin/projects/default"
PLACES = ("development", "production")
DENIED = "You don't have the required permissions to perform this operation."


def error(status, name, message):
    return status, {"id": "a5cfb74d", "name": name, "message": message, "details": [{"message": message}]}


class FakeUnleash:
    """The project "default" with the environments development and production, and no flags at first."""

    def __init__(self):
        self.flags, self.reports, self.calls, self.instead, self.maintained = {}, {}, [], {}, False

    def answer(self, method, path, query, body, headers):
        self.calls.append((method, path, query, body, headers))
        if (method, path) in self.instead:
            return self.instead[method, path]
        who = headers.get("authorization")
        if who not in (ADMIN, VIEWER, SDK):
            return error(401, "UnauthorizedError", "You must log in to use Unleash.")
        if (who == SDK) is not path.startswith("/api/client/"):
            return 403, {"message": "invalid token: expected a different token type for this endpoint"}
        writes = method == "POST" and path.startswith(PROJECT)
        if writes and self.maintained:
            return 503, {"message": "Unleash is currently in maintenance mode."}
        if writes and who != ADMIN:
            return error(403, "PermissionError", f'{DENIED} You need the "UPDATE_FEATURE_ENVIRONMENT" permission.')
        return self._routed(method, path, body, who)

    def _routed(self, method, path, body, who):
        if path == "/api/admin/user":
            return 200, {"user": {"username": "x"}, "permissions": [{"permission": "ADMIN"}] if who == ADMIN else []}
        if path == "/api/admin/maintenance":
            self.maintained = body["enabled"]
            return 204, b""
        if path == "/api/admin/playground":
            return 200, {"features": [self._evaluated(name) for name, flag in self.flags.items() if not flag["archived"]]}
        if path == "/api/client/metrics":
            return self._reported(body)
        if found := re.fullmatch(r"/api/admin/client-metrics/features/([^/]+)/raw", path):
            return 200, {"version": 1, "data": self._raw(found[1])}
        return self._project(method, path.removeprefix(PROJECT), body)

    def _project(self, method, path, body):
        if (method, path) == ("POST", "/features"):
            return self._made(body["name"])
        if (method, path) == ("POST", "/archive"):
            for name in body["features"]:
                self.flags[name]["archived"] = True
            return 202, b""
        _, _, name, *more = path.split("/")
        flag = self.flags.get(name)
        if flag is None:
            return error(404, "NotFoundError", f'There\'s no feature named "{name}" in project "default".')
        if not more:
            return self._told(flag)
        if more[0] == "dependencies":
            flag["dependencies"].append({"feature": body["feature"], "enabled": True, "variants": []})
            return 200, b""
        return self._environment(method, flag, more[1], "/".join(more[2:]), body)

    def _environment(self, method, flag, place, what, body):
        if place not in flag["places"]:
            return error(404, "NotFoundError", f"Could not find environment {place} for feature: {flag['name']}")
        here = flag["places"][place]
        if method == "GET":
            return 200, {"name": flag["name"], "environment": place, **here, "enabled": here["enabled"] and not flag["archived"]}
        if flag["archived"]:
            return error(400, "ArchivedFeatureError", "Cannot perform this operation on archived features")
        if what == "strategies":
            here["strategies"].append(self._strategy(**body))
            return 200, here["strategies"][-1]
        here["enabled"] = what == "on"
        if here["enabled"] and all(strategy["disabled"] for strategy in here["strategies"]):
            here["strategies"].append(self._strategy("flexibleRollout", {"rollout": "100", "stickiness": "default"}))
        return 200, b""

    def _strategy(self, name, parameters, constraints=(), *, disabled=False):
        told = {"parameters": parameters, "constraints": list(constraints), "segments": [], "variants": []}
        return {"name": name, "title": None, "disabled": disabled, "sortOrder": 0, **told}

    def _made(self, name):
        if name in self.flags:
            return error(409, "NameExistsError", "A flag with that name already exists")
        places = {place: {"enabled": False, "strategies": []} for place in PLACES}
        self.flags[name] = {"name": name, "archived": False, "dependencies": [], "places": places}
        return 201, {"name": name, "project": "default", "archived": False}

    def _told(self, flag):
        name = flag["name"]
        if flag["archived"]:
            return error(404, "NotFoundError", f"Could not find feature flag with name {name}")
        environments = [{"name": place, **here} for place, here in flag["places"].items()]
        children = [one["name"] for one in self.flags.values() if name in [parent["feature"] for parent in one["dependencies"]]]
        told = {"archived": False, "dependencies": flag["dependencies"], "children": children}
        return 200, {"name": name, "project": "default", "environments": environments, **told}

    def _evaluated(self, name):
        parents = [self.flags[parent["feature"]] for parent in self.flags[name]["dependencies"]]
        lacking = any(not parent["places"]["production"]["enabled"] for parent in parents)
        on = self.flags[name]["places"]["production"]["enabled"]
        return {"name": name, "isEnabled": on and not lacking, "hasUnsatisfiedDependency": lacking}

    def _reported(self, body):
        for name, counts in body["bucket"]["toggles"].items():
            row = self.reports.setdefault((name, body["appName"]), {"yes": 0, "no": 0})
            for word in ("yes", "no"):
                row[word] += counts[word]
        return 202, b""

    def _raw(self, name):
        hour = {"environment": "production", "featureName": name, "timestamp": "2026-11-27T02:00:00.000Z"}
        mine = [{**hour, "appName": app, **counts} for (flag, app), counts in self.reports.items() if flag == name]
        return [{**hour, **row, "timestamp": "2026-11-27T01:00:00.000Z", "yes": 0, "no": 0} for row in mine] + mine
