#!/usr/bin/env bash
# Has the cluster of kubectl's context dump the database every night, and look every hour how old backups are and when certificates
# end. Run it on the operator's machine, in a checkout; run again, it
# changes nothing but the image of a newer checkout.
#
#     50-backup.sh CONTEXT
#
# KO_DOCKER_REPO says where the image goes. Secrets backup and etcd-snapshots come first: docs/backups.md.
. "$(dirname "$0")/lib.sh"
(($# == 1)) || die "usage: 50-backup.sh CONTEXT"
need kubectl
in_context "$1"
[[ -n ${KO_DOCKER_REPO-} ]] || die "KO_DOCKER_REPO is not set: it says where images are pushed, as in registry.example.com/honeydue"
ko=${KO-$k3s/../bin/ko}
[[ -x $ko ]] || die "there is no $ko: make bin/ko"

# The namespace comes before the Secrets in it, and the Jobs after: they would only fail.
kubectl get namespace backup >/dev/null 2>&1 || kubectl create namespace backup >/dev/null
# has SECRET KEY... stops unless the Secret has these keys.
has() {
    local keys key secret=$1
    shift
    # shellcheck disable=SC2016 # a template of kubectl's, which names keys and no values
    keys=$(kubectl get secret "$secret" --namespace=backup --ignore-not-found --output=go-template='{{range $key, $value := .data}}{{$key}} {{end}}')
    for key; do
        [[ " $keys " == *" $key "* ]] || die "Secret $secret of namespace backup lacks $key: docs/backups.md says what is in it"
    done
}
bucket=(S3_ACCESS_KEY S3_BUCKET S3_ENDPOINT S3_REGION S3_SECRET_KEY)
has backup BACKUP_RECIPIENT DATABASE_URL "${bucket[@]}"
has etcd-snapshots "${bucket[@]}"
kubectl kustomize "$k3s/backup" | "$ko" resolve --base-import-paths --filename - | kubectl apply --server-side --force-conflicts --field-manager=honeydue --filename -
say "the database is dumped every night at 02:17 UTC; now: kubectl create job --namespace=backup --from=cronjob/database now"
