# syntax=docker/dockerfile:1
# docker build --target cpu -t image2song .          for any x86-64 or arm64 machine
# docker build --target cuda -t image2song:cuda .    for NVIDIA cards; run it with --gpus all
#
# docker run --rm -v "$PWD":/photos:ro image2song suggest beach.jpg
# docker run --read-only --tmpfs /tmp -v songs:/data ... image2song serve      (deploy/compose.yaml has the whole line)

FROM rust:1.95-slim-bookworm AS build-cpu
RUN apt-get update && apt-get install --yes --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN deploy/stage.sh /stage

FROM nvidia/cuda:12.8.1-devel-ubuntu24.04 AS build-cuda
RUN apt-get update && apt-get install --yes --no-install-recommends build-essential ca-certificates curl \
    && rm -rf /var/lib/apt/lists/*
RUN curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs \
    | sh -s -- -y --profile minimal --default-toolchain 1.95.0
ENV PATH=/root/.cargo/bin:$PATH
# Compute capability to build for: 75 Turing, 80 and 86 Ampere, 89 Ada, 90 Hopper.
ARG CUDA_COMPUTE_CAP=80
ENV CUDA_COMPUTE_CAP=$CUDA_COMPUTE_CAP
WORKDIR /src
COPY . .
RUN deploy/stage.sh /stage --features cuda

FROM nvidia/cuda:12.8.1-runtime-ubuntu24.04 AS cuda
COPY --from=build-cuda /stage/app /app
# What is kept lies in /data, the only folder that the program writes to.
COPY --from=build-cuda --chown=65532:65532 /stage/data /data
ENV IMAGE2SONG_DEVICE=cuda:0 IMAGE2SONG_STORE__DIR=/data IMAGE2SONG_WEB__LISTEN=0.0.0.0:8080
USER 65532:65532
WORKDIR /photos
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["/app/healthcheck.sh"]
ENTRYPOINT ["/app/image2song"]

# Last, so that a plain `docker build .` gives this one.
FROM debian:bookworm-slim AS cpu
COPY --from=build-cpu /stage/app /app
COPY --from=build-cpu --chown=65532:65532 /stage/data /data
ENV IMAGE2SONG_STORE__DIR=/data IMAGE2SONG_WEB__LISTEN=0.0.0.0:8080
USER 65532:65532
WORKDIR /photos
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["/app/healthcheck.sh"]
ENTRYPOINT ["/app/image2song"]
