#!/usr/bin/env bash
# Runs `admin enrol` against the database that a file of Secrets names (knative/overlays/production/.env.example), or make run's.
set -euo pipefail
cd "$(dirname "$0")/.."
email=$1 role=$2 file=$3

if [[ -z $email ]]; then
    echo "whom? make admin EMAIL=ann@example.com [ROLE=support] [ENV_FILE=the file of Secrets]" >&2
    exit 2
fi
if [[ ! -r $file ]]; then
    echo "there is no $file: start the system with make run, or name a cluster's file of Secrets with ENV_FILE" >&2
    exit 2
fi
value() { sed -n "s|^$1=||p" "$file" | tail -n 1; }
DATABASE_URL=$(value honeydue-admin/DATABASE_URL)
if [[ -z $DATABASE_URL ]]; then
    echo "$file has no line honeydue-admin/DATABASE_URL=…" >&2
    exit 2
fi
panel=$(value ADMIN_URL)
[[ -z $panel ]] || export ADMIN_URL=$panel
export DATABASE_URL DATABASE_EXEC_MODE=exec
go build -o bin/admin ./functions/admin
exec bin/admin enrol ${role:+-role "$role"} "$email"
