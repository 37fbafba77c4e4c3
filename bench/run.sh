#!/usr/bin/env bash
# Measures the gateway next to plain proxies on this machine and writes the table into docs/performance.md.
#   bench/run.sh [--quick] [--with "tollgate-full portkey litellm"] [--only "nginx tollgate"] [--no-page] [suite...]
# Suites: closed   64 connections, one request after the other on each: requests/s, CPU per request, by size
#         growth   the same with 1 KB and 8 to 2,000 connections
#         open     requests on a timetable, by rate and size: latency added to `direct`
#         sse      streams back to back, 100 paced streams, 1,000 paced streams: CPU per event, delay
#         idle, streams   memory of 2,000 idle connections and of 2,000 live streams, on fresh processes, also over TLS
#         startup  from exec to the first answer; size of the stripped binary
# Environment: ROUNDS SECS CONNS SIZES RATES GROWTH STREAMS HOLD LIMIT WAIT CORE_LOAD CORE_PROXY TOLLGATE SPIN
#   LIMIT  a round counts only if the rest of the machine used less than so many cores (0.08)
#   SPIN   `server.spin` of the target tollgate-spin (1ms)
#   WAIT   seconds in all to wait for a quiet machine; after that rounds are taken as they come
# Mock and driver run on core 0, the proxies on core 1. The order turns round every round.
set -euo pipefail
cd "$(dirname "$0")/.."
ROOT=$PWD TOOLS=$PWD/build/bench
quick="" with="" only="" page=docs/performance.md suites=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --quick) quick=yes ;;
    --with) with=$2; shift ;;
    --only) only=$2; shift ;;
    --no-page) page="" ;;
    -*) sed -n '2,3p' "$0" | cut -c3-; exit 2 ;;
    *) suites+=("$1") ;;
  esac
  shift
done
[[ ${#suites[@]} -gt 0 ]] || suites=(closed growth open sse idle streams startup)
ROUNDS=${ROUNDS:-${quick:+1}} ROUNDS=${ROUNDS:-3}
SECS=${SECS:-${quick:+1}} SECS=${SECS:-3}
SIZES=${SIZES:-${quick:+1024 102400}} SIZES=${SIZES:-1024 10240 102400}
GROWTH=${GROWTH:-${quick:+64 2000}} GROWTH=${GROWTH:-8 64 512 2000}
RATES=${RATES:-2000 10000}
CONNS=${CONNS:-64} HOLD=${HOLD:-2000} STREAMS=${STREAMS:-1000} LIMIT=${LIMIT:-0.08}
WAIT=${WAIT:-${quick:+10}} WAIT=${WAIT:-90}
# What is in `with` and `only` is a list of words on purpose.
# shellcheck disable=SC2206
wanted=(${only:-floor nginx haproxy tollgate tollgate-spin} $with)
# shellcheck source=targets.sh
source bench/targets.sh

for tool in wrk python3 taskset; do command -v "$tool" >/dev/null || { echo "$tool is missing: scripts/setup.sh bench" >&2; exit 1; }; done
[[ -x $TOLLGATE ]] || { echo "no release binary: cmake --preset release && cmake --build --preset release" >&2; exit 1; }
make --silent -C bench
out=$TOOLS/results/$(date +%Y%m%d-%H%M%S)
mkdir -p "$out"
trap stop_targets EXIT
round=1 waited=0

# --- one measurement -----------------------------------------------------------------------------------------------------

emit() { sed "s/^{/{\"suite\":\"$1\",\"round\":$round,/" | tee -a "$out/results.jsonl" | cut -c1-140; }
failed() { echo "($1 failed in $2)" >&2; }
load() { taskset -c "$CORE_LOAD" "$TOOLS/load" "$@"; }
await_quiet() {
  local started=$SECONDS
  "$TOOLS/load" quiet --secs "$((WAIT > waited ? (WAIT - waited < 20 ? WAIT - waited : 20) : 0))" --limit "$LIMIT" || true
  waited=$((waited + SECONDS - started))
}
describe() { # NAME: sets `url` and `options`, which name the target and what is charged to it
  local field
  url=http://127.0.0.1:${port_of[$1]}$API
  options=(--name "$1" --url "$url" --pid "${pid_of[$1]}" --also "${pid_of[direct]}")
  [[ $1 != *-tls ]] || options+=(--tls)
  while read -r field; do [[ -z $field ]] || options+=(--header "$field"); done <<<"${fields_of[$1]}"
}

closed() { # SUITE NAME SIZE CONNECTIONS
  describe "$2"
  "$TOOLS/load" request --size "$3" "${options[@]}" >"$out/request"
  await_quiet
  REQUEST_FILE=$out/request load wrap --mode closed --size "$3" --conns "$4" "${options[@]}" -- \
    wrk -t1 "-c$4" "-d${SECS}s" -s bench/wrk/post.lua "$url" | emit "$1" || failed "$2" "$1"
}

open_loop() { # NAME RATE SIZE: not for a target that was seen to be too slow for it
  local best
  best=$(python3 bench/report.py --best "$out/results.jsonl" "$1" "$3")
  ((best == 0 || best >= $2 * 13 / 10)) || return 0
  describe "$1"
  await_quiet
  load run --rate "$2" --size "$3" --secs "$SECS" --conns "$CONNS" "${options[@]}" | emit "open-$2" || failed "$1" "open-$2"
}

sse() { # NAME SUITE CONNECTIONS MODEL: streams, one after the other on each connection
  describe "$1"
  await_quiet
  load run --stream --closed --conns "$3" --model "$4" --warm 1 --secs "$((SECS < 3 ? 3 : SECS))" "${options[@]}" | emit "$2" || failed "$1" "$2"
}

hold() { # NAME idle|streams
  describe "$1"
  local -a how=(--secs 1)
  [[ $2 == idle ]] || how=(--secs 2 --stream --model mock,chunks=60,gap_ms=1000)
  load hold --conns "$HOLD" "${how[@]}" "${options[@]}" | emit "hold-$2" || failed "$1" "hold-$2"
}

startup() { # NAME: a second instance of it, on a port of its own
  local port
  local -a command=()
  port=$(free_ports 1)
  target_command "$1" "$port" || return 0
  await_quiet
  load startup --name "$1" --url "http://127.0.0.1:$port/v1/models" --runs 7 -- taskset -c "$CORE_PROXY" "${command[@]}" |
    emit startup || failed "$1" startup
}

# --- a suite over all targets --------------------------------------------------------------------------------------------

in_order() { # FUNCTION ARGUMENTS...: for every target, there and back again in turn; @ stands for the name
  local i name
  for ((i = 0; i < ${#names[@]}; ++i)); do
    name=${names[round % 2 ? i : ${#names[@]} - 1 - i]}
    case $1${2#closed}:$name in # `direct` has no part in what is about the proxies' own memory and growth
      closedgrowth:direct | hold*:direct | startup*:direct) ;;
      open_loop*:* | *:direct | *:floor | *:nginx | *:haproxy | *:tollgate | *:portkey | *:litellm | closed:tollgate-full) "${@/#@/$name}" ;;
      hold*:*-tls) "${@/#@/$name}" ;;
    esac
  done
}

run_suite() { # NAME
  local size rate connections
  case $1 in
    closed) for size in $SIZES; do in_order closed closed @ "$size" "$CONNS"; done ;;
    growth) for connections in $GROWTH; do in_order closed growth @ 1024 "$connections"; done ;;
    open) for size in $SIZES; do [[ $size == 10240 ]] || for rate in $RATES; do in_order open_loop @ "$rate" "$size"; done; done ;;
    sse)
      in_order sse @ sse-fast 16 mock,chunks=200,gap_ms=0
      in_order sse @ sse-paced 100 mock,chunks=50,gap_ms=20
      in_order sse @ sse-many "$STREAMS" mock,chunks=100,gap_ms=20 ;;
    idle | streams) # memory that a process had before is not counted: fresh ones
      stop_targets
      start_targets "${wanted[@]/#tollgate-spin/tollgate-tls}" nginx-tls
      in_order hold @ "$1"
      stop_targets
      start_targets "${wanted[@]}" ;;
    startup) [[ $round != 1 ]] || in_order startup @ ;;
    *) echo "unknown suite $1" >&2; exit 2 ;;
  esac
}

start_targets "${wanted[@]}"
python3 bench/report.py --machine "$TOLLGATE" "${names[@]}" >"$out/machine.json"
for ((round = 1; round <= ROUNDS; ++round)); do
  for suite in "${suites[@]}"; do
    # Memory and growth move little from round to round: two rounds are enough.
    [[ $round -le 2 || ! $suite =~ ^(idle|streams|growth)$ ]] || continue
    run_suite "$suite"
  done
done
echo
python3 bench/report.py --limit "$LIMIT" --machine-file "$out/machine.json" ${page:+--page "$page"} "$out/results.jsonl" | tee "$out/report.md"
echo
echo "$SECONDS s; figures and single rounds are in build/bench/results/${out##*/}"
