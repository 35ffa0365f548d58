#!/usr/bin/env bash
# Makes this machine a server of the cluster, or brings it to what this folder says. Run it on the node, as root; run again, it
# changes nothing.
#
#     20-k3s.sh NODE first|join [--upgrade]
#
# Before it, an operator puts two files there that belong to root alone (docs/infrastructure.md): /etc/honeydue/k3s-token, the same
# on every node, and /etc/honeydue/registry, with the private registry's user name and password in one line each.
. "$(dirname "$0")/lib.sh"
usage='usage: 20-k3s.sh NODE first|join [--upgrade]'
[[ $# -eq 2 || $# -eq 3 && $3 == --upgrade ]] || die "$usage"
[[ $2 == first || $2 == join ]] || die "$usage"
as_root
need curl ip sha256sum systemctl sysctl ufw
read_cluster
read_node "$1"
name=$1 how=$2 upgrade=${3-}

# What an interrupted run began is ended by the next one.
pending=/var/lib/rancher/k3s/restart-needed
before_change() {
    mkdir -p "${pending%/*}"
    : >"$pending"
}
[[ ! -e $pending ]] || changed=yes

interface=$(ip -4 -oneline addr show to "$node_private/32" | awk '{ print $2; exit }')
[[ -n $interface ]] || die "this machine does not have the address $node_private, which is $name's by NODES"

[[ $(ufw status) == *'Status: active'* ]] || die "the firewall is off, and K3s would answer the world: 30-firewall.sh first"

# secret PATH LINES stops unless the file is there, whole and root's alone.
secret() {
    [[ -s $1 ]] || die "there is no $1: docs/infrastructure.md says what is in it and how it gets there"
    [[ $(stat -c '%a %U' "$1") == '600 root' ]] || die "others can read $1: chmod 600 and chown root it"
    (($(grep -c . "$1") == $2)) || die "$1 must have $2 lines"
}
secret /etc/honeydue/k3s-token 1
secret /etc/honeydue/registry 2

config=/etc/rancher/k3s/config.yaml server=/var/lib/rancher/k3s/server
if [[ -e $server/db ]]; then
    # It is a member. What it began with stays: to begin again would be another cluster.
    begin=$(grep -E '^(cluster-init|server):' "$config") || die "$server/db is there and $config does not say how it began: docs/infrastructure.md, Runbook"
    grep -q '^secrets-encryption: true' "$config" || die "this cluster was begun without encryption of Secrets, which cannot be switched on: begin a new one"
else
    others=''
    for entry in $NODES; do
        address=$(private_of "$entry")
        [[ $address != "$node_private" ]] || continue
        if curl --silent --insecure --max-time 3 --output /dev/null "https://$address:6443/ping"; then
            others=$address
            break
        fi
    done
    case $how in
    first)
        [[ -z $others ]] || die "a cluster answers at $others: this node joins it (20-k3s.sh $name join), or there would be two"
        begin='cluster-init: true'
        ;;
    join)
        [[ -n $others ]] || die "no other node answers at port 6443: start the first one (20-k3s.sh … first), and look at the firewall between them"
        begin="server: https://$others:6443"
        ;;
    esac
fi

pin k3s
if [[ ! -e /usr/local/bin/k3s ]]; then
    fetch k3s /usr/local/bin/k3s 755
elif [[ $(sum_of /usr/local/bin/k3s) != "$pin_sum" ]]; then
    [[ -n $upgrade ]] || die "this node has another K3s than $pin_version: 20-k3s.sh $name $how --upgrade, on one node after the other (docs/infrastructure.md, Runbook)"
    fetch k3s /usr/local/bin/k3s 755
fi

put /etc/sysctl.d/90-honeydue.conf 644 <"$k3s/node/sysctl.conf"
[[ -z $changed ]] || sysctl --quiet --load=/etc/sysctl.d/90-honeydue.conf
install -d -m 700 "$server" "$server/logs"
sans=''
for entry in $NODES; do
    sans+="  - \"$(private_of "$entry")\""$'\n'
done
# Whoever fills a form in leaves no mark in it that nobody knows.
filled() {
    local line
    while IFS= read -r line; do
        # Quoted, since a & in what replaces would stand for what is replaced.
        line=${line//@NAME@/"$name"} line=${line//@PRIVATE@/"$node_private"} line=${line//@INTERFACE@/"$interface"}
        line=${line//@REGISTRY@/"$REGISTRY"} line=${line//@USERNAME@/"${login[0]}"} line=${line//@PASSWORD@/"${login[1]}"}
        if [[ $line == @SANS@ ]]; then printf '%s' "$sans"; else printf '%s\n' "$line"; fi
    done <"$1"
}
mapfile -t login </etc/honeydue/registry
for value in "${login[@]}"; do
    [[ $value != *[\"\\]* ]] || die "/etc/honeydue/registry has a \" or a \\, which its form cannot hold"
done
put "$config" 600 < <(filled "$k3s/node/config.yaml" && printf '\n# How this node began.\n%s\n' "$begin")
put /etc/rancher/k3s/registries.yaml 600 < <(filled "$k3s/node/registries.yaml")
put "$server/admission.yaml" 600 <"$k3s/node/admission.yaml"
put "$server/audit.yaml" 600 <"$k3s/node/audit.yaml"
put /var/lib/rancher/k3s/agent/etc/kubelet.conf.d/50-honeydue.conf 600 <"$k3s/node/kubelet.yaml"
put /etc/systemd/logind.conf.d/honeydue.conf 644 <"$k3s/node/logind.conf"
put /etc/systemd/system/k3s.service 644 <"$k3s/node/k3s.service"
ln -sfn k3s /usr/local/bin/kubectl

if [[ -n $changed ]]; then
    systemctl daemon-reload
    systemctl enable --quiet k3s.service
    # It says that it is ready itself (Type=notify). Pods go on meanwhile.
    systemctl restart k3s.service || die "K3s did not start: journalctl -u k3s.service; what it says is explained in docs/failure-modes.md"
fi
# K3s is ready before its own node is known.
k3s kubectl wait --for=create --timeout=120s "node/$name" >/dev/null || die "K3s runs and knows no node $name: journalctl -u k3s.service"
k3s kubectl wait --for=condition=Ready --timeout=300s "node/$name" >/dev/null || die "K3s runs and $name is not ready: k3s kubectl describe node $name"
rm -f "$pending"
if [[ -n $changed ]]; then say "$name runs K3s $pin_version"; else say "$name runs K3s $pin_version; there was nothing to do"; fi
