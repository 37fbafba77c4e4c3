#!/usr/bin/env bash
# Runs the Node SDK lane: run.sh [JUNIT_FILE]. TOLLGATE_BINARY names the gateway, the debug build by default.
# The SDK asks for a newer Node than many systems have, so the lane uses the one among its own packages where there is one.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../../.. && pwd)
export TOLLGATE_BINARY=${TOLLGATE_BINARY:-$root/build/debug/src/app/tollgate}

key=$(sha256sum package-lock.json | cut -c1-16)
if [[ $(cat node_modules/.complete 2>/dev/null) != "$key" ]]; then
  echo "installing the Node SDK"
  for try in 1 2; do
    # The engine warning is about the Node that runs npm, not the one that runs the tests.
    npm ci --loglevel=error --ignore-scripts && break
    [[ $try -eq 1 ]] || exit 1
  done
  echo "$key" >node_modules/.complete
fi

node=node
for own in node_modules/node-linux-*/bin/node; do
  if "$own" --version >/dev/null 2>&1; then node=$own; fi
done
reporters=(--test-reporter=spec --test-reporter-destination=stdout)
[[ $# -eq 0 ]] || reporters+=(--test-reporter=junit --test-reporter-destination="$1")
exec "$node" --test --test-timeout=60000 "${reporters[@]}" ./*.test.mjs
