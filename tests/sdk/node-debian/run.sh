#!/usr/bin/env bash
# The newest openai for Node that runs on Debian 12's Node 18, on the system's Node; the tests are those of `node`.
set -euo pipefail
# shellcheck source=tests/sdk/shared/lane.sh
source "$(dirname "$0")/../shared/lane.sh"
node_lane ../node openai
