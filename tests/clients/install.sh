#!/usr/bin/env bash
# Installs the MCP clients that the end-to-end tests drive into clients/ of the target directory:
# the official ones of Python and TypeScript, fastmcp, and MCP Inspector with a Node of its own.
# Needs Python 3.10 with venv, and Node 20 with npm.
set -euo pipefail

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
clients_dir=${CARGO_TARGET_DIR:-$source_dir/../../target}/clients

# Runs a package client; what it says is shown only if it fails, and then without addresses.
quietly() {
    local output
    if ! output=$("$@" 2>&1 </dev/null); then
        sed -E 's#[a-z+]+://[^[:space:]]*#(address)#g' <<<"$output" >&2
        echo "failed: $*" >&2
        return 1
    fi
}

# Whether a list of packages differs from the one that is installed in a directory.
is_new() {
    local list=$1 directory=$2
    mkdir -p "$directory"
    ! cmp -s "$list" "$directory/installed"
}

# Fails with what is missing.
needs() {
    local what=$1
    shift
    "$@" >/dev/null 2>&1 || { echo "these tests need $what" >&2; exit 1; }
}
needs 'Python 3.10 or newer with venv' \
    python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))'
needs 'Node 20 or newer' node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'
needs 'npm' npm --version

python_dir=$clients_dir/python
requirements=$source_dir/python/requirements.txt
if is_new "$requirements" "$python_dir"; then
    quietly python3 -m venv --clear "$python_dir"
    quietly "$python_dir/bin/pip" install --disable-pip-version-check --requirement "$requirements"
    cp "$requirements" "$python_dir/installed"
fi

# Installs the packages of a lock file.
install_npm() {
    local directory=$clients_dir/$1 lockfile=$source_dir/$1/package-lock.json
    is_new "$lockfile" "$directory" || return 0
    cp "$source_dir/$1/package.json" "$lockfile" "$directory"
    quietly npm ci --prefix "$directory" --no-audit --no-fund --omit-lockfile-registry-resolved=true
    cp "$lockfile" "$directory/installed"
}
install_npm typescript
install_npm inspector

inspector_node=$clients_dir/inspector/node_modules/node/bin/node
needs 'the Node 24 of the npm package "node" for MCP Inspector' \
    "$inspector_node" -e 'process.exit(parseInt(process.versions.node) < 24 ? 1 : 0)'

echo "MCP clients are installed in $(cd "$clients_dir" && pwd)"
