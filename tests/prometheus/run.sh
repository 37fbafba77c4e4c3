#!/usr/bin/env bash
# Puts every expression of docker/ to a real Prometheus that watches a gateway under load: run.sh [--junit FILE] [-k TEXT] [--whole-build].
# TOLLGATE_BINARY names the gateway, that of the debug build by default. Needs Debian's prometheus, openssl and Python.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
binary=${TOLLGATE_BINARY:-$root/build/debug/src/app/tollgate}
for tool in prometheus promtool openssl; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: scripts/setup.sh test" >&2; exit 1; }
done

export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$root/tests/hostile:$root/tests/security:$root/docker/grafana
python3 runner.py --self-test
exec python3 runner.py "$binary" "$@"
