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

terminal() { tmux -L "mcp-chat-$$" -f /dev/null "$@"; }
screen() { terminal capture-pane -p -t chat -S -500 | sed 's/[[:space:]]*$//' | cat -s; }
shows() { screen | grep -qF -- "$1"; }
trap 'terminal kill-server 2>/dev/null || true; end' EXIT
export -f clean with_model
export place model key claude

# wait_for SECONDS TEXT: until the screen shows it; what it shows instead is printed if it does not.
wait_for() { wait_until "$1" shows "$2" || { screen; exit 1; }; }

# type_in TEXT: as a person does, with Enter once the prompt shows it.
type_in() {
    local before
    terminal send-keys -t chat -l "$1"
    wait_for 10 "$1"
    before=$(screen | grep -c '^●' || true)
    went() { terminal send-keys -t chat Enter; (($(screen | grep -c '^●' || true) > before)); }
    wait_until 20 went
}

# in_terminal NAME: Claude Code in a new terminal, asked to find somebody.
in_terminal() {
    terminal kill-session -t chat 2>/dev/null || true
    start_model "$1"
    terminal new-session -d -s chat -x 110 -y 50 \
        bash -c 'with_model "$claude" --allowedTools mcp__mcp-chat'
    wait_for 60 '❯'
    type_in "$request"
}

robot_comes() {
    robot &
    started+=($!)
}

title 'claude in a terminal; somebody comes while it waits'
in_terminal terminal
wait_until 60 somebody_waits
waits() { shows 'I wait.' || shows 'I end my turn'; }
wait_until 60 waits
screen
robot_comes
wait_for 60 'The chat is over.'
title 'at the end'
screen
report

title 'claude in a terminal; somebody comes when its turn has ended'
in_terminal idle
wait_for 200 'I end my turn'
robot_comes
# This asks whether nothing happens, so there is nothing but time to wait for.
wait_until 20 shows 'The partner wrote' || echo '(nothing was shown within 20 s)'
screen
shows 'The partner wrote' || type_in 'Is anybody there?'
wait_for 60 'The chat is over.'
title 'at the end'
screen
report
