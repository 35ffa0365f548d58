package api

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the address ranges whose X-Forwarded-For entries are believed: ours, and those of the edge.
type Proxies []netip.Prefix

// Decode reads a comma-separated list of ranges such as 10.0.0.0/8.
func (p *Proxies) Decode(list string) error {
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(part)
		if err != nil {
			return errors.New("not a list of address ranges")
		}
		*p = append(*p, prefix.Masked())
	}
	return nil
}

func (p Proxies) trusted(a netip.Addr) bool {
	return slices.ContainsFunc(p, func(prefix netip.Prefix) bool { return prefix.Contains(a) })
}

// Client returns whom a request comes from: the peer, or, when that is a proxy of ours, the last
// X-Forwarded-For entry that is not. An IPv6 client is its /64, since a home has at least that.
func (p Proxies) Client(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	client := peer.Addr().Unmap()
	if p.trusted(client) {
		entries := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for _, entry := range slices.Backward(entries) {
			address, err := netip.ParseAddr(strings.TrimSpace(entry))
			if err != nil {
				break
			}
			if client = address.Unmap(); !p.trusted(client) {
				break
			}
		}
	}
	if client.Is6() {
		prefix, _ := client.WithZone("").Prefix(64)
		return prefix.String()
	}
	return client.String()
}

type addressKey struct{}

// Address returns whom the request of ctx comes from, to count by; it is never logged.
func Address(ctx context.Context) string {
	address, _ := ctx.Value(addressKey{}).(string)
	return address
}
