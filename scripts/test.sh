#!/usr/bin/env bash
# Builds the debug tree and runs every test; the last line says how many cases passed and failed.
# Usage: scripts/test.sh [--no-setup] [--unit | --sdk] [--lane NAME] [-k PATTERN]
#   --unit       only the C++ tests
#   --sdk        only the SDKs against the gateway, each a lane in tests/sdk
#   --lane NAME  only this lane; may be repeated
#   -k PATTERN   only C++ cases matching the regular expression (implies --unit)
# With TOLLGATE_BINARY set, --sdk and --lane build nothing and test that gateway.
set -euo pipefail
cd "$(dirname "$0")/.."

setup=yes cpp=yes sdk=yes pattern=. lanes=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --no-setup) setup=no ;;
    --unit) sdk=no ;;
    --sdk) cpp=no ;;
    --lane) lanes+=("${2:?--lane needs a name}"); cpp=no; shift ;;
    -k) pattern=${2:?-k needs a pattern}; sdk=no; shift ;;
    *) sed -n '2,8s/^# //p' "$0" >&2; exit 2 ;;
  esac
  shift
done

all_lanes=(tests/sdk/*/run.sh)
all_lanes=("${all_lanes[@]#tests/sdk/}")
all_lanes=("${all_lanes[@]%/run.sh}")
[[ ${#lanes[@]} -gt 0 ]] || lanes=("${all_lanes[@]}")
for lane in "${lanes[@]}"; do
  [[ -x tests/sdk/$lane/run.sh ]] || { echo "no lane '$lane'; there are: ${all_lanes[*]}" >&2; exit 2; }
done

results=$PWD/build/results
mkdir -p "$results"
rm -f "$results/cpp.xml"
for lane in "${lanes[@]}"; do rm -f "$results/$lane".{xml,log,took}; done
reports=() summary=()

step() { # NAME COMMAND...: runs it, remembers how long it took and whether it went well
  local name=$1 started=$SECONDS status=0
  shift
  printf '\n== %s\n' "$name"
  "$@" || status=$?
  summary+=("$(printf '%-16s %4d s  %s' "$name" $((SECONDS - started)) "$([[ $status -eq 0 ]] && echo ok || echo FAILED)")")
  return "$status"
}

build() {
  local configured
  configured=$(cmake --preset debug 2>&1) || { printf '%s\n' "$configured" >&2; return 1; }
  cmake --build --preset debug --parallel "$(nproc)" "$@"
}
cpp_tests() {
  ctest --test-dir build/debug --parallel 2 --output-on-failure --no-tests=error --timeout 300 -R "$pattern" \
    --output-junit "$results/cpp.xml" --progress
}

# All at once: most of a lane's time is a stream that is quiet for a minute. What each prints is kept whole and shown in turn.
sdk_lanes() {
  local lane status=0 took started=$SECONDS failed=()
  for lane in "${lanes[@]}"; do
    {
      timeout --kill-after=10 900 "tests/sdk/$lane/run.sh" --junit "$results/$lane.xml" >"$results/$lane.log" 2>&1 || status=$?
      echo "$status $((SECONDS - started))" >"$results/$lane.took"
    } &
  done
  wait
  for lane in "${lanes[@]}"; do
    printf '\n-- %s\n' "$lane"
    cat "$results/$lane.log"
    read -r status took <"$results/$lane.took" || status=1 took=0
    summary+=("$(printf '%-16s %4d s  %s' "SDK: $lane" "$took" "$([[ $status -eq 0 ]] && echo ok || echo FAILED)")")
    [[ $status -eq 0 ]] || failed+=("$lane")
  done
  [[ ${#failed[@]} -eq 0 ]]
}

finish() {
  local passed failed skipped
  read -r passed failed skipped < <(python3 scripts/count_results.py "${reports[@]/%/.xml}")
  # A runner that ends badly without naming a case has failed nevertheless.
  [[ $broken -eq 0 || $failed -gt 0 ]] || failed=1
  printf '\n'
  printf '%s\n' "${summary[@]}"
  if [[ $skipped -gt 0 ]]; then
    echo "$passed passed, $failed failed, $skipped skipped"
  else
    echo "$passed passed, $failed failed"
  fi
  [[ $failed -eq 0 && $broken -eq 0 ]]
}

broken=0
[[ $setup == no ]] || step setup scripts/setup.sh build test
if [[ $cpp == yes ]]; then
  step build build || { broken=1; finish; exit 1; }
  reports+=("$results/cpp")
  step "C++ tests" cpp_tests || broken=1
fi
if [[ $sdk == yes ]]; then
  if [[ $cpp == yes ]]; then TOLLGATE_BINARY=; fi # all tests are of one build
  [[ $cpp == yes || -n ${TOLLGATE_BINARY:-} ]] || step build build --target tollgate || { broken=1; finish; exit 1; }
  export TOLLGATE_BINARY=${TOLLGATE_BINARY:-$PWD/build/debug/src/app/tollgate}
  reports+=("${lanes[@]/#/$results/}")
  step "SDKs" sdk_lanes || broken=1
  # A choice of lanes says nothing on the others.
  [[ ${#lanes[@]} -lt ${#all_lanes[@]} ]] || step "SDK matrix" scripts/sdk_matrix.py --check || broken=1
fi
finish
