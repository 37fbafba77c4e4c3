#!/usr/bin/env bash
# Plain HTTP by httpx and by curl.
set -euo pipefail
# shellcheck source=tests/sdk/shared/lane.sh
source "$(dirname "$0")/../shared/lane.sh"
echo "plain: $(curl --version | head -n 1 | cut -d " " -f 1,2)"
python_lane . httpx
