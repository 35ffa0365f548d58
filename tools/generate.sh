#!/usr/bin/env bash
# Rewrites what tests compare the code with. The merged document comes after those that it is made of, and what is packed
# after what it packs: each test sees what lay there when it was built.
set -euo pipefail
cd "$(dirname "$0")/.."

documented=(./functions/*/openapi_test.go)
go test -vet=off "${documented[@]/%\/openapi_test.go/}" -run '^TestOpenAPI$' -update
go test -vet=off ./functions/site -run '^(TestMergedOpenAPI|TestPictures)$' -update
go test -vet=off ./functions/site -run '^TestPacked$' -update
go test -vet=off ./functions/notifications -run '^TestMailsLookAsTheyDid$' -update
