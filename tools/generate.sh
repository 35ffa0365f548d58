#!/usr/bin/env bash
# Rewrites what tests compare the code with. The merged document comes last: it is made of the others.
set -euo pipefail
cd "$(dirname "$0")/.."

go test $(printf './%s ' functions/*/openapi_test.go | sed 's|/openapi_test.go||g') -run '^TestOpenAPI$' -update
go test ./functions/site -run '^TestMergedOpenAPI$' -update
go test ./functions/notifications -run '^TestMailsLookAsTheyDid$' -update
