#!/usr/bin/env bash
# Builds the gateway and runs it on its built-in provider simulators: no key, no network. Ctrl-C stops it.
# Once it is ready it is tried for a few seconds, on a provider of which every fourth call fails.
# Usage: scripts/run.sh [--no-setup] [--no-demo] [arguments of `tollgate serve`]
#   --no-setup   do not look for missing packages
#   --no-demo    do not try it
#   --config F   another configuration than config/routes.yaml; not tried either
set -euo pipefail
cd "$(dirname "$0")/.."

setup=yes demo=yes
while [[ ${1:-} == --no-setup || ${1:-} == --no-demo ]]; do
  [[ $1 == --no-setup ]] && setup=no || demo=no
  shift
done
[[ $setup == no ]] || scripts/setup.sh build

started=$SECONDS
configured=$(cmake --preset release 2>&1) || { printf '%s\n' "$configured" >&2; exit 1; }
echo "building (a first build takes minutes, later ones seconds)"
cmake --build --preset release --parallel "$(nproc)" --target tollgate
echo "built in $((SECONDS - started)) s"

if [[ " $* " == *" --config"* ]]; then demo=no; else set -- --config config/routes.yaml "$@"; fi

# The answer of a connection of its own, with its head. Fails where nobody listens.
exchange() { # HOST:PORT "METHOD PATH" BODY [FIELD]
  local address=$1 line=$2 body=$3 field=${4:-Accept: */*}
  local head='%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n'
  (
    exec 2>/dev/null 3<>"/dev/tcp/${address%:*}/${address#*:}" || exit 1
    printf "$head%s\r\nConnection: close\r\n\r\n%s" "$line" "$address" "${#body}" "$field" "$body" >&3
    cat <&3
  )
}

wait_until_ready() { # ADDRESS
  local _ answer
  for _ in {1..200}; do
    answer=$(exchange "$1" "GET /health/ready" "") && [[ $answer == "HTTP/1.1 200 "* ]] && return 0
    sleep 0.05
  done
  return 1
}

# One client: prints a line for each of its calls while somebody listens. Failed is what brought no whole answer.
call_five_times() { # ADDRESS CLIENT
  local call answer stream
  for call in {1..5}; do
    stream=$( (((call + $2) % 2)) && echo true || echo false)
    answer=$(exchange "$1" "POST /v1/chat/completions" "$(printf '{"model": "auto", "max_tokens": 8, "stream": %s,
      "messages": [{"role": "user", "content": "Hello"}]}' "$stream")" "X-Request-Id: $demo_id") || return 0
    case $stream/$answer in
      true/HTTP/1.1\ 200\ *'data: [DONE]'* | false/HTTP/1.1\ 200\ *'"usage":'*'}') echo whole ;;
      *) echo failed ;;
    esac
  done
}

demo_id=run.sh-demo # by which the access log of the demo is told from all other

show_demo() { # DATA METRICS
  local client calls asked broken
  echo "trying it: 40 clients, 200 calls, half of them streams, on a provider of which every fourth call fails"
  # One after the other, as clients do: what all begin at once fails at once, and the circuit opens.
  calls=$(for client in {1..40}; do call_five_times "$1" "$client" & sleep 0.03; done; wait)
  [[ $(wc -l <<<"$calls") -eq 200 ]] || return 1
  read -r asked broken < <(exchange "$2" "GET /metrics" "" | awk '
    /^tollgate_attempts_total\{target="flaky\// { asked += $NF; if (!/outcome="ok"/) broken += $NF }
    END { print asked + 0, broken + 0 }')
  printf 'of %d calls to the provider %d failed (%d %%); of 200 calls to tollgate %d failed\n' \
    "$asked" "$broken" $((asked ? 100 * broken / asked : 0)) "$(grep -c failed <<<"$calls")"
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

# Passes on everything that the gateway says and waits for the lines that name its addresses. It outlives Ctrl-C, so that
# the last words of a stopping gateway are seen; what it has begun ends by itself when nobody listens any more.
announce() {
  trap '' INT TERM
  local line data= metrics=
  while IFS= read -r line; do
    printf '%s\n' "$line"
    if [[ $line =~ \"event\":\"listening\",\"plane\":\"(data|metrics)\",\"address\":\"([0-9.]+:[0-9]+)\" ]]; then
      [[ ${BASH_REMATCH[1]} == data ]] && data=${data:-${BASH_REMATCH[2]}} || metrics=${BASH_REMATCH[2]}
    fi
    [[ $line == *'"event":"ready"'* && $data ]] || continue
    { wait_until_ready "$data" && { [[ $demo == no ]] || show_demo "$data" "$metrics"; } && show_first_calls "$data"; } &
  done
  wait
}

# The demo's lines of the access log would bury everything else.
without_demo() {
  trap '' INT TERM
  exec grep --line-buffered -v "\"client_request_id\":\"$demo_id\""
}
[[ $demo == no ]] || exec > >(without_demo)

# The gateway takes this shell's place: its signals and its exit code are the script's.
exec build/release/src/app/tollgate serve "$@" 2> >(announce >&2)
