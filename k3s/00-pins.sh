#!/usr/bin/env bash
# Downloads everything that pins.lock names and says whether it has the sum that stands there; of K3s also what its publisher says.
# It changes nothing. Run it where the internet is.
. "$(dirname "$0")/lib.sh"
(($# == 0)) || die "takes no arguments"
need curl awk sha256sum

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
wrong=0
while read -r name; do
    pin "$name"
    if ! curl --fail --silent --show-error --location --proto '=https' --max-time 600 --output "$folder/file" "$pin_address"; then
        say "$name: could not be downloaded from $pin_address"
        wrong=1
        continue
    fi
    got=$(sum_of "$folder/file")
    if [[ $pin_sum == unknown ]]; then
        say "$name $pin_version: $got; compare that with the publisher's release, and put it into pins.lock"
        wrong=1
    elif [[ $got == "$pin_sum" ]]; then
        printf '%s %s: as pinned, verified: %s\n' "$name" "$pin_version" "$pin_verified"
    else
        say "$name $pin_version: $got, and pins.lock has $pin_sum"
        wrong=1
    fi
done < <(awk '!/^#/ && NF { print $1 }' "$k3s/pins.lock")

pin k3s
if ! curl --fail --silent --show-error --location --proto '=https' --max-time 60 --output "$folder/sums" "${pin_address%/*}/sha256sum-amd64.txt"; then
    say "k3s: its publisher's list of sums could not be downloaded"
    wrong=1
elif [[ $(awk '$2 == "k3s" { print $1 }' "$folder/sums") == "$pin_sum" ]]; then
    echo "k3s: its publisher says the same"
else
    say "k3s: its publisher says another sum than pins.lock"
    wrong=1
fi
exit "$wrong"
