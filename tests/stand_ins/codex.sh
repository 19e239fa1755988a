#!/usr/bin/env bash
# Tries mcp-chat in the real Codex, whose model is a script on loopback:
# tests/stand_ins/codex.sh [VERSION]
#
# Shows conversations in `codex exec`, and what Codex gave its model. Needs Python 3, npm.
# MCP_CHAT_PROGRAMS=DIRECTORY takes relay and mcp-shim from there.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

install @openai/codex "${1:-0.169.0}"
codex=$modules/.bin/codex

mkdir "$place/home/.codex"
# configure MODEL: one of the names that Codex knows, for it depends on the model how Codex hands
# tools to it. Whatever the name, the model is the script.
configure() {
    start_model "$1"
    cat >"$place/home/.codex/config.toml" <<EOF
model = "$1"
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
}

title "$(clean "$codex" --version)"
configure gpt-5.5
title 'codex mcp list'
clean "$codex" mcp list
[[ -e $socket ]] && echo '(a relay was started)' || echo '(no relay was started)'

# execute OPTIONS: a conversation in `codex exec`.
execute() {
    title "codex exec $* (model: $(basename "$log" .requests))"
    robot_when_somebody_waits &
    started+=($!)
    clean STAND_IN_KEY=dummy "$codex" exec "$@" --skip-git-repo-check \
        "Find me someone to chat with, topic $topic." </dev/null || true
    report
}
execute --json
# The same as a person sees it, with the tools as functions in a program.
configure gpt-6-sol
execute
