# One image for every process of the studio; docker-compose.yml says which one a container runs.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore UV_SYSTEM_CERTS=1
COPY requirements/ /requirements/
RUN python -m pip install -q --require-hashes -r /requirements/uv.txt
# For one process alone: docker build --build-arg ROLE=api (or worker, bot, overlay).
ARG ROLE=demo
RUN python -m venv --without-pip /opt/studio \
 && uv pip install -q --no-cache --python /opt/studio/bin/python --compile-bytecode --require-hashes -r /requirements/${ROLE}.txt

FROM python:${PYTHON}-slim
# Title cards show the viewer's own words: without these fonts a Japanese prompt or an emoji would leave a gap (60 MB).
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends fonts-noto-cjk fonts-noto-color-emoji >/dev/null \
 && apt-get clean \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /usr/share/fonts/opentype/noto/NotoSerif*
# Named volumes take over the owner of the folder that they are mounted on.
RUN groupadd --gid 10001 studio \
 && useradd --uid 10001 --gid studio --home-dir /studio --no-create-home --shell /usr/sbin/nologin studio \
 && install -d -o studio -g studio -m 0750 /studio/var /clips
COPY --from=packages /opt/studio /opt/studio
WORKDIR /studio
COPY studio.toml ./
COPY sakuga/ sakuga/
COPY api/ api/
COPY worker/ worker/
COPY gpu/ gpu/
COPY bot/ bot/
COPY overlay/ overlay/
RUN /opt/studio/bin/python -m compileall -q .
ENV PATH=/opt/studio/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 SAKUGA_STORAGE_URL=/clips
USER 10001:10001
CMD ["python", "-m", "api"]
