"""A real MLflow: its registry with three versions of one model, and the server of that model, which follows no alias."""

from contextlib import ExitStack
from pathlib import Path

from bot.demo.ports import free_port
from tests.contract import servers


class Real:
    """A tracking server and `mlflow models serve`, started once; a restart really restarts the latter, where it was."""

    def __init__(self, stack, folder):
        self.folder, self.stack, self.serving = folder, stack, ExitStack()
        stack.callback(self._stop)
        self.registry = f"http://127.0.0.1:{free_port()}"
        self.env = servers.environment(
            "mlflow", {"MLFLOW_TRACKING_URI": self.registry, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        )
        self.server = f"http://127.0.0.1:{free_port()}"
        port = self.registry.rpartition(":")[2]
        stores = ["--backend-store-uri", "sqlite:///mlflow.db", "--artifacts-destination", "artifacts", "--workers", "1"]
        self._run(stack, ["server", "--host", "127.0.0.1", "--port", port, *stores], f"{self.registry}/health")
        script = Path(__file__).with_name("mlflow_versions.py")
        with servers.running(
            [servers.command("mlflow", "python"), script, folder / "made"],
            self.env,
            folder / "versions.log",
            (folder / "made").exists,
            120,
        ):
            pass
        self.restart()

    def _stop(self):
        self.serving.close()

    def restart(self):
        self._stop()
        self.serving = ExitStack()
        serve = ["models", "serve", "-m", "models:/late-arrivals@champion", "--env-manager", "local", "-h", "127.0.0.1"]
        self._run(self.serving, [*serve, "-p", self.server.rpartition(":")[2]], f"{self.server}/ping")

    def _run(self, stack, arguments, ready):
        log = self.folder / f"{arguments[0]}.log"
        stack.enter_context(
            servers.running([servers.command("mlflow", "mlflow"), *arguments], self.env, log, servers.answers(ready), 120)
        )
