#!/usr/bin/env bash
# The old line of openai for Python, with the tests of the lane `python`.
set -euo pipefail
# shellcheck source=tests/sdk/shared/lane.sh
source "$(dirname "$0")/../shared/lane.sh"
python_lane ../python openai
