#!/usr/bin/env bash
# Builds the debug tree and runs every test; the last line says how many cases passed and failed.
# Usage: scripts/test.sh [--no-setup] [--unit | --sdk] [-k PATTERN]
#   --unit       only the C++ tests
#   --sdk        only the official SDKs against the gateway
#   -k PATTERN   only C++ cases matching the regular expression (implies --unit)
set -euo pipefail
cd "$(dirname "$0")/.."

setup=yes cpp=yes sdk=yes pattern=.
while [[ $# -gt 0 ]]; do
  case $1 in
    --no-setup) setup=no ;;
    --unit) sdk=no ;;
    --sdk) cpp=no ;;
    -k) pattern=${2:?-k needs a pattern}; sdk=no; shift ;;
    *) sed -n '2,6s/^# //p' "$0" >&2; exit 2 ;;
  esac
  shift
done

results=$PWD/build/results
mkdir -p "$results"
rm -f "$results"/{cpp,python,node}.xml
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

finish() {
  local passed failed skipped
  read -r passed failed skipped < <(python3 scripts/count_results.py "${reports[@]}")
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
  reports+=("$results/cpp.xml")
  step "C++ tests" cpp_tests || broken=1
fi
if [[ $sdk == yes ]]; then
  [[ $cpp == yes ]] || step build build --target tollgate || { broken=1; finish; exit 1; }
  export TOLLGATE_BINARY=$PWD/build/debug/src/app/tollgate
  reports+=("$results/python.xml" "$results/node.xml")
  step "SDK: Python" tests/sdk/python/run.sh --junitxml="$results/python.xml" || broken=1
  step "SDK: Node" tests/sdk/node/run.sh "$results/node.xml" || broken=1
fi
finish
