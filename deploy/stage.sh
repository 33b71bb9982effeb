#!/bin/bash
# Builds the program and lays out what an image holds: DIR/app (the program, its model, the health check) and the empty
# DIR/data. Settings are built in. The Dockerfile runs it; so can anybody without a container engine.
#   deploy/stage.sh DIR [arguments for cargo, such as --features cuda]
set -euo pipefail
if [ $# -lt 1 ]; then
    echo "usage: deploy/stage.sh DIR [arguments for cargo]" >&2
    exit 2
fi
stage=$1
shift
cd "$(dirname "$0")/.."
cargo build --release --locked --bin image2song "$@"
mkdir -p "$stage/app/models/base" "$stage/data"
install -m 755 "${CARGO_TARGET_DIR:-target}/release/image2song" "$stage/app/image2song"
strip --strip-debug "$stage/app/image2song"
install -m 755 deploy/healthcheck.sh "$stage/app/healthcheck.sh"
cp -R models/base/. "$stage/app/models/base/"
