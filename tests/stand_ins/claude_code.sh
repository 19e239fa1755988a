#!/usr/bin/env bash
# Tries mcp-chat in the real Claude Code, whose model is a script on loopback:
# tests/stand_ins/claude_code.sh [VERSION]
#
# Shows what `claude mcp list` says, a conversation in `claude -p`, then one in a terminal (tmux)
# as a person sees it, and after each what Claude Code gave its model. Needs Python 3, npm, tmux.
# MCP_CHAT_PROGRAMS=DIRECTORY takes relay and mcp-shim from there.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

install @anthropic-ai/claude-code "${1:-2.1.331}"
claude=$modules/.bin/claude
request="Find me someone to chat with, topic $topic."

key=sk-ant-dummy-key-of-nobody-000000000000
# What a person has answered on the first start.
cat >"$place/home/.claude.json" <<EOF
{"hasCompletedOnboarding": true, "theme": "dark",
 "customApiKeyResponses": {"approved": ["${key: -20}"], "rejected": []},
 "projects": {"$place/project": {"hasTrustDialogAccepted": true, "allowedTools": []}}}
EOF
# with_model PROGRAM ARGUMENTS...
with_model() {
    clean ANTHROPIC_BASE_URL="$model" ANTHROPIC_API_KEY="$key" DISABLE_AUTOUPDATER=1 \
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 "$@"
}

title "$(clean "$claude" --version)"
clean "$claude" mcp add mcp-chat -- "$programs/mcp-shim" --socket "$socket"
title 'claude mcp list'
clean "$claude" mcp list
[[ -e $socket ]] && echo '(a relay was started)' || echo '(no relay was started)'

title "claude -p '$request'"
start_model print
robot_when_somebody_waits &
started+=($!)
with_model "$claude" -p "$request" --allowedTools mcp__mcp-chat </dev/null || true
report

title 'claude in a terminal'
start_model terminal
terminal() { tmux -L "mcp-chat-$$" -f /dev/null "$@"; }
screen() { terminal capture-pane -p -t chat -S -500 | sed 's/[[:space:]]*$//' | cat -s; }
shows() { screen | grep -qF -- "$1"; }
trap 'terminal kill-server 2>/dev/null || true; end' EXIT
export -f clean with_model
export place model key claude
terminal new-session -d -s chat -x 110 -y 50 \
    bash -c 'with_model "$claude" --allowedTools mcp__mcp-chat'
wait_until 60 shows '❯' || { screen; exit 1; }
terminal send-keys -t chat -l "$request"
wait_until 10 shows "$request" || { screen; exit 1; }
# It does not take what comes right after it has drawn its prompt.
entered() { terminal send-keys -t chat Enter; shows '●'; }
wait_until 20 entered
waits_or_idles() { shows 'I wait.' || shows 'I shall hear of it.'; }
wait_until 60 waits_or_idles || { screen; exit 1; }
title 'while it waits'
screen
robot &
started+=($!)
wait_until 180 shows 'The chat is over.' || true
title 'at the end'
screen
report
