#!/usr/bin/env bash
# Checks the benchmarks' own tools: the mock's modes and the driver's accounting. Ends with "N passed, N failed".
set -euo pipefail
cd "$(dirname "$0")/.."
ROOT=$PWD TOOLS=$PWD/build/bench
# shellcheck source=targets.sh
source bench/targets.sh
make --silent -C bench
trap stop_targets EXIT
start_targets
base=http://127.0.0.1:${port_of[direct]}
passed=0 failed=0

check() { # NAME PATTERN TEXT
  if grep -qE -- "$2" <<<"$3"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $1: wanted /$2/ in: ${3:0:300}"
  fi
}
load() { "$TOOLS/load" "$@" 2>&1 || true; }
ask() { load run --closed --conns 1 --warm 0 --secs 0.3 --url "$base$1" "${@:2}"; } # PATH OPTIONS...
figure() { # EXPRESSION of d JSON
  python3 -c "import json, sys; d = json.loads(sys.argv[1]); print($1)" "$2"
}

chat=/v1/chat/completions
check "json reply" '"ok":[1-9]' "$(ask $chat)"
check "sizes are exact" '^1024 102400$' "$(load body --size 1024 | wc -c) $(load body --size 102400 | wc -c)"
check "body is json" '^25$' "$(load body --size 102400 | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["messages"]))')"
check "the head has 17 fields" '^17$' "$(load request --url "$base$chat" | sed '/^\r$/q' | grep -c ': ')"
check "a field that is there is replaced" '^17 1$' "$(load request --url "$base$chat" --header 'accept: x' | sed '/^\r$/q' |
  awk 'tolower($0) ~ /^accept: x/ { own++ } /: / { all++ } END { print all, own }')"
stream=$(ask $chat --stream --model mock,chunks=7,gap_ms=0)
check "stream is complete" '"incomplete":0,"out_of_order":0' "$stream"
check "stream has its events" '^7$' "$(figure 'd["transit_us"]["n"] // d["ok"]' "$stream")"
check "fail=429 by model" '"not_ok":[1-9]' "$(ask $chat --model mock,fail=429)"
check "fail=500 by path" '"not_ok":[1-9]' "$(ask /m/fail=500$chat)"
check "fail=503 by query" '"not_ok":[1-9]' "$(ask "$chat?fail=503")"
check "fail=close by header" '"broken":[1-9]' "$(ask $chat --header 'x-mock: fail=close')"
check "fail=mid in a stream" '"broken":[1-9]' "$(ask $chat --stream --model mock,fail=mid)"
check "fail=mid in json" '"broken":[1-9]' "$(ask $chat --model mock,fail=mid)"
check "fail=hang" '"ok":0,"broken":0,"not_ok":0' "$(ask $chat --model mock,fail=hang)"
check "fail=skip: a lost event is seen" '"out_of_order":[1-9]' "$(ask $chat --stream --model mock,fail=skip,gap_ms=0)"
check "latency" '^True$' "$(figure '10 <= d["latency_us"]["min"] / 1000 < 15' "$(ask $chat --model mock,latency_ms=10)")"
check "gap" '^True$' "$(figure '4.5 <= d["gap_us"]["p50"] / 1000 < 8' "$(ask $chat --stream --model mock,chunks=10,gap_ms=5)")"
check "rate is kept" '^True$' "$(figure '190 <= d["rps"] <= 210' "$(load run --url "$base$chat" --rate 200 --secs 1 --warm 0.2)")"
check "a stall is charged to the timetable" '^True$' "$(figure 'd["latency_us"]["p50"] / 1000 > 100 > d["service_us"]["p50"] / 1000' \
  "$(load run --url "$base$chat" --rate 100 --conns 1 --model mock,latency_ms=20 --secs 1 --warm 0.2)")"
check "CPU of the target is charged to it" '^True$' "$(figure 'd["cpu_us_per_req"] > 0.5' "$(ask $chat --pid "${pid_of[direct]}")")"
check "only loopback" 'only loopback' "$(load run --url http://10.0.0.1:80/)"
check "stats" '"requests":[1-9]' "$(curl --silent "$base/stats")"
check "the report knows a bar that is met" 'CPU, 1 KB \| 1.00 x nginx \| 1.1 x nginx \| met' "$(bench/report.py <(
  printf '{"suite":"closed","name":"%s","size":1024,"cpu_us_per_req":20}\n' nginx tollgate))"
check "and one that is not, beside a disturbed round" 'CPU, 1 KB \| 2.00 x nginx \| 1.1 x nginx \| \*\*not met' "$(bench/report.py <(
  printf '{"suite":"closed","name":"%s","size":1024,"cpu_us_per_req":%s,"foreign_cores":%s}\n' nginx 10 0 tollgate 20 0 tollgate 1 1))"
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
