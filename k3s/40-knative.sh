#!/usr/bin/env bash
# Installs Knative Serving and Eventing, and the channel between it and NATS, with our configuration in the cluster of kubectl's context, or brings them to what this folder
# says. Run it on the operator's machine; run again, it changes nothing.
#
#     40-knative.sh CONTEXT
#
# CONTEXT is the name of kubectl's context, so that nobody installs it somewhere by mistake.
. "$(dirname "$0")/lib.sh"
(($# == 1)) || die "usage: 40-knative.sh CONTEXT"
need curl kubectl sha256sum
in_context "$1"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -R "$k3s/knative/." "$folder"
definitions=(serving-crds eventing-crds)
for name in "${definitions[@]}" serving-core eventing-core mt-channel-broker eventing-jsm; do
    fetch "$name" "$folder/upstream/$name.yaml" 644
done

# Definitions first: what is made of them is refused until the API server knows them.
for name in "${definitions[@]}"; do
    kubectl apply --server-side --force-conflicts --field-manager=honeydue --filename="$folder/upstream/$name.yaml"
done
kubectl wait --for=condition=Established --timeout=60s --all customresourcedefinitions >/dev/null
kubectl apply --server-side --force-conflicts --field-manager=honeydue --kustomize="$folder"
for namespace in knative-serving knative-eventing; do
    kubectl wait --namespace="$namespace" --for=condition=Available --timeout=300s --all deployments >/dev/null ||
        die "not everything in $namespace is available: kubectl get pods -n $namespace; run this again when it is mended"
done
say "Knative runs as this folder says"
