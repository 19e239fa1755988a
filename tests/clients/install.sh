#!/usr/bin/env bash
# Installs the official Python and TypeScript MCP clients, which the end-to-end tests drive, into
# clients/ of the target directory. Needs Python 3.10 with venv, and Node 20 with npm.
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

typescript_dir=$clients_dir/typescript
lockfile=$source_dir/typescript/package-lock.json
if is_new "$lockfile" "$typescript_dir"; then
    cp "$source_dir/typescript/package.json" "$lockfile" "$typescript_dir"
    quietly npm ci --prefix "$typescript_dir" --no-audit --no-fund --omit-lockfile-registry-resolved=true
    cp "$lockfile" "$typescript_dir/installed"
fi

echo "MCP clients are installed in $(cd "$clients_dir" && pwd)"
