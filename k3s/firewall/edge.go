package firewall

import (
	"bufio"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// ParseEdge reads Cloudflare's list of IPv4 networks, one a line, as https://www.cloudflare.com/ips-v4 has it. A # begins a comment.
func ParseEdge(text string) (networks []netip.Prefix, err error) {
	const widest = 8 // bits; the widest that Cloudflare announces has 12
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		network, err := netip.ParsePrefix(line)
		if err != nil || !network.Addr().Is4() || network != network.Masked() || network.Bits() < widest || network.Addr().IsPrivate() {
			return nil, fmt.Errorf("%.40q is not a public IPv4 network", line)
		}
		networks = append(networks, network)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read networks: %w", err)
	}
	if len(networks) == 0 {
		return nil, errors.New("there are no networks: nobody could reach the nodes")
	}
	return networks, nil
}

// Replaces returns an error when the new list cannot be the old one's successor: it has lost more than half of it, which is more likely a
// page that answers something else.
func Replaces(before, after []netip.Prefix) error {
	kept := 0
	for _, network := range before {
		if slices.Contains(after, network) {
			kept++
		}
	}
	if 2*kept < len(before) {
		return fmt.Errorf("of %d networks only %d are in the new list; look at it before you believe it", len(before), kept)
	}
	return nil
}
