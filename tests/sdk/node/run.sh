#!/usr/bin/env bash
# The newest openai for Node, on the Node that it asks for: the lane brings it.
set -euo pipefail
# shellcheck source=tests/sdk/shared/lane.sh
source "$(dirname "$0")/../shared/lane.sh"
node_lane . openai
