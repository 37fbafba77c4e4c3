#!/usr/bin/env bash
# LangChain's package for OpenAI.
set -euo pipefail
# shellcheck source=tests/sdk/shared/lane.sh
source "$(dirname "$0")/../shared/lane.sh"
python_lane . langchain-openai langchain-core openai
