#!/usr/bin/env bash
# Builds the gateway and runs it on its built-in provider simulator: no key, no network. Ctrl-C stops it.
# Usage: scripts/run.sh [--no-setup] [arguments of `tollgate serve`]
#   --no-setup   do not look for missing packages
#   --config F   another configuration than config/routes.yaml
set -euo pipefail
cd "$(dirname "$0")/.."

[[ ${1:-} == --no-setup ]] && shift || scripts/setup.sh build

started=$SECONDS
configured=$(cmake --preset release 2>&1) || { printf '%s\n' "$configured" >&2; exit 1; }
echo "building (a first build takes minutes, later ones seconds)"
cmake --build --preset release --parallel "$(nproc)" --target tollgate
echo "built in $((SECONDS - started)) s"

[[ " $* " == *" --config"* ]] || set -- --config config/routes.yaml "$@"

wait_until_ready() { # HOST PORT
  local status
  for _ in {1..200}; do
    if status=$(exec 3<>"/dev/tcp/$1/$2" &&
      printf 'GET /health/ready HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n' "$1" "$2" >&3 &&
      head -n 1 <&3) 2>/dev/null && [[ $status == *" 200 "* ]]; then
      return 0
    fi
    sleep 0.05
  done
  return 1
}

show_first_calls() { # ADDRESS
  cat <<EOT

tollgate is ready on http://$1. Three ways to call it:

  curl http://$1/v1/chat/completions -H 'Content-Type: application/json' \\
    -d '{"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}'

  from openai import OpenAI                                  # pip install openai
  client = OpenAI(base_url="http://$1/v1", api_key="unused")
  for chunk in client.chat.completions.create(model="auto", stream=True, messages=[{"role": "user", "content": "Hello"}]):
      print(chunk.choices[0].delta.content or "", end="", flush=True)

  node --input-type=module -e 'import OpenAI from "openai"; const client = new OpenAI({baseURL: "http://$1/v1", apiKey: "unused"}); console.log((await client.chat.completions.create({model: "auto", messages: [{role: "user", content: "Hello"}]})).choices[0].message.content)'

Ctrl-C stops it.

EOT
}

# Passes on everything that the gateway says and waits for the one line that names its address. It outlives Ctrl-C, so
# that the last words of a stopping gateway are seen.
announce() {
  trap '' INT TERM
  local line address
  while IFS= read -r line; do
    printf '%s\n' "$line"
    if [[ $line =~ \"event\":\"listening\",\"plane\":\"data\",\"address\":\"([0-9.]+):([0-9]+)\" ]]; then
      address=${BASH_REMATCH[1]}:${BASH_REMATCH[2]}
      { wait_until_ready "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" && show_first_calls "$address"; } &
    fi
  done
  wait
}

# The gateway takes this shell's place: its signals and its exit code are the script's.
exec build/release/src/app/tollgate serve "$@" 2> >(announce >&2)
