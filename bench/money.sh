#!/usr/bin/env bash
# Whether money is exact: budgets that cannot be overrun, calls that end in every way, kill -9, full disks, locked stores,
# failing syncs; what one request costs on every way; what it costs to know.
#   bench/money.sh [--quick] [M8 U4 M2 M1 M4 M5 failpoints overhead]     one line of figures and pass or FAIL each
#   bench/money.sh --self-test        whether the checkers find what is wrong
#   TOLLGATE=path of a release binary (failpoints: a debug build); CORE_LOAD=0 CORE_PROXY=1
# M4 makes a mount namespace and M5 traces the gateway: both need the right to. overhead needs valgrind.
set -euo pipefail
cd "$(dirname "$0")/.."
make --silent -C bench
ulimit -n "$(ulimit -H -n)"
exec python3 bench/money.py "$@"
