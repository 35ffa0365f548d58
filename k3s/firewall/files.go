package firewall

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/honeydue/backend/k3s/cluster"
)

// A File is one of UFW's, by its path on the node.
type File struct {
	Path, Content string
}

// Files are all that a node's UFW reads of rules, each whole: what an earlier version or a hand has written there is gone. They belong
// to root, mode 0640.
func Files(c cluster.Cluster, node cluster.Node, edge []netip.Prefix) []File {
	return []File{
		{"/etc/default/ufw", defaults},
		{"/etc/ufw/ufw.conf", "ENABLED=yes\nLOGLEVEL=low\n"},
		{"/etc/ufw/before.rules", before()},
		{"/etc/ufw/before6.rules", before6},
		{"/etc/ufw/user.rules", user("ufw", rules(c, node, edge))},
		{"/etc/ufw/user6.rules", user("ufw6", nil)},
		{"/etc/ufw/after.rules", after("ufw")},
		{"/etc/ufw/after6.rules", after("ufw6")},
	}
}

// defaults: what no rule lets in, or through, is dropped. The chains that kube-proxy and Flannel keep beside UFW's stay theirs
// (MANAGE_BUILTINS).
const defaults = `IPV6=yes
DEFAULT_INPUT_POLICY="DROP"
DEFAULT_OUTPUT_POLICY="ACCEPT"
DEFAULT_FORWARD_POLICY="DROP"
DEFAULT_APPLICATION_POLICY="SKIP"
MANAGE_BUILTINS=no
IPT_SYSCTL=/etc/ufw/sysctl.conf
IPT_MODULES=""
`

// before is what holds for every node. UFW's own input chain ends at a node's ports; what is forwarded is traffic of pods, and lets
// in what begins at a pod alone. A port that kube-proxy or a CNI plugin forwards to a pod is closed by that as well.
func before() string {
	var s strings.Builder
	s.WriteString(chains("ufw-before-input", "ufw-before-output", "ufw-before-forward", "ufw-not-local"))
	for _, line := range []string{
		"input -i lo -j ACCEPT",
		"output -o lo -j ACCEPT",
		"input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
		"output -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
		"forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
		"input -m conntrack --ctstate INVALID -j DROP",
		// Without these paths with a smaller packet size and dead hosts show as timeouts. Nobody needs an echo.
		"input -p icmp --icmp-type destination-unreachable -j ACCEPT",
		"input -p icmp --icmp-type time-exceeded -j ACCEPT",
		"input -p icmp --icmp-type parameter-problem -j ACCEPT",
		// The provider hands out the public address by DHCP.
		"input -p udp --sport 67 --dport 68 -j ACCEPT",
		fmt.Sprintf("forward -i %s -s %s -j ACCEPT", podBridge, cluster.Pods),
		fmt.Sprintf("forward -i %s -s %s -d %s -j ACCEPT", podTunnel, cluster.Pods, cluster.Pods),
	} {
		s.WriteString("-A ufw-before-" + line + "\n")
	}
	s.WriteString("COMMIT\n")
	return s.String()
}

// before6: nodes have IPv6 for their own neighbourhood at most. The edge comes by IPv4, and so does everybody else.
var before6 = chains("ufw6-before-input", "ufw6-before-output", "ufw6-before-forward") + `-A ufw6-before-input -i lo -j ACCEPT
-A ufw6-before-output -o lo -j ACCEPT
-A ufw6-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw6-before-output -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw6-before-input -p icmpv6 --icmpv6-type destination-unreachable -j ACCEPT
-A ufw6-before-input -p icmpv6 --icmpv6-type packet-too-big -j ACCEPT
-A ufw6-before-input -p icmpv6 --icmpv6-type time-exceeded -j ACCEPT
-A ufw6-before-input -p icmpv6 --icmpv6-type parameter-problem -j ACCEPT
-A ufw6-before-input -p icmpv6 --icmpv6-type neighbour-solicitation -m hl --hl-eq 255 -j ACCEPT
-A ufw6-before-input -p icmpv6 --icmpv6-type neighbour-advertisement -m hl --hl-eq 255 -j ACCEPT
-A ufw6-before-input -p icmpv6 --icmpv6-type router-advertisement -m hl --hl-eq 255 -j ACCEPT
COMMIT
`

// after ends what no rule has let in or through. The policies of the chains would as well, were it not for the rules that K3s appends behind
// UFW's: what Flannel forwards, and what network policies have marked, whichever port of the node it is for.
func after(prefix string) string {
	var s strings.Builder
	s.WriteString(chains(prefix+"-after-input", prefix+"-after-output", prefix+"-after-forward"))
	for _, chain := range []string{"input", "forward"} {
		s.WriteString("-A " + prefix + "-after-" + chain + ` -m limit --limit 3/minute --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "` + "\n")
		s.WriteString("-A " + prefix + "-after-" + chain + " -j DROP\n")
	}
	s.WriteString("COMMIT\n")
	return s.String()
}

// user holds the rules, in the form in which ufw itself writes them, so that ufw status lists them. The other chains are those that ufw looks for.
func user(prefix string, all []rule) string {
	var s strings.Builder
	names := []string{"user-input", "user-output", "user-forward"}
	for _, when := range []string{"before", "user", "after"} {
		for _, chain := range []string{"input", "output", "forward"} {
			names = append(names, when+"-logging-"+chain)
		}
	}
	names = append(names, "logging-deny", "logging-allow", "user-limit", "user-limit-accept")
	for i, name := range names {
		names[i] = prefix + "-" + name
	}
	s.WriteString(chains(names...))
	s.WriteString("### RULES ###\n")
	for _, r := range all {
		s.WriteString("\n" + r.tuple() + "\n" + r.line() + "\n")
	}
	s.WriteString("\n### END RULES ###\nCOMMIT\n")
	return s.String()
}

func chains(names ...string) string {
	var s strings.Builder
	s.WriteString("*filter\n")
	for _, name := range names {
		s.WriteString(":" + name + " - [0:0]\n")
	}
	return s.String()
}
