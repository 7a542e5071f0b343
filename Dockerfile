# syntax=docker/dockerfile:1

# Built here: hashed dependencies and our own wheel, in one virtual environment.
FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN ["python", "-m", "venv", "/opt/aiops"]
COPY requirements-runtime.lock ./
RUN ["/opt/aiops/bin/pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r", "requirements-runtime.lock"]
COPY pyproject.toml README.md LICENSE ./
COPY playbooks playbooks
COPY templates templates
COPY bot bot
RUN ["/opt/aiops/bin/pip", "install", "--quiet", "--no-deps", "."]
RUN ["mkdir", "/data"]

# Run here: no compiler, no shell needed, nobody's account. The root may be read-only:
#   docker run --read-only --tmpfs /tmp -v aiops:/data -v ./aiops.yaml:/data/aiops.yaml:ro --env-file slack.env aiops-bot
FROM python:3.11-slim
ENV PATH=/opt/aiops/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MPLCONFIGDIR=/tmp/matplotlib
COPY --from=build /opt/aiops /opt/aiops
COPY --from=build --chown=10001:10001 /data /data
WORKDIR /data
VOLUME ["/data"]
USER 10001:10001
# Health and metrics listen here in both transports; for the outside set `slack: {host: 0.0.0.0}` in aiops.yaml.
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:3000/healthz', timeout=4)"]
ENTRYPOINT ["aiops"]
CMD ["serve"]
