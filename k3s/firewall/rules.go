// Package firewall computes a node's UFW configuration, whole, from the list of nodes, operators and the edge's ranges.
package firewall

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/honeydue/backend/k3s/cluster"
)

// A rule lets something in. Whatever no rule lets in is dropped.
type rule struct {
	why      string
	protocol string // tcp or udp
	first    int    // port
	last     int    // port; first, where it is one
	from     netip.Prefix
	by       string // the interface; empty: any
}

// Ports that a node answers on. K3s's are those of its documentation (docs.k3s.io/installation/requirements, inbound rules);
// Traefik's are those of k3s/traefik/.
const (
	ssh           = 22
	https         = 443
	apiServer     = 6443
	etcdClients   = 2379
	etcdPeers     = 2380
	registry      = 5001 // the embedded one, by which nodes give each other images
	private       = 8001 // Traefik's entry point for what stays in the cluster
	ingressFigure = 9101 // Traefik's metrics
	kubelet       = 10250
	wireGuard     = 51820
)

// The bridge that pods of a node hang on, as K3s's Flannel names it, and its tunnel to the other nodes.
const (
	podBridge = "cni0"
	podTunnel = "flannel-wg"
)

// rules are those of one node.
func rules(c cluster.Cluster, node cluster.Node, edge []netip.Prefix) (all []rule) {
	tcp := func(why string, port int, from netip.Prefix) {
		all = append(all, rule{why, "tcp", port, port, from, ""})
	}
	for _, network := range edge {
		tcp("the edge", https, network)
	}
	for _, network := range c.Operators {
		tcp("an operator", ssh, network)
	}
	for _, other := range c.Nodes {
		if other == node {
			continue
		}
		from, why := netip.PrefixFrom(other.Private, other.Private.BitLen()), "node "+other.Name
		all = append(all, rule{why, "tcp", etcdClients, etcdPeers, from, ""})
		for _, port := range []int{registry, apiServer, private, ingressFigure, kubelet} {
			tcp(why, port, from)
		}
		all = append(all, rule{why, "udp", wireGuard, wireGuard, from, ""})
	}
	// What a pod asks of another node comes with the address of its own.
	for _, port := range []int{apiServer, private, ingressFigure, kubelet} {
		all = append(all, rule{"pods of this node", "tcp", port, port, cluster.Pods, podBridge})
	}
	return all
}

// tuple is the rule as ufw status reads it.
func (r rule) tuple() string {
	by := "in"
	if r.by != "" {
		by += "_" + r.by
	}
	return fmt.Sprintf("### tuple ### allow %s %s 0.0.0.0/0 any %s %s comment=%s", r.protocol, r.ports(), r.source(), by, hex.EncodeToString([]byte(r.why)))
}

func (r rule) ports() string {
	if r.first == r.last {
		return strconv.Itoa(r.first)
	}
	return fmt.Sprintf("%d:%d", r.first, r.last)
}

// source is how ufw writes it: a single address without its length.
func (r rule) source() string {
	if r.from.IsSingleIP() {
		return r.from.Addr().String()
	}
	return r.from.String()
}

// line is the rule as iptables-restore reads it.
func (r rule) line() string {
	var s strings.Builder
	s.WriteString("-A ufw-user-input")
	if r.by != "" {
		s.WriteString(" -i " + r.by)
	}
	s.WriteString(" -p " + r.protocol)
	if r.first != r.last {
		s.WriteString(" -m multiport --dports " + r.ports())
	} else {
		s.WriteString(" --dport " + r.ports())
	}
	s.WriteString(" -s " + r.source() + " -j ACCEPT")
	return s.String()
}
