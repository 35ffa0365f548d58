#!/usr/bin/env bash
# Prints a node's user-data for cloud-init: a machine that answers operators' SSH alone once its packages are there, and by key alone
# before, and has what K3s needs of the system. Nothing in it is secret. What follows is done on the node: 20-k3s.sh.
#
#     10-cloud-init.sh NODE KEYS FIREWALL
#
# KEYS is a file with the operators' public keys, as in authorized_keys; FIREWALL the folder that k3s/cmd/firewall wrote for the node.
. "$(dirname "$0")/lib.sh"
(($# == 3)) || die "usage: 10-cloud-init.sh NODE KEYS FIREWALL"
need jq base64
read_cluster
read_node "$1"
node=$1 keys=$2 firewall=$3
[[ -r $keys ]] || die "there is no file $keys with public keys"
! grep -q 'PRIVATE KEY' "$keys" || die "$keys has a private key: give the public ones"
kinds='^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/=]+( |$)'
other=$(grep -nvE "$kinds|^[[:space:]]*(#.*)?$" "$keys" | cut -d : -f 1 | head -1 || true)
[[ -z $other ]] || die "line $other of $keys is no public key of a kind that is accepted (Ed25519, ECDSA), without options before it"
accepted=$(grep -E "$kinds" "$keys") || die "$keys has no public key"

files=()
# file PATH MODE FROM DEFERRED adds one to those that cloud-init writes: at once, or when packages are installed, whose scripts
# would otherwise ask about it.
file() {
    [[ -r $3 ]] || die "there is no $3: write the rules first, with go run ./k3s/cmd/firewall rules $node $firewall"
    files+=("$(jq -n --arg path "$1" --arg mode "$2" --arg content "$(base64 -w0 <"$3")" --argjson deferred "$4" \
        '{path: $path, owner: "root:root", permissions: $mode, encoding: "b64", content: $content, defer: $deferred}')")
}
for path in default/ufw ufw/ufw.conf ufw/before.rules ufw/before6.rules ufw/user.rules ufw/user6.rules ufw/after.rules ufw/after6.rules; do
    file "/etc/$path" 0640 "$firewall/etc/$path" true
done
file /etc/sysctl.d/90-honeydue.conf 0644 "$k3s/node/sysctl.conf" false
file /etc/ssh/sshd_config.d/honeydue.conf 0644 "$k3s/node/sshd.conf" false
file /etc/systemd/logind.conf.d/honeydue.conf 0644 "$k3s/node/logind.conf" false

echo '#cloud-config'
printf '%s\n' "${files[@]}" | jq --slurp --arg name "$node" --arg keys "$accepted" '{
    hostname: $name,
    prefer_fqdn_over_hostname: false,
    ssh_pwauth: false,
    disable_root: true,
    groups: ["operators"],
    users: [{
        name: "honeydue", groups: ["operators", "sudo"], shell: "/bin/bash", lock_passwd: true,
        sudo: "ALL=(ALL) NOPASSWD:ALL", ssh_authorized_keys: ($keys | split("\n"))
    }],
    swap: {size: 0},
    timezone: "UTC",
    write_files: .,
    apt: {conf: "Unattended-Upgrade::Automatic-Reboot \"false\";\n"},
    package_update: true,
    package_upgrade: true,
    packages: ["ufw", "curl", "jq", "wireguard-tools", "unattended-upgrades", "open-iscsi", "chrony"],
    runcmd: [
        ["sysctl", "--load=/etc/sysctl.d/90-honeydue.conf"],
        ["systemctl", "restart", "systemd-logind.service", "ssh.service"],
        ["ufw", "--force", "enable"]
    ]
}'
