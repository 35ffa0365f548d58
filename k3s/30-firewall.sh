#!/usr/bin/env bash
# Puts the rules that k3s/cmd/firewall wrote for this node in force. Run it on the node, as root; run again, it changes nothing.
#
#     30-firewall.sh FOLDER
#
# Rules that lock their operator out are undone after five minutes, unless that operator logs in again and says otherwise.
. "$(dirname "$0")/lib.sh"
(($# == 1)) || die "usage: 30-firewall.sh FOLDER"
as_root
need ufw iptables-restore ip6tables-restore systemd-run systemctl
folder=$1
! systemctl is-active --quiet honeydue-firewall-undo.timer || die "the rules of the last run are not kept yet: log in from another terminal, then sudo systemctl stop honeydue-firewall-undo.timer, or wait until they are undone"
[[ -z ${SUDO_USER-} || -n ${SSH_CONNECTION-} ]] || die "sudo hides where you come from: sudo --preserve-env=SSH_CONNECTION $0 $1; at the machine's own console, sudo SSH_CONNECTION=console $0 $1"
files=(default/ufw ufw/ufw.conf ufw/before.rules ufw/before6.rules ufw/user.rules ufw/user6.rules ufw/after.rules ufw/after6.rules)
for file in "${files[@]}"; do
    [[ -s $folder/etc/$file ]] || die "there is no $folder/etc/$file: write the rules with go run ./k3s/cmd/firewall rules, and copy the whole folder"
done

# Whether the kernel takes them is asked before anything is touched.
for file in before user after; do
    iptables-restore --test <"$folder/etc/ufw/$file.rules" || die "$folder/etc/ufw/$file.rules cannot be loaded: nothing was changed"
    ip6tables-restore --test <"$folder/etc/ufw/${file}6.rules" || die "$folder/etc/ufw/${file}6.rules cannot be loaded: nothing was changed"
done

number() {
    local a b c d
    IFS=. read -r a b c d <<<"$1"
    echo $(((a << 24) + (b << 16) + (c << 8) + d))
}

# Whoever runs this over SSH must be let in by the new rules.
caller=${SSH_CONNECTION-}
caller=${caller%% *}
if [[ $caller =~ ^[0-9.]+$ ]]; then
    welcome=''
    while read -r network; do
        bits=${network#*/}
        [[ $network == */* ]] || bits=32
        mask=$(((0xffffffff << (32 - bits)) & 0xffffffff))
        (((($(number "$caller") ^ $(number "${network%/*}")) & mask) != 0)) || welcome=yes
    done < <(sed -nE 's/^-A ufw-user-input -p tcp --dport 22 -s ([0-9./]+) -j ACCEPT$/\1/p' "$folder/etc/ufw/user.rules")
    [[ -n $welcome ]] || die "these rules do not let in the address that you come from: add it to OPERATORS in cluster.env, and write them again"
fi

# What was loaded, since ufw rewrites its own files as it reads them.
old=/var/backups/honeydue-firewall loaded=/var/lib/honeydue/firewall
differs=''
for file in "${files[@]}"; do
    cmp --quiet "$folder/etc/$file" "$loaded/etc/$file" || differs=yes
done
if [[ -z $differs ]] && ufw status | grep -q '^Status: active'; then
    say "these rules are in force; there was nothing to do"
    exit
fi
rm -rf "$old"
mkdir -p "$old"
for file in "${files[@]}"; do
    if [[ -e /etc/$file ]]; then
        install -D -m 640 "/etc/$file" "$old/etc/$file"
    fi
done
was=$(ufw status)
put /usr/local/sbin/honeydue-firewall-undo 755 <<UNDO
#!/bin/sh
# Puts back what 30-firewall.sh replaced.
cp -a $old/etc/. /etc/
rm -rf $loaded
$(if [[ $was == *'Status: active'* ]]; then echo 'ufw reload'; else echo 'ufw --force disable'; fi)
UNDO
rm -rf "$loaded"
systemd-run --quiet --on-active=5min --unit=honeydue-firewall-undo /usr/local/sbin/honeydue-firewall-undo

for file in "${files[@]}"; do
    put "/etc/$file" 640 <"$folder/etc/$file"
done
if [[ $was == *'Status: active'* ]]; then ufw reload; else ufw --force enable; fi
for file in "${files[@]}"; do
    install -D -m 640 "$folder/etc/$file" "$loaded/etc/$file"
done
say "the rules are in force, and are undone in 5 minutes unless you say otherwise."
say "Log in from another terminal now. If that works: sudo systemctl stop honeydue-firewall-undo.timer"
