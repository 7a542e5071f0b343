"""MLflow's registry and a model's server as measured at 3.17.2: its very errors, and a server that keeps what it started with."""

import re

API = "/api/2.0/mlflow"


def error(status, code, message):
    return status, {"error_code": code, "message": message}


class FakeMlflow:
    """The registered model "late-arrivals" with versions 1 to 3, champion 2; `answer` serves registry and server alike."""

    def __init__(self):
        self.aliases, self.served = {"champion": "2"}, "2"
        self.calls, self.instead = [], {}
        self.rows = [self._row(number) for number in (3, 2, 1)]

    def restart(self):
        """Start the model's server anew: only now it looks where the alias is."""
        self.served = self.aliases["champion"]

    def answer(self, method, path, query, body, headers):
        self.calls.append((method, path, query, body, headers))
        if path in self.instead:
            return self.instead[path]
        if path == "/invocations":
            return 200, {"predictions": [{"score": 0.5, "version": self.served}]}, {"x-model-version": self.served}
        if path == f"{API}/model-versions/search":
            return self._search(query)
        return self._read_alias(query) if method == "GET" else self._set_alias(body)

    def _row(self, number):
        return {
            "name": "late-arrivals",
            "version": str(number),
            "run_id": f"run{number}",
            "source": f"models:/m-{number}",
            "status": "READY",
        }

    def _search(self, query):
        if query["filter"] != "name='late-arrivals'":
            return 200, {}
        start, most = int(query.get("page_token", 0)), min(2, int(query["max_results"]))
        more = {"next_page_token": str(start + most)} if start + most < len(self.rows) else {}
        return 200, {"model_versions": self.rows[start : start + most], **more}

    def _read_alias(self, query):
        if query["name"] != "late-arrivals":
            return error(404, "RESOURCE_DOES_NOT_EXIST", f"Registered Model with name={query['name']} not found")
        if query["alias"] not in self.aliases:
            return error(400, "INVALID_PARAMETER_VALUE", f"Registered model alias {query['alias']} not found.")
        return 200, {"model_version": self._row(self.aliases[query["alias"]])}

    def _set_alias(self, body):
        if re.fullmatch(r"latest|v[0-9]+", body["alias"], re.IGNORECASE):
            return error(400, "INVALID_PARAMETER_VALUE", f"Version alias name '{body['alias']}' is reserved.")
        if body["name"] != "late-arrivals" or body["version"] not in [row["version"] for row in self.rows]:
            return error(
                404, "RESOURCE_DOES_NOT_EXIST", f"Model Version (name={body['name']}, version={body['version']}) not found"
            )
        self.aliases[body["alias"]] = body["version"]
        return 200, {}
