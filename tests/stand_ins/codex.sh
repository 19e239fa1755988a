#!/usr/bin/env bash
# Tries mcp-chat in the real Codex, whose model is a script on loopback:
# tests/stand_ins/codex.sh [VERSION]
#
# Shows a conversation in `codex exec --json`, and what Codex gave its model. Needs Python 3, npm.
# MCP_CHAT_PROGRAMS=DIRECTORY takes relay and mcp-shim from there.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

install @openai/codex "${1:-0.169.0}"
codex=$modules/.bin/codex

start_model exec
mkdir "$place/home/.codex"
cat >"$place/home/.codex/config.toml" <<EOF
model = "gpt-5.5"
model_provider = "stand-in"
approval_policy = "never"
check_for_update_on_startup = false

[model_providers.stand-in]
name = "stand-in"
base_url = "$model/v1"
wire_api = "responses"
env_key = "STAND_IN_KEY"
request_max_retries = 0
stream_max_retries = 0

[mcp_servers.mcp-chat]
command = "$programs/mcp-shim"
args = ["--socket", "$socket"]
default_tools_approval_mode = "approve"
EOF

title "$(clean "$codex" --version)"
title 'codex mcp list'
clean "$codex" mcp list
[[ -e $socket ]] && echo '(a relay was started)' || echo '(no relay was started)'

title 'codex exec --json'
robot_when_somebody_waits &
started+=($!)
clean STAND_IN_KEY=dummy "$codex" exec --json --skip-git-repo-check \
    "Find me someone to chat with, topic $topic." </dev/null || true
report
