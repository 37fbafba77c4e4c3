#!/usr/bin/env bash
# The AI SDK with its provider for OpenAI-compatible servers, on the Node that it asks for: the lane brings it.
set -euo pipefail
# shellcheck source=tests/sdk/shared/lane.sh
source "$(dirname "$0")/../shared/lane.sh"
node_lane . ai @ai-sdk/openai-compatible
