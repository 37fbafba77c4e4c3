#!/usr/bin/env bash
# Installs other LLM gateways to measure against, into build/bench; nothing of them is kept in the project.
#   bench/install.sh portkey | litellm
set -euo pipefail
cd "$(dirname "$0")/.."
into=$PWD/build/bench
mkdir -p "$into"

# The versions that the package's own lock file names: with newer ones of these three every stream ends in a 500.
install_portkey() {
  npm install --prefix "$into/portkey" --no-audit --no-fund @portkey-ai/gateway@1.15.2 hono@4.9.7 \
    @hono/node-server@1.13.5 @hono/node-ws@1.2.0
}

install_litellm() {
  python3 -m venv "$into/litellm"
  "$into/litellm/bin/pip" install --quiet --prefer-binary "litellm[proxy]"
  "$into/litellm/bin/pip" show litellm | sed -n "1,2p"
}

declare -F "install_${1:-}" >/dev/null || { sed -n '2,3p' "$0" | cut -c3-; exit 2; }
"install_$1"
