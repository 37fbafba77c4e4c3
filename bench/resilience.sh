#!/usr/bin/env bash
# What the gateway bears: many streams, saturation, overload, slow readers, slow and oversized requests, no descriptors left.
#   bench/resilience.sh [--quick] [L1 L2 L3 L5 R1 R2 R3]     one line of figures and pass or FAIL each; all by default
#   TOLLGATE=path of a release binary; STREAMS=1000; CORE_LOAD=0 CORE_PROXY=1
set -euo pipefail
cd "$(dirname "$0")/.."
command -v slowhttptest >/dev/null || { echo "slowhttptest is missing: scripts/setup.sh bench" >&2; exit 1; }
make --silent -C bench
ulimit -n "$(ulimit -H -n)"
exec python3 bench/resilience.py "$@"
