#!/usr/bin/env bash
# Proves what docs/security.md promises: run.sh [--junit FILE] [-k TEXT]. TOLLGATE_BINARY names the gateway, that of the
# debug build by default. Needs nothing but Python; with strace every dial of the process is seen, without it most.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
binary=${TOLLGATE_BINARY:-$root/build/debug/src/app/tollgate}

export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$root/tests/hostile
python3 runner.py --self-test
exec python3 runner.py "$binary" "$@"
