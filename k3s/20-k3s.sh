#!/usr/bin/env bash
# Makes this machine a server of the cluster, or brings it to what this folder says. Run it on the node, as root; run again, it
# changes nothing.
#
#     20-k3s.sh NODE first|join [--upgrade]
#     20-k3s.sh NODE restore SNAPSHOT   # etcd as it was; no other server runs then, and they join again
#     20-k3s.sh NODE alone              # etcd as this server has it: the others are lost, and come as new ones
#
# Before it, an operator puts two files there that belong to root alone (docs/infrastructure.md): /etc/honeydue/k3s-token, the same
# on every node, and /etc/honeydue/registry, with the private registry's user name and password in one line each.
. "$(dirname "$0")/lib.sh"
case $#:${2-}:${3-} in
2:first: | 2:join: | 2:alone: | 3:first:--upgrade | 3:join:--upgrade) ;;
3:restore:?*) [[ -s $3 ]] || die "there is no snapshot $3: docs/backups.md says where they are" ;;
*) die 'usage: 20-k3s.sh NODE first|join [--upgrade], 20-k3s.sh NODE restore SNAPSHOT, 20-k3s.sh NODE alone' ;;
esac
as_root
need curl ip sha256sum systemctl sysctl ufw
read_cluster
read_node "$1"
name=$1 how=$2 upgrade='' snapshot=''
if [[ $how == restore ]]; then snapshot=$3; else upgrade=${3-}; fi

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
others=''
for entry in $NODES; do
    address=$(private_of "$entry")
    [[ $address != "$node_private" ]] || continue
    if curl --silent --insecure --max-time 3 --output /dev/null "https://$address:6443/ping"; then
        others=$address
        break
    fi
done
if [[ $how == restore || $how == alone ]]; then
    [[ -z $others ]] || die "K3s answers at $others: stop it on every other node (systemctl stop k3s), or there would be two clusters"
    [[ $how == restore || -e $server/db ]] || die "there is no $server/db to go on with: restore a snapshot (docs/backups.md)"
    begin='cluster-init: true'
elif [[ -e $server/db ]]; then
    # It is a member. What it began with stays: to begin again would be another cluster.
    begin=$(grep -E '^(cluster-init|server):' "$config") || die "$server/db is there and $config does not say how it began: docs/infrastructure.md, Runbook"
    grep -q '^secrets-encryption: true' "$config" || die "this cluster was begun without encryption of Secrets, which cannot be switched on: begin a new one"
else
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

# Etcd begins again with this server as its only member. K3s marks that it did until it is started: an interrupted run begins no other one.
restored=/var/lib/rancher/k3s/restored reset=''
case $how in
restore)
    sum=$(sum_of "$snapshot")
    if [[ -e $restored && $(<"$restored") == "$sum" ]]; then
        say "this snapshot was restored here before; to restore it once more, remove $restored first"
    else
        reset=yes
    fi
    ;;
alone)
    if k3s kubectl get --raw=/readyz >/dev/null 2>&1; then say 'the cluster answers, so that etcd stays as it is'; else reset=yes; fi
    ;;
esac
if [[ -n $reset ]]; then
    before_change
    systemctl stop k3s.service
    if [[ ! -e $server/db/reset-flag ]]; then
        # Not with the bucket: K3s reads its Secret from a cluster that runs.
        k3s server --cluster-reset --etcd-s3=false ${snapshot:+"--cluster-reset-restore-path=$snapshot"} >"$server/reset.log" 2>&1 ||
            die "K3s did not reset etcd: $server/reset.log says why. What was there is in $server/db, or in an etcd-old-… in it"
    fi
    [[ -z $snapshot ]] || echo "$sum" >"$restored"
    changed=yes
fi

if [[ -n $changed ]] || ! systemctl is-active --quiet k3s.service; then
    changed=yes
    systemctl daemon-reload
    systemctl enable --quiet k3s.service
    # It says that it is ready itself (Type=notify). Pods go on meanwhile.
    systemctl restart k3s.service || die "K3s did not start: journalctl -u k3s.service; what it says is explained in docs/failure-modes.md"
fi
# A machine that was made anew has another password than the snapshot knows; the node brings its own.
[[ $how != restore ]] || k3s kubectl delete secret --namespace=kube-system --ignore-not-found "$name.node-password.k3s" >/dev/null
# K3s is ready before its own node is known.
k3s kubectl wait --for=create --timeout=120s "node/$name" >/dev/null || die "K3s runs and knows no node $name: journalctl -u k3s.service"
k3s kubectl wait --for=condition=Ready --timeout=300s "node/$name" >/dev/null || die "K3s runs and $name is not ready: k3s kubectl describe node $name"
rm -f "$pending"
if [[ -n $changed ]]; then say "$name runs K3s $pin_version"; else say "$name runs K3s $pin_version; there was nothing to do"; fi
