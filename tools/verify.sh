#!/usr/bin/env bash
# Fails when the checkout is not what `make generate` and gofmt leave behind, or when a module does not build alone.
# Arguments: the folders of the modules.
set -euo pipefail
cd "$(dirname "$0")/.."

git diff --exit-code --stat
unformatted=$(gofmt -l "$@")
if [[ -n $unformatted ]]; then
    printf 'not formatted, run make fmt:\n%s\n' "$unformatted" >&2
    exit 1
fi
for module in "$@"; do
    echo "verify $module"
    (cd "$module" && GOWORK=off go build ./... && GOWORK=off go mod tidy -diff)
done
