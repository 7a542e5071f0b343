"""What `aiops init` writes: a commented aiops.yaml, valid as it stands."""

from pathlib import Path

from bot.core.errors import ConfigError

TEXT = """\
# aiops-bot: what it watches, whom it tells, who may decide. Names, never secrets: ${env:NAME} or ${file:/run/secrets/name}.
# Check it with `aiops config check`, then ask `aiops doctor`. Editors complete it from `aiops config schema`.

# SQLite needs nothing. For several replicas: ${env:AIOPS_DATABASE_URL}, e.g. postgresql://aiops@db/aiops
database: sqlite:///aiops.db

slack:
  transport: socket        # or http, behind a balancer. The app's manifest: aiops slack manifest
  channel: ml-incidents    # where incidents go when their team names no channel
  # tokens come from SLACK_BOT_TOKEN and SLACK_APP_TOKEN (http: SLACK_SIGNING_SECRET)

teams:
  ml-platform:
    channel: ml-incidents
    members: []            # Slack user ids, U…; or `group: S…` where your plan has user groups
  data-engineering: {}

# Who may approve. Nobody may approve what they proposed themselves, unless the policy says so.
roles:
  ml-oncall: []            # Slack user ids, U…

approvals:
  rollback:
    roles: [ml-oncall]
    quorum: 1
    expires: 4h

# Where predictions are logged: a table (kind: sql) or Parquet/CSV files (kind: files).
sources:
  predictions:
    kind: sql
    url: sqlite:///predictions.db
    table: predictions

# What serves the versions, so that a playbook can move traffic. Without one the bot watches and tells.
platforms: {}
#  gateway:
#    kind: envoy
#    admin: http://127.0.0.1:9901
#    targets:
#      churn:
#        v6: {runtime_key: routing.churn.v6, cluster: churn-v6}
#        v7: {runtime_key: routing.churn.v7, cluster: churn-v7}

# Versions that can be asked to score the very same rows again: the evidence for a rollback.
scorers: {}
#  versions:
#    kind: model_servers
#    targets:
#      churn: {v6: "http://127.0.0.1:8106", v7: "http://127.0.0.1:8107"}

models:
  - name: churn
    environment: production
    team: ml-platform
    source: predictions
    # serving: gateway
    # scorer: versions
    reference:             # the stretch that later windows are compared with
      start: "2026-01-01T00:00:00Z"
      end: "2026-02-01T00:00:00Z"
    columns:               # what your log calls them; shown are the defaults
      time: time
      version: version
      score: score
      label: label
      label_time: label_time
    features:
      age: {kind: numeric, importance: 0.3}
      country: {kind: categorical, importance: 0.1, team: data-engineering}
    watches:
      - name: inputs
        every: "*/15 * * * *"   # cron text, UTC
        window: 1h
        # season: week       # hold each hour against the same hour of the reference's weeks; also: day
        checks:
          - missing            # data quality
          - schema
          - volume
          - freshness
          - duplicates
          - out_of_range
          - far_out_of_range
          - new_categories
          - vanished_categories
          - constant
          - scale
          - sentinel
          - psi                # drift
          - ks
          - chi_square
          - latency            # operations
          - errors
      - name: performance
        every: "0 * * * *"
        window: 7d
        lag: 1d            # labels need time to arrive
        checks: [performance]
        persist: {k: 2, n: 3}   # two bad windows out of three, before anybody is woken
"""


def write(path: Path, *, force: bool = False) -> None:
    """Write the file.

    Raises:
        ConfigError: there is one already, or the folder is not there.
    """
    if path.exists() and not force:
        raise ConfigError(f"There is a {path} already; look at it, or replace it with: aiops init --force")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"The folder {path.absolute().parent} does not exist; create it first.")
    path.write_text(TEXT, encoding="utf-8")
