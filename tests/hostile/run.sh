#!/usr/bin/env bash
# Sends the hostile table to the gateway: run.sh [--junit FILE] [-k TEXT] [--compare]. TOLLGATE_BINARY names the
# gateway, that of the debug build by default. Only --compare needs more than Python and openssl: nginx and HAProxy.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
binary=${TOLLGATE_BINARY:-$root/build/debug/src/app/tollgate}

export PYTHONDONTWRITEBYTECODE=1
python3 runner.py --self-test
exec python3 runner.py "$binary" "$@"
