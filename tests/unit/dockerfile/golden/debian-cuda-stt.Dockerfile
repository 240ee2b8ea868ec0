# Written by `baker render`; change services/, baker.toml or the templates, not this file.
#
#   docker buildx bake                              all images, as docker-bake.json beside this file says
#   docker buildx build --target stt .                     one of them, by hand
#
# Base debian, accel cuda, CUDA 12.4, linux/amd64. Behind a TLS proxy add: --secret id=ca,src=/etc/ssl/certs/ca-certificates.crt

# ---------------------------------------------------------------- root
# Debian trixie made by mmdebstrap from the signed archive; the tag is the hash of what it was made from.
FROM baker-root:golden AS root

# ---------------------------------------------------------------- runtime: what every image starts from
FROM root AS runtime
RUN --mount=type=tmpfs,target=/run \
    --mount=type=secret,id=ca,mode=0444 --mount=type=secret,id=netrc \
    --mount=type=bind,source=scripts/install-packages,target=/run/install-packages \
    --mount=type=cache,id=baker-apt-debian-trixie,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,id=baker-apt-lists-debian-trixie,target=/var/lib/apt/lists,sharing=locked \
    /run/install-packages libexpat1 libssl3t64 libstdc++6 tini zlib1g
# The day that the password was set would be the day of the build.
# Nobody becomes anybody else in there, so that nothing needs to be setuid.
RUN SOURCE_DATE_EPOCH=86400 useradd --uid 1000 --user-group --no-create-home --home-dir /app --shell /usr/sbin/nologin moshi \
 && chmod 0755 /root \
 && find / -xdev -perm /6000 -type f -exec chmod a-s {} + \
 && rm -f /var/log/lastlog /var/log/faillog /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow- /etc/subuid- /etc/subgid-


# ---------------------------------------------------------------- toolchain: never reaches an image that runs
FROM root AS toolchain
RUN --mount=type=tmpfs,target=/run \
    --mount=type=secret,id=ca,mode=0444 --mount=type=secret,id=netrc \
    --mount=type=bind,source=scripts/install-packages,target=/run/install-packages \
    --mount=type=cache,id=baker-apt-debian-trixie-build,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,id=baker-apt-lists-debian-trixie-build,target=/var/lib/apt/lists,sharing=locked \
    /run/install-packages cargo cargo-auditable cmake curl g++ libpython3-dev libssl-dev make pkg-config python3

FROM toolchain AS toolchain-cuda
COPY files/cuda-link-only.cfg /etc/dpkg/dpkg.cfg.d/cuda-link-only
RUN --mount=type=tmpfs,target=/run \
    --mount=type=secret,id=ca,mode=0444 --mount=type=secret,id=netrc \
    --mount=type=bind,source=scripts/install-packages,target=/run/install-packages \
    --mount=type=cache,id=baker-apt-debian-trixie-build,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,id=baker-apt-lists-debian-trixie-build,target=/var/lib/apt/lists,sharing=locked \
    /run/install-packages nvidia-cuda-dev nvidia-cuda-toolkit \
 && nvcc --version | grep "release 12.4," \
 && install -D --mode=0644 /usr/lib/x86_64-linux-gnu/stubs/libcuda.so /stubs/libcuda.so.1

# ---------------------------------------------------------------- python: Debian's own interpreter, and uv
FROM root AS python
RUN --mount=type=tmpfs,target=/run \
    --mount=type=secret,id=ca,mode=0444 --mount=type=secret,id=netrc \
    --mount=type=bind,source=scripts/install-packages,target=/run/install-packages \
    --mount=type=cache,id=baker-apt-debian-trixie,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,id=baker-apt-lists-debian-trixie,target=/var/lib/apt/lists,sharing=locked \
    /run/install-packages libpython3.13 python3.13 python3-venv
RUN --mount=type=bind,source=scripts/record-package,target=/usr/local/bin/record-package \
    record-package libpython3.13 /opt/baker/packages/libpython3.13
COPY files/uv.txt /pins/uv.txt
RUN --mount=type=secret,id=ca --mount=type=secret,id=netrc \
    --mount=type=bind,source=scripts/with-ca,target=/usr/local/bin/with-ca \
    --mount=type=cache,id=baker-pip,target=/root/.cache/pip \
    python3 -m venv /opt/uv \
 && with-ca /opt/uv/bin/pip install --require-hashes --no-deps --requirement /pins/uv.txt
ENV PATH=/opt/uv/bin:$PATH \
    PYC_INVALIDATION_MODE=UNCHECKED_HASH \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PROJECT_ENVIRONMENT=/opt/venv \
    UV_PYTHON=/usr/bin/python3.13



# ---------------------------------------------------------------- crate: moshi-server 0.6.4
# As crates.io has it, with all that its own Cargo.lock names, each checked against its sha256.
FROM toolchain AS crate-moshi-server
RUN --mount=type=secret,id=ca --mount=type=secret,id=netrc \
    --mount=type=bind,source=scripts/with-ca,target=/usr/local/bin/with-ca \
    --mount=type=bind,source=scripts/download,target=/usr/local/bin/download \
    --mount=type=bind,source=scripts/fetch-crate,target=/usr/local/bin/fetch-crate \
    --mount=type=bind,source=scripts/locked-crates,target=/usr/local/bin/locked-crates \
    --mount=type=cache,id=baker-crates,target=/var/cache/crates \
    with-ca fetch-crate moshi-server 0.6.4 bd480dff27beaa4aae21aa805541f361e3f4c7481c6684361d103e6069233d5b /crate /archives /var/cache/crates

# ---------------------------------------------------------------- binary: moshi-server, cuda-75
# candle embeds PTX for one compute capability; a card that is newer runs it too.
# It compiles the archives that were checked, without secrets and without a network.
FROM toolchain-cuda AS binary-moshi-server-cuda-75
RUN --mount=type=tmpfs,target=/run \
    --mount=type=secret,id=ca,mode=0444 --mount=type=secret,id=netrc \
    --mount=type=bind,source=scripts/install-packages,target=/run/install-packages \
    --mount=type=cache,id=baker-apt-debian-trixie-build,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,id=baker-apt-lists-debian-trixie-build,target=/var/lib/apt/lists,sharing=locked \
    /run/install-packages libprotobuf-dev libsentencepiece-dev
ENV CARGO_HOME=/cargo \
    CARGO_TARGET_DIR=/target \
    CARGO_TERM_PROGRESS_WHEN=always \
    CARGO_TERM_PROGRESS_WIDTH=100 \
    CUDA_COMPUTE_CAP=75 \
    PYO3_PYTHON=/usr/bin/python3.13 \
    RUSTFLAGS="-C link-arg=-Wl,-rpath,/opt/venv/lib/python3.13/site-packages/nvidia/cublas/lib:/opt/venv/lib/python3.13/site-packages/nvidia/cuda_nvrtc/lib:/opt/venv/lib/python3.13/site-packages/nvidia/curand/lib:/usr/lib/x86_64-linux-gnu" \
    VERGEN_IDEMPOTENT=1
RUN --network=none --mount=type=bind,source=scripts/unpack-crates,target=/usr/local/bin/unpack-crates \
    --mount=type=bind,source=scripts/check-binary,target=/usr/local/bin/check-binary \
    --mount=type=bind,source=scripts/forget-kernels,target=/usr/local/bin/forget-kernels \
    --mount=type=bind,source=files/unpacked.toml,target=/cargo/config.toml \
    --mount=type=bind,from=crate-moshi-server,source=/crate,target=/crate \
    --mount=type=bind,from=crate-moshi-server,source=/archives,target=/archives \
    --mount=type=cache,id=baker-target-moshi-server-0.6.4-debian-cuda12.4-c8f0115529a3,target=/target,sharing=locked \
    unpack-crates /archives /sources \
 && forget-kernels /target 75 \
 && cargo auditable install --locked --offline --no-track --path /crate/moshi-server-0.6.4 --features cuda --root /out \
 && check-binary /out/bin/moshi-server libcuda.so.1 libsentencepiece.so.0 libpython3.13.so.1.0 \
 && rm -r /sources

# ---------------------------------------------------------------- binary: moshi-server, cuda-80
# candle embeds PTX for one compute capability; a card that is newer runs it too.
# It compiles the archives that were checked, without secrets and without a network.
FROM toolchain-cuda AS binary-moshi-server-cuda-80
RUN --mount=type=tmpfs,target=/run \
    --mount=type=secret,id=ca,mode=0444 --mount=type=secret,id=netrc \
    --mount=type=bind,source=scripts/install-packages,target=/run/install-packages \
    --mount=type=cache,id=baker-apt-debian-trixie-build,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,id=baker-apt-lists-debian-trixie-build,target=/var/lib/apt/lists,sharing=locked \
    /run/install-packages libprotobuf-dev libsentencepiece-dev
ENV CARGO_HOME=/cargo \
    CARGO_TARGET_DIR=/target \
    CARGO_TERM_PROGRESS_WHEN=always \
    CARGO_TERM_PROGRESS_WIDTH=100 \
    CUDA_COMPUTE_CAP=80 \
    PYO3_PYTHON=/usr/bin/python3.13 \
    RUSTFLAGS="-C link-arg=-Wl,-rpath,/opt/venv/lib/python3.13/site-packages/nvidia/cublas/lib:/opt/venv/lib/python3.13/site-packages/nvidia/cuda_nvrtc/lib:/opt/venv/lib/python3.13/site-packages/nvidia/curand/lib:/usr/lib/x86_64-linux-gnu" \
    VERGEN_IDEMPOTENT=1
RUN --network=none --mount=type=bind,source=scripts/unpack-crates,target=/usr/local/bin/unpack-crates \
    --mount=type=bind,source=scripts/check-binary,target=/usr/local/bin/check-binary \
    --mount=type=bind,source=scripts/forget-kernels,target=/usr/local/bin/forget-kernels \
    --mount=type=bind,source=files/unpacked.toml,target=/cargo/config.toml \
    --mount=type=bind,from=crate-moshi-server,source=/crate,target=/crate \
    --mount=type=bind,from=crate-moshi-server,source=/archives,target=/archives \
    --mount=type=cache,id=baker-target-moshi-server-0.6.4-debian-cuda12.4-c8f0115529a3,target=/target,sharing=locked \
    unpack-crates /archives /sources \
 && forget-kernels /target 80 \
 && cargo auditable install --locked --offline --no-track --path /crate/moshi-server-0.6.4 --features cuda --root /out \
 && check-binary /out/bin/moshi-server libcuda.so.1 libsentencepiece.so.0 libpython3.13.so.1.0 \
 && rm -r /sources

# ---------------------------------------------------------------- tool: moshi-health
# A small program of this project, standard library only.
FROM toolchain AS tool-moshi-health
COPY services/moshi-server/probe /src
RUN --network=none CARGO_TARGET_DIR=/tmp/target cargo auditable install --locked --offline --no-track --path /src --root /out \
 && rm -r /tmp/target

# ---------------------------------------------------------------- libraries: CUDA as the wheels bring it
# Only what the binary links, and only the shared objects. Every image takes them from here, so CUDA is shipped once.
FROM python AS libraries-moshi-server
RUN --mount=type=secret,id=ca --mount=type=secret,id=netrc \
    --mount=type=bind,source=scripts/with-ca,target=/usr/local/bin/with-ca \
    --mount=type=bind,source=services/moshi-server/pyproject.toml,target=/project/pyproject.toml \
    --mount=type=bind,source=services/moshi-server/uv.lock,target=/project/uv.lock \
    --mount=type=bind,source=scripts/prune-packages,target=/usr/local/bin/prune-packages \
    --mount=type=cache,id=baker-uv,target=/root/.cache/uv \
    --mount=type=bind,source=scripts/keep-libraries,target=/usr/local/bin/keep-libraries \
    with-ca uv sync --project /project --locked --no-install-project --only-group cuda \
 && prune-packages /opt/venv/lib/python3.13/site-packages 'nvidia/cuda_nvrtc/lib/libnvrtc.alt.so.*' '*.a' \
 && keep-libraries /opt/venv/lib/python3.13/site-packages /layers nvidia/cublas/lib nvidia/cuda_nvrtc/lib nvidia/curand/lib

# ---------------------------------------------------------------- runtime with the CUDA libraries
FROM runtime AS runtime-moshi-server
COPY --link --from=libraries-moshi-server /layers/1 /
COPY --link --from=libraries-moshi-server /layers/2 /
COPY --link --from=libraries-moshi-server /layers/3 /

# ================================================================ image: stt
# Kyutai's speech-to-text behind a websocket: the CUDA binary and the libraries it links, nothing else.
FROM runtime-moshi-server AS stt
RUN --mount=type=tmpfs,target=/run \
    --mount=type=secret,id=ca,mode=0444 --mount=type=secret,id=netrc \
    --mount=type=bind,source=scripts/install-packages,target=/run/install-packages \
    --mount=type=cache,id=baker-apt-debian-trixie,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,id=baker-apt-lists-debian-trixie,target=/var/lib/apt/lists,sharing=locked \
    /run/install-packages libsentencepiece0
# The mounts belong to everybody, as /tmp does: a new volume takes that over, and any uid can write to it.
RUN install --directory --mode=0755 /app /opt/baker/bin /app/static \
 && install --directory --mode=1777 /root/.cache/huggingface /root/.cache/huggingface/hub /tmp/unmute_logs
COPY --link --from=python /usr/lib/x86_64-linux-gnu/libpython3.13.so.1.0 /usr/lib/x86_64-linux-gnu/libpython3.13.so.1.0
COPY --link --from=python /opt/baker/packages/libpython3.13 /opt/baker/packages/libpython3.13
COPY --link --from=toolchain-cuda /stubs /opt/baker/stubs
COPY --link --from=binary-moshi-server-cuda-75 /out/bin/moshi-server /opt/baker/bin/moshi-server-cuda-75
COPY --link --from=binary-moshi-server-cuda-80 /out/bin/moshi-server /opt/baker/bin/moshi-server-cuda-80
COPY --link --from=crate-moshi-server /crate/moshi-server-0.6.4/Cargo.lock /opt/baker/crates/moshi-server-0.6.4/Cargo.lock
COPY --link --from=tool-moshi-health /out/bin/moshi-health /opt/baker/bin/
COPY --link --chmod=0644 services/stt/image.env /opt/baker/image.env
COPY --link services/moshi-server/page /app/static
COPY --link --chmod=0755 services/moshi-server/start_moshi_server.sh /app/start_moshi_server.sh
COPY --link services/moshi-server/start /opt/baker/start
COPY --link services/stt/configs /app/configs
ENV CUDA_CACHE_PATH=/root/.cache/huggingface/jit/cuda \
    HF_HOME=/root/.cache/huggingface \
    HOME=/tmp \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    NVIDIA_VISIBLE_DEVICES=all \
    RUST_BACKTRACE=1 \
    USER=moshi
WORKDIR /app
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=120s --retries=3 CMD ["/opt/baker/bin/moshi-health", "--start-wait", "110"]
LABEL dev.baker.accel="cuda" \
      dev.baker.base="debian" \
      dev.baker.binary="moshi-server" \
      dev.baker.budget="1350000000" \
      dev.baker.capabilities="75 80" \
      dev.baker.crate="moshi-server" \
      dev.baker.crate.version="0.6.4" \
      dev.baker.cuda="12.4" \
      dev.baker.driver-floor="550.54.14" \
      dev.baker.embeds-python="true" \
      dev.baker.packages="libsentencepiece0" \
      dev.baker.ptx="8.4 sm_75, 8.4 sm_80" \
      dev.baker.python="3.13" \
      dev.baker.service="stt" \
      org.opencontainers.image.base.name="baker-root:golden" \
      org.opencontainers.image.description="Kyutai's speech-to-text behind a websocket: the CUDA binary and the libraries it links, nothing else." \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.title="moshi-server, speech-to-text" \
      org.opencontainers.image.version="0.6.4"
USER 1000:1000
ENTRYPOINT ["/usr/bin/tini", "--", "/app/start_moshi_server.sh"]
CMD ["worker", "--config", "configs/stt.toml"]
