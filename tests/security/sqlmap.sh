#!/usr/bin/env bash
# sqlmap at level 3 and risk 2 against every parameter of the admin API and every credential of the data port. Not a gate:
# it needs the network once (a pinned sqlmap into build/) and about ten minutes.
#   tests/security/sqlmap.sh [-k TEXT]     only targets whose name holds the text; TOLLGATE_BINARY names the gateway
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
binary=${TOLLGATE_BINARY:-$root/build/debug/src/app/tollgate}
version=1.10.10
venv=$root/build/sqlmap

if ! [[ -x $venv/bin/sqlmap ]] || ! "$venv/bin/pip" show sqlmap 2>/dev/null | grep -qx "Version: $version"; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "sqlmap==$version"
fi
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$root/tests/hostile
exec python3 sqlmap.py "$binary" "$venv/bin/sqlmap" "$@"
