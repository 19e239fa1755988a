# What the stand-ins share; sourced. Everything happens in a temporary directory, with a home, a
# relay and a model of its own, and all that was started ends with the script.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
topic=stand-in

# Where `relay` and `mcp-shim` are.
programs=${MCP_CHAT_PROGRAMS:-$target/debug}
[[ -n ${MCP_CHAT_PROGRAMS:-} ]] ||
    (cd "$root" && cargo build --quiet --locked --bins -p relay -p mcp-shim)

place=$(mktemp -d)
mkdir "$place/home" "$place/project"
socket=$place/relay.sock
started=()

end() {
    local pid
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    "$programs/relay" stop --socket "$socket" >/dev/null 2>&1 || true
    echo "Everything that was asked of the model is in $place/*.requests"
}
trap end EXIT

title() { printf '\n== %s\n' "$*"; }

# install PACKAGE VERSION: from npm, into the target directory.
install() {
    local directory=$target/stand_ins/$1@$2
    modules=$directory/node_modules
    [[ -e $directory/installed ]] && return
    mkdir -p "$directory"
    npm install --prefix "$directory" --no-audit --no-fund --silent "$1@$2" </dev/null
    touch "$directory/installed"
}

# Runs a program with nothing in its environment but what is given here. No request of it leaves
# this machine: what is not for loopback goes to a proxy that is not there.
clean() {
    (cd "$place/project" && env -i PATH="$PATH" HOME="$place/home" TERM=xterm-256color LANG=C.UTF-8 \
        HTTP_PROXY=http://127.0.0.1:9 HTTPS_PROXY=http://127.0.0.1:9 NO_PROXY=127.0.0.1 "$@")
}

# wait_until SECONDS COMMAND...: until the command succeeds.
wait_until() {
    local seconds=$1 deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || { echo "not within $seconds s: $*" >&2; return 1; }
        sleep 0.2
    done
}

# start_model NAME: its address is then in $model; it keeps what it is asked in NAME.requests.
start_model() {
    log=$place/$1.requests
    : >"$log"
    python3 "$here/model.py" "$topic" "$log" >"$place/$1.port" &
    started+=($!)
    wait_until 10 test -s "$place/$1.port"
    model=http://127.0.0.1:$(<"$place/$1.port")
}

# What the client has handed to the model.
report() {
    title 'what it gave its model'
    python3 "$here/model.py" --report "$log"
}

somebody_waits() {
    "$programs/relay" status --json --socket "$socket" 2>/dev/null | grep -qE '"waiting": ?1\b'
}

# The partner: a robot, which answers three times and leaves.
robot() {
    exec "$programs/mcp-shim" demo --join "$topic" --socket "$socket" >>"$place/robot" 2>&1
}

robot_when_somebody_waits() {
    wait_until 120 somebody_waits
    robot
}
