"""A real Airflow 3 with the DAGs of `airflow_dags.py`."""

import json
import shutil
import subprocess
from pathlib import Path
from uuid import uuid4

import httpx

from bot.demo.ports import free_port
from tests.contract import servers
from tests.fakes.airflow import PASSWORD


class Real:
    """API server, DAG processor and scheduler on SQLite, without the servers of logs, which would listen to everybody."""

    def __init__(self, stack, folder):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        (folder / "dags").mkdir()
        shutil.copy(Path(__file__).with_name("airflow_dags.py"), folder / "dags")
        (folder / "simple_auth_manager_passwords.json.generated").write_text(json.dumps({"bot": PASSWORD, "eve": PASSWORD}))
        secret = uuid4().hex * 2
        env = servers.environment(
            "airflow",
            {
                "AIRFLOW_HOME": str(folder),
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
                "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "bot:op,eve:viewer",
                "AIRFLOW__API__HOST": "127.0.0.1",
                "AIRFLOW__API__PORT": str(port),
                "AIRFLOW__API__BASE_URL": self.url,
                "AIRFLOW__API__WORKERS": "1",
                "AIRFLOW__API_AUTH__JWT_SECRET": secret,
                "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            },
        )
        airflow = servers.command("airflow", "airflow")
        subprocess.run(["nice", airflow, "db", "migrate"], env=env, cwd=folder, check=True, capture_output=True)
        started = [["api-server"], ["dag-processor"], ["scheduler", "--skip-serve-logs"]]
        ready = [servers.answers(f"{self.url}/api/v2/monitor/health"), self._knows_dags, lambda: True]
        for arguments, true in zip(started, ready, strict=True):
            log = folder / f"{arguments[0]}.log"
            stack.enter_context(servers.running([airflow, *arguments], env, log, true, 180))

    def _headers(self):
        told = httpx.post(
            f"{self.url}/auth/token", json={"username": "bot", "password": PASSWORD}, trust_env=False, timeout=10
        ).json()
        return {"authorization": f"Bearer {told['access_token']}"}

    def _get(self, path):
        return httpx.get(f"{self.url}/api/v2/{path}", headers=self._headers(), trust_env=False, timeout=10)

    def _knows_dags(self):
        return all(self._get(f"dags/{dag}").status_code == 200 for dag in ("train", "asleep"))

    def runs(self, run_id):
        return [run["dag_run_id"] for run in self._get("dags/train/dagRuns?limit=100").json()["dag_runs"]].count(run_id)
