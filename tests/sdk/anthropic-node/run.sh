#!/usr/bin/env bash
# The newest anthropic for Node, on the Node that the lane of openai brings too. Without a Messages API at
# ANTHROPIC_BASE_URL (and its key in ANTHROPIC_API_KEY) it speaks to the simulator and, through the gateway, to both APIs.
set -euo pipefail
# shellcheck source=tests/sdk/shared/lane.sh
source "$(dirname "$0")/../shared/lane.sh"
own_tests_only=yes
node_lane . @anthropic-ai/sdk
