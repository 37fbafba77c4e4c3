#!/usr/bin/env bash
# The newest openai for Python that Debian 12's Python can run.
set -euo pipefail
# shellcheck source=tests/sdk/shared/lane.sh
source "$(dirname "$0")/../shared/lane.sh"
python_lane . openai
