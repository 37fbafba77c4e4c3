#!/usr/bin/env bash
# Clients of one API in front of providers of the other: streams while a provider fails (X1), and what they cost (X2).
#   bench/cross.sh [--quick] [X1 X2]     one line of figures and pass or FAIL each
#   bench/cross.sh --self-test           whether the checker of streams finds what is wrong
#   TOLLGATE=path of a release binary; CORE_LOAD=0 CORE_PROXY=1
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 bench/cross.py "$@"
