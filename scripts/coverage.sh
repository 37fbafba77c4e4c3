#!/usr/bin/env bash
# Measures the line coverage of the C++ tests and prints it by room; fails under the bars of scripts/check_coverage.py.
# Usage: scripts/coverage.sh [--no-setup] [--missing ROOM...]
#   --missing ROOM...   only lists the lines of these rooms that the last run did not reach
set -euo pipefail
cd "$(dirname "$0")/.."

tree=build/coverage
lines=$tree/lines.json
setup=yes
while [[ $# -gt 0 ]]; do
  case $1 in
    --no-setup) setup=no ;;
    --missing)
      shift
      [[ $# -gt 0 ]] || { echo "coverage: --missing needs a room" >&2; exit 2; }
      exec scripts/check_coverage.py "$lines" "$@"
      ;;
    *) sed -n '3,4s/^# //p' "$0" >&2; exit 2 ;;
  esac
  shift
done

[[ $setup == no ]] || scripts/setup.sh build test coverage
configured=$(cmake --preset coverage 2>&1) || { printf '%s\n' "$configured" >&2; exit 1; }
cmake --build "$tree" --parallel "$(nproc)"
find "$tree" -name "*.gcda" -delete # what earlier runs counted
ctest --test-dir "$tree" --parallel "$(nproc)" --output-on-failure --no-tests=error --timeout 600 --progress
gcovr --root . --object-directory "$tree" --gcov-executable gcov-12 --filter src/ --filter include/ \
  --json "$lines" "$tree"
scripts/check_coverage.py "$lines"
