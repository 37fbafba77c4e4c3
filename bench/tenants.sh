#!/usr/bin/env bash
# How limits and keys behave under load: rates of requests and of tokens, concurrency, revocation, floods of bad keys.
#   bench/tenants.sh [--quick] [T1 T2 T3 T4]     one line of figures and pass or FAIL each; all by default
#   TOLLGATE=path of a release binary; CORE_LOAD=0 CORE_PROXY=1
set -euo pipefail
cd "$(dirname "$0")/.."
make --silent -C bench
ulimit -n "$(ulimit -H -n)"
exec python3 bench/tenants.py "$@"
