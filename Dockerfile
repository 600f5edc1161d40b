# The image of every Airflow process of ours. Python's own slim image and our lock, not apache/airflow: that one brings
# some 100 provider packages at versions of its own, which the lock would replace or leave lying about untested.
# The lock holds Airflow itself, each file by hash, and is what the tests ran with. Python is the tests' too.
ARG NAMRONG_PYTHON_IMAGE=python:3.11-slim-bookworm
FROM ${NAMRONG_PYTHON_IMAGE} AS base

# pg_dump and pg_restore of PostgreSQL 18: at least the source's major version; Debian's own is 15. Debian's
# postgresql-common knows PostgreSQL's own archive and its key.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates postgresql-common \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && apt-get install -y --no-install-recommends postgresql-client-18 \
    && rm -rf /var/lib/apt/lists/*

# The group 0 and group-writable folders let it run under any user id, as some clusters choose one.
RUN useradd --uid 50000 --gid 0 --no-create-home --home-dir /var/lib/namrong namrong \
    && install -d -o 50000 -g 0 -m 0770 \
        /var/lib/namrong /var/lib/namrong/airflow /var/log/namrong /srv/agencies /run/namrong

ENV PYTHONUNBUFFERED=1 \
    PYTHONUTF8=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PATH=/opt/venv/bin:$PATH \
    HOME=/var/lib/namrong \
    AIRFLOW_HOME=/var/lib/namrong/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/namrong/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/namrong/plugins \
    AIRFLOW__LOGGING__BASE_LOG_FOLDER=/var/log/namrong \
    PYTHONPATH=/opt/namrong/include:/opt/namrong/plugins \
    GX_ANALYTICS_ENABLED=false

# Installed apart from what runs: neither pip's cache nor a compiler gets into the image.
FROM ${NAMRONG_PYTHON_IMAGE} AS packages
RUN python -m venv /opt/venv
COPY requirements.txt /requirements.txt
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r /requirements.txt

FROM packages AS packages-sandbox
COPY requirements-local.txt /requirements-local.txt
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r /requirements-local.txt

# The pretended cloud and the fictional agencies (`--profile sandbox`): with the tests' packages, not for production.
FROM base AS sandbox
COPY --from=packages-sandbox /opt/venv /opt/venv
WORKDIR /opt/namrong
COPY dags dags
COPY plugins plugins
COPY include include
USER 50000:0
CMD ["python", "-m", "sandbox", "--help"]

FROM base AS airflow
COPY --from=packages /opt/venv /opt/venv
WORKDIR /opt/namrong
COPY dags dags
COPY plugins plugins
COPY include include
USER 50000:0
# Each service says its own command and health check (docker-compose.yaml, or a chart).
CMD ["airflow", "version"]
