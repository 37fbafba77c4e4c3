#!/usr/bin/env bash
# How requests fare while providers fail: failing at random, an outage and its end, slow and failing targets, waits that
# are asked for, deadlines, an SDK that retries as well.
#   bench/routing.sh [--quick] [R1 R2 R3 R5 R6]     one line of figures and pass or FAIL each; all by default
#   TOLLGATE=path of a release binary; CORE_LOAD=0 CORE_PROXY=1
set -euo pipefail
cd "$(dirname "$0")/.."
ulimit -n "$(ulimit -H -n)"
exec python3 bench/routing.py "$@"
