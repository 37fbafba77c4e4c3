#!/usr/bin/env bash
# Formats every C++ source of the project in place; with --check it only names the places that differ, one a file, and fails.
set -euo pipefail
cd "$(dirname "$0")/.."

sources() { find include src tests bench -name node_modules -prune -o \( -name '*.hpp' -o -name '*.cpp' \) -print0; }
format() { xargs -0 --no-run-if-empty -n 16 -P "$(nproc)" clang-format-16 --style=file "$@"; }

if [[ ${1:-} != --check ]]; then
  sources | format -i
  exit
fi
status=0
found=$(sources | format --dry-run -Werror 2>&1) || status=$?
awk -F: '/error: code should be clang-formatted/ && !seen[$1]++ { print $1 ":" $2 ": not formatted; scripts/format.sh does it" }' <<<"$found"
exit "$status"
