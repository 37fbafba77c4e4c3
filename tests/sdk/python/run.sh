#!/usr/bin/env bash
# Runs the Python SDK lane: run.sh [arguments of pytest]. TOLLGATE_BINARY names the gateway, the debug build by default.
# The virtual environment is made once per list of requirements and Python.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../../.. && pwd)
export TOLLGATE_BINARY=${TOLLGATE_BINARY:-$root/build/debug/src/app/tollgate}

key=$({ python3 --version; cat requirements.txt; } | sha256sum | cut -c1-16)
venv=$root/.cache/sdk/python-$key
if [[ ! -e $venv/complete ]]; then
  echo "installing the Python SDK"
  rm -rf "$root"/.cache/sdk/python-*
  python3 -m venv "$venv"
  for try in 1 2; do
    "$venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -r requirements.txt && break
    [[ $try -eq 1 ]] || exit 1
  done
  touch "$venv/complete"
fi
PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" -m pytest "$@"
