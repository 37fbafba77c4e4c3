#!/usr/bin/env bash
# What translation costs by itself, in instructions and CPU time, beside identity; it needs the release build's protocol room:
#   cmake --preset release && cmake --build build/release --target tollgate_protocol && bench/translate.sh
set -euo pipefail
cd "$(dirname "$0")/.."
command -v valgrind >/dev/null || { echo "valgrind is missing: scripts/setup.sh bench" >&2; exit 1; }
make --silent -C bench ../build/bench/translate
exec python3 bench/translate.py
