#!/usr/bin/env bash
# Lets other HTTP parsers read what ours accepts, and fails where one reads it in another way.
# Usage: tests/differential/run.sh [--streams N] [--seed S] [--all] [--junit FILE]
#   --streams N   mutated request streams to try; 5000 by default
#   --all         nginx and HAProxy too (they must be installed), beside Beast, h11 and Node
# DIFFERENTIAL_BINARY names the program that makes the streams, that of the debug build by default.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
export DIFFERENTIAL_BINARY=${DIFFERENTIAL_BINARY:-$root/build/debug/tests/differential/differential}

key=$({ python3 --version; cat requirements.txt; } | sha256sum | cut -c1-16)
venv=$root/.cache/differential/python-$key
if [[ ! -e $venv/complete ]]; then
  echo "installing h11"
  rm -rf "$root"/.cache/differential/python-*
  python3 -m venv "$venv"
  for try in 1 2; do
    "$venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -r requirements.txt && break
    [[ $try -eq 1 ]] || exit 1
  done
  touch "$venv/complete"
fi
PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" run.py "$@"
