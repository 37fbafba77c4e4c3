#!/usr/bin/env bash
# Formats every C++ source of the project in place; with --check it only says which ones differ, and fails.
set -euo pipefail
cd "$(dirname "$0")/.."

mode=(-i)
[[ ${1:-} != --check ]] || mode=(--dry-run -Werror)
find include src tests -name node_modules -prune -o \( -name '*.hpp' -o -name '*.cpp' \) -print0 |
  xargs -0 --no-run-if-empty -n 16 -P "$(nproc)" clang-format-16 "${mode[@]}" --style=file
