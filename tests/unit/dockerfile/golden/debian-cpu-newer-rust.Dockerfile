# Written by `baker render`; change services/, baker.toml or the templates, not this file.
#
#   docker buildx bake                              all images, as docker-bake.json beside this file says
#   docker buildx build --target new .                     one of them, by hand
#
# Base debian, accel cpu, linux/amd64. Behind a TLS proxy add: --secret id=ca,src=/etc/ssl/certs/ca-certificates.crt

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

# ---------------------------------------------------------------- toolchain, with Rust 1.96 of trixie-backports
# For crates that Debian's own Rust 1.85 does not compile.
FROM toolchain AS toolchain-backports
COPY files/backports.list /etc/apt/sources.list.d/backports.list
COPY files/backports.pref /etc/apt/preferences.d/backports.pref
RUN --mount=type=tmpfs,target=/run \
    --mount=type=secret,id=ca,mode=0444 --mount=type=secret,id=netrc \
    --mount=type=bind,source=scripts/install-packages,target=/run/install-packages \
    --mount=type=cache,id=baker-apt-debian-trixie-backports,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,id=baker-apt-lists-debian-trixie-backports,target=/var/lib/apt/lists,sharing=locked \
    /run/install-packages cargo


# ---------------------------------------------------------------- crate: new 1.0.0
# As crates.io has it, with all that its own Cargo.lock names, each checked against its sha256.
FROM toolchain AS crate-new
RUN --mount=type=secret,id=ca --mount=type=secret,id=netrc \
    --mount=type=bind,source=scripts/with-ca,target=/usr/local/bin/with-ca \
    --mount=type=bind,source=scripts/download,target=/usr/local/bin/download \
    --mount=type=bind,source=scripts/fetch-crate,target=/usr/local/bin/fetch-crate \
    --mount=type=bind,source=scripts/locked-crates,target=/usr/local/bin/locked-crates \
    --mount=type=cache,id=baker-crates,target=/var/cache/crates \
    with-ca fetch-crate new 1.0.0 abababababababababababababababababababababababababababababababab /crate /archives /var/cache/crates

# ---------------------------------------------------------------- crate: old 1.0.0
# As crates.io has it, with all that its own Cargo.lock names, each checked against its sha256.
FROM toolchain AS crate-old
RUN --mount=type=secret,id=ca --mount=type=secret,id=netrc \
    --mount=type=bind,source=scripts/with-ca,target=/usr/local/bin/with-ca \
    --mount=type=bind,source=scripts/download,target=/usr/local/bin/download \
    --mount=type=bind,source=scripts/fetch-crate,target=/usr/local/bin/fetch-crate \
    --mount=type=bind,source=scripts/locked-crates,target=/usr/local/bin/locked-crates \
    --mount=type=cache,id=baker-crates,target=/var/cache/crates \
    with-ca fetch-crate old 1.0.0 abababababababababababababababababababababababababababababababab /crate /archives /var/cache/crates

# ---------------------------------------------------------------- binary: new, cpu
# It compiles the archives that were checked, without secrets and without a network.
FROM toolchain-backports AS binary-new-cpu
ENV CARGO_HOME=/cargo \
    CARGO_TARGET_DIR=/target \
    CARGO_TERM_PROGRESS_WHEN=always \
    CARGO_TERM_PROGRESS_WIDTH=100 \
    VERGEN_IDEMPOTENT=1
RUN --network=none --mount=type=bind,source=scripts/unpack-crates,target=/usr/local/bin/unpack-crates \
    --mount=type=bind,source=scripts/check-binary,target=/usr/local/bin/check-binary \
    --mount=type=bind,source=files/unpacked.toml,target=/cargo/config.toml \
    --mount=type=bind,from=crate-new,source=/crate,target=/crate \
    --mount=type=bind,from=crate-new,source=/archives,target=/archives \
    --mount=type=cache,id=baker-target-new-1.0.0-debian-cpu-127efdae0da2,target=/target,sharing=locked \
    unpack-crates /archives /sources \
 && cargo auditable install --locked --offline --no-track --path /crate/new-1.0.0 --root /out \
 && check-binary /out/bin/new \
 && rm -r /sources

# ---------------------------------------------------------------- binary: old, cpu
# It compiles the archives that were checked, without secrets and without a network.
FROM toolchain AS binary-old-cpu
ENV CARGO_HOME=/cargo \
    CARGO_TARGET_DIR=/target \
    CARGO_TERM_PROGRESS_WHEN=always \
    CARGO_TERM_PROGRESS_WIDTH=100 \
    VERGEN_IDEMPOTENT=1
RUN --network=none --mount=type=bind,source=scripts/unpack-crates,target=/usr/local/bin/unpack-crates \
    --mount=type=bind,source=scripts/check-binary,target=/usr/local/bin/check-binary \
    --mount=type=bind,source=files/unpacked.toml,target=/cargo/config.toml \
    --mount=type=bind,from=crate-old,source=/crate,target=/crate \
    --mount=type=bind,from=crate-old,source=/archives,target=/archives \
    --mount=type=cache,id=baker-target-old-1.0.0-debian-cpu-e589fa0c9137,target=/target,sharing=locked \
    unpack-crates /archives /sources \
 && cargo auditable install --locked --offline --no-track --path /crate/old-1.0.0 --root /out \
 && check-binary /out/bin/old \
 && rm -r /sources

# ================================================================ image: new
# new
FROM runtime AS new
# The mounts belong to everybody, as /tmp does: a new volume takes that over, and any uid can write to it.
RUN install --directory --mode=0755 /app /opt/baker/bin
COPY --link --from=binary-new-cpu /out/bin/new /opt/baker/bin/new-cpu
COPY --link --from=crate-new /crate/new-1.0.0/Cargo.lock /opt/baker/crates/new-1.0.0/Cargo.lock
COPY --link --chmod=0644 services/new/image.env /opt/baker/image.env
ENV HOME=/app \
    USER=moshi
WORKDIR /app
LABEL dev.baker.accel="cpu" \
      dev.baker.base="debian" \
      dev.baker.binary="new" \
      dev.baker.crate="new" \
      dev.baker.crate.version="1.0.0" \
      dev.baker.service="new" \
      org.opencontainers.image.base.name="baker-root:golden" \
      org.opencontainers.image.title="new" \
      org.opencontainers.image.version="1.0.0"
USER 1000:1000
ENTRYPOINT ["/usr/bin/tini", "--", "/opt/baker/bin/new-cpu"]

# ================================================================ image: old
# old
FROM runtime AS old
# The mounts belong to everybody, as /tmp does: a new volume takes that over, and any uid can write to it.
RUN install --directory --mode=0755 /app /opt/baker/bin
COPY --link --from=binary-old-cpu /out/bin/old /opt/baker/bin/old-cpu
COPY --link --from=crate-old /crate/old-1.0.0/Cargo.lock /opt/baker/crates/old-1.0.0/Cargo.lock
COPY --link --chmod=0644 services/old/image.env /opt/baker/image.env
ENV HOME=/app \
    USER=moshi
WORKDIR /app
LABEL dev.baker.accel="cpu" \
      dev.baker.base="debian" \
      dev.baker.binary="old" \
      dev.baker.crate="old" \
      dev.baker.crate.version="1.0.0" \
      dev.baker.service="old" \
      org.opencontainers.image.base.name="baker-root:golden" \
      org.opencontainers.image.title="old" \
      org.opencontainers.image.version="1.0.0"
USER 1000:1000
ENTRYPOINT ["/usr/bin/tini", "--", "/opt/baker/bin/old-cpu"]
