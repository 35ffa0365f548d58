# shellcheck shell=bash disable=SC2034 # those that source it read its variables
# What the scripts beside this share. Each sources it first.
set -euo pipefail

k3s=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

die() {
    say "$@"
    exit 2
}

as_root() { ((EUID == 0)) || die "run it as root, on the node: sudo $0"; }

need() {
    local program
    for program; do
        command -v "$program" >/dev/null || die "needs $program, which is not installed: apt-get install $program"
    done
}

# before_change is called before each change; whoever must remember that one was begun says how.
before_change() { :; }

# put PATH MODE writes what it reads to PATH, in one step, where the file differs from it; then `changed` is yes.
changed=''
put() {
    local path=$1 mode=$2 new
    mkdir -p "$(dirname "$path")"
    new=$(mktemp "$path.XXXXXX")
    cat >"$new"
    chmod "$mode" "$new"
    if [[ -e $path ]] && cmp --quiet "$new" "$path" && [[ $(stat -c %a "$path") == "$mode" ]]; then
        rm "$new"
        return
    fi
    before_change
    mv "$new" "$path"
    say "wrote $path"
    changed=yes
}

# pin NAME puts what pins.lock says of it into pin_version, pin_sum, pin_verified and pin_address.
pin() {
    local line
    line=$(awk -v name="$1" '$1 == name' "$k3s/pins.lock")
    read -r _ pin_version pin_sum pin_verified pin_address <<<"$line" || true
    [[ $pin_sum =~ ^([0-9a-f]{64}|unknown)$ && $pin_address == https://* ]] || die "pins.lock has no whole line for $1"
}

# private_of ENTRY prints the private address of an entry of NODES.
private_of() {
    local addresses=${1#*=}
    echo "${addresses%%=*}"
}

# in_context NAME stops unless that is kubectl's context, so that nobody changes another cluster by mistake.
in_context() {
    local present
    present=$(kubectl config current-context)
    [[ $present == "$1" ]] || die "kubectl's context is $present, not $1: kubectl config use-context $1"
}

sum_of() { sha256sum <"$1" | cut -d ' ' -f 1; }

# fetch NAME PATH MODE downloads what pins.lock names, and puts it at PATH if its sum is the one that is written there.
fetch() {
    local path=$2 new got
    pin "$1"
    [[ $pin_sum != unknown ]] || die "nobody has written down the sum of $1 $pin_version: k3s/00-pins.sh prints it; compare it with the publisher's release, and put it into pins.lock"
    mkdir -p "$(dirname "$path")"
    new=$(mktemp "$path.XXXXXX")
    if ! curl --fail --silent --show-error --location --proto '=https' --max-time 600 --output "$new" "$pin_address"; then
        rm -f "$new"
        die "$1 could not be downloaded from $pin_address; nothing was changed"
    fi
    got=$(sum_of "$new")
    if [[ $got != "$pin_sum" ]]; then
        rm -f "$new"
        die "$1 from $pin_address has the sum $got, not $pin_sum: nothing was changed. Compare with the publisher: k3s/00-pins.sh"
    fi
    chmod "$3" "$new"
    before_change
    mv "$new" "$path"
    say "fetched $1 $pin_version"
    changed=yes
}

# read_cluster reads cluster.env, of which k3s/cluster says what it must look like.
read_cluster() {
    local file=$k3s/cluster.env wrong
    [[ -r $file ]] || die "there is no $file: copy cluster.env.example and fill it in"
    wrong=$(grep -vE '^[[:space:]]*(#.*)?$|^[A-Z_]+="?[^"$`\\]*"?$' "$file" | head -1 || true)
    [[ -z $wrong ]] || die "$file has a line that is not of the form NAME=\"value\": $wrong"
    # shellcheck source=cluster.env.example
    . "$file"
    [[ -n ${NODES-} && -n ${OPERATORS-} && -n ${REGISTRY-} ]] || die "$file must have NODES, OPERATORS and REGISTRY"
}

# read_node NAME puts the private address that NODES says it has into node_private.
read_node() {
    local entry names=''
    for entry in $NODES; do
        names+=" ${entry%%=*}"
        if [[ ${entry%%=*} == "$1" && $entry == *=*=* ]]; then
            node_private=$(private_of "$entry")
            return
        fi
    done
    die "there is no node $1; NODES has$names"
}
