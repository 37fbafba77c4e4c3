#!/usr/bin/env bash
# What one request and one streamed event cost in user instructions; the head of instructions.py says how they are counted.
#   bench/instructions.sh [--check | --record] [--only TEXT] [--keep FOLDER]     TOLLGATE=path of a release binary (default: build/release)
set -euo pipefail
cd "$(dirname "$0")/.."
command -v valgrind >/dev/null || { echo "valgrind is missing: scripts/setup.sh bench" >&2; exit 1; }
make --silent -C bench ../build/bench/load
exec python3 bench/instructions.py "$@"
