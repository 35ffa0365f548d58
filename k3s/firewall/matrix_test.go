//go:build k3s

package firewall

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// This file plays five hosts and a node in network namespaces, loads the node's rules with the real ufw, and sends a SYN and a datagram
// to every port from each. It needs root, iproute2, iptables and ufw; make k3s runs it.

// A host that tries the node's ports, with the address that it has.
type host struct {
	name, from string
	to         string // the node's address that it tries
}

// The node's addresses: what the internet, the other nodes and its pods see.
const (
	publicly  = "203.0.113.11"
	privately = "10.0.0.2"
	atPods    = "10.42.0.1"
	pod       = "10.42.0.10"
	farPod    = "10.42.1.10"
)

var hosts = []host{
	{"the internet", "192.0.2.10", publicly},
	{"the edge", "173.245.48.7", publicly},
	{"an operator", "198.51.100.7", publicly},
	{"another node", "10.0.0.3", privately},
	{"a pod", pod, atPods},
}

// A lab is namespaces, which go with the test.
type lab struct {
	t      *testing.T
	prefix string
}

func (l *lab) name(of string) string { return l.prefix + strings.ReplaceAll(of, " ", "") }

func (l *lab) sh(in, script string) string {
	l.t.Helper()
	command := exec.CommandContext(l.t.Context(), "ip", "netns", "exec", l.name(in), "sh", "-euc", script)
	out, err := command.CombinedOutput()
	require.NoError(l.t, err, "%s: %s\n%s", in, script, out)
	return string(out)
}

func (l *lab) ip(args ...string) {
	l.t.Helper()
	out, err := exec.CommandContext(l.t.Context(), "ip", args...).CombinedOutput()
	require.NoError(l.t, err, "ip %v\n%s", args, out)
}

func (l *lab) namespace(of string) {
	l.t.Helper()
	name := l.name(of)
	l.ip("netns", "add", name)
	l.t.Cleanup(func() { _ = exec.Command("ip", "netns", "delete", name).Run() })
	l.sh(of, "ip link set lo up")
}

// cable joins two namespaces by a cable with those ends.
func (l *lab) cable(a, endA, b, endB string) {
	l.t.Helper()
	l.ip("link", "add", endA, "netns", l.name(a), "type", "veth", "peer", "name", endB, "netns", l.name(b))
	l.sh(a, "ip link set "+endA+" up")
	l.sh(b, "ip link set "+endB+" up")
}

// openLab builds the node between its three networks: the public one, that of the nodes, and the bridge of its pods.
func openLab(t *testing.T) *lab {
	t.Helper()
	require.Zero(t, os.Getuid(), "run this as root")
	for _, program := range []string{"ip", "iptables", "ufw"} {
		_, err := exec.LookPath(program)
		require.NoError(t, err, "install iproute2, iptables and ufw")
	}
	l := &lab{t, fmt.Sprintf("hd%d-", os.Getpid())}
	l.namespace("node")
	l.namespace("switch")
	l.sh("switch", "for b in public private; do ip link add $b type bridge; ip link set $b up; done")
	join := func(name, port, bridge string) {
		l.cable(name, port, "switch", bridge[:3]+strconv.Itoa(len(name))+port)
		l.sh("switch", "ip link set "+bridge[:3]+strconv.Itoa(len(name))+port+" master "+bridge)
	}
	join("node", "eth0", "public")
	join("node", "eth1", "private")
	l.sh("node", "ip addr add "+publicly+"/24 dev eth0; ip addr add "+privately+"/16 dev eth1; ip route add default dev eth0"+
		"; ip link add cni0 type bridge; ip addr add "+atPods+"/24 dev cni0; ip link set cni0 up; sysctl -qw net.ipv4.ip_forward=1")
	for _, h := range hosts {
		l.namespace(h.name)
		switch h.to {
		case publicly:
			join(h.name, "eth0", "public")
			l.sh(h.name, "ip addr add "+h.from+"/32 dev eth0; ip route add "+publicly+" dev eth0; ip route add 10.42.0.0/16 via "+publicly+" dev eth0")
		case privately:
			join(h.name, "eth1", "private")
			l.sh(h.name, "ip addr add "+h.from+"/16 dev eth1")
		case atPods:
			l.cable(h.name, "eth0", "node", "veth1")
			l.sh("node", "ip link set veth1 master cni0")
			l.sh(h.name, "ip addr add "+h.from+"/24 dev eth0; ip route add default via "+atPods)
		}
	}
	// Flannel's tunnel to the other node, and a pod there.
	l.cable("another node", "tunnel", "node", podTunnel)
	l.sh("another node", "ip addr add "+farPod+"/32 dev lo; ip route add 10.42.0.0/24 via "+atPods+" dev tunnel onlink src "+farPod)
	l.sh("node", "ip route add 10.42.1.0/24 dev "+podTunnel)
	return l
}

// load has the real ufw load the files, in the node's namespace and with a view of its own on /etc.
func (l *lab) load(files []File) string {
	l.t.Helper()
	folder := l.t.TempDir()
	script := "mount --make-rprivate /\n"
	for _, file := range files {
		copied := filepath.Join(folder, filepath.Base(filepath.Dir(file.Path))+"-"+filepath.Base(file.Path))
		require.NoError(l.t, os.WriteFile(copied, []byte(file.Content), 0o640))
		script += "mount --bind " + copied + " " + file.Path + "\n"
	}
	// Bound files cannot be replaced, which ufw does to its own when it is enabled: they say already that it is.
	script += "/lib/ufw/ufw-init start\nufw status verbose\n"
	path := filepath.Join(folder, "load.sh")
	require.NoError(l.t, os.WriteFile(path, []byte(script), 0o600))
	return l.sh("node", "unshare --mount sh -eu "+path)
}

// A heard packet passed the firewall of whoever listened.
type heard struct {
	from     string
	protocol string
	port     int
}

// Where a TCP header has its flags, and two of them. A datagram is no shorter than that: see knockAt.
const (
	flags    = 13
	syn, ack = 0x02, 0x10
)

// An ear hears all packets that reach a namespace's own sockets, by raw ones, which stand behind its firewall.
type ear struct {
	mu      sync.Mutex
	packets map[heard]bool
	closed  sync.WaitGroup
}

func (l *lab) listen(in string) *ear {
	l.t.Helper()
	e := &ear{packets: map[heard]bool{}}
	l.t.Cleanup(e.closed.Wait) // once both sockets are closed, which is done first
	for _, protocol := range []string{"tcp", "udp"} {
		var conn net.PacketConn
		l.within(in, func() (err error) {
			conn, err = (&net.ListenConfig{Control: roomy}).ListenPacket(l.t.Context(), "ip4:"+protocol, "0.0.0.0")
			return err
		})
		e.closed.Add(1)
		go func() {
			defer e.closed.Done()
			buffer := make([]byte, 2048)
			for {
				n, from, err := conn.ReadFrom(buffer)
				if err != nil {
					return
				}
				if n > flags && (protocol == "udp" || buffer[flags]&(syn|ack) == syn) {
					e.mu.Lock()
					e.packets[heard{from.String(), protocol, int(binary.BigEndian.Uint16(buffer[2:4]))}] = true
					e.mu.Unlock()
				}
			}
		}()
		l.t.Cleanup(func() { _ = conn.Close() })
	}
	return e
}

// roomy gives a socket a buffer in which a packet to every port finds room.
func roomy(_, _ string, raw syscall.RawConn) error {
	const room, force = 256 << 20, 33 // SO_RCVBUFFORCE
	var err error
	failed := raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, force, room) })
	return errors.Join(failed, err)
}

// ports are what was heard of a host, by protocol, as UFW writes ports.
func (e *ear) ports(from string) map[string]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	of := map[string][]int{}
	for p := range e.packets {
		if p.from == from {
			of[p.protocol] = append(of[p.protocol], p.port)
		}
	}
	said := map[string]string{"tcp": "none", "udp": "none"}
	for protocol, ports := range of {
		slices.Sort(ports)
		said[protocol] = spans(ports)
	}
	return said
}

func (e *ear) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.packets)
}

// spans writes 1, 2, 3, 7 as "1:3, 7".
func spans(ports []int) string {
	var all []string
	for i := 0; i < len(ports); {
		j := i
		for j+1 < len(ports) && ports[j+1] == ports[j]+1 {
			j++
		}
		if text := strconv.Itoa(ports[i]); i == j {
			all = append(all, text)
		} else {
			all = append(all, text+":"+strconv.Itoa(ports[j]))
		}
		i = j + 1
	}
	return strings.Join(all, ", ")
}

// within runs f in a namespace, on a thread that dies afterwards.
func (l *lab) within(namespace string, f func() error) {
	l.t.Helper()
	done := make(chan error)
	go func() { done <- inNamespace("/run/netns/"+l.name(namespace), f) }()
	require.NoError(l.t, <-done)
}

// knock sends a SYN and a datagram to every port of an address.
func (l *lab) knock(from, source, at string) {
	l.t.Helper()
	l.within(from, func() error { return knockAt(netip.MustParseAddr(source), netip.MustParseAddr(at)) })
}

const everyPort = "1:65535"

// matrix reads the table of docs/firewall.md: by host, what it reaches by TCP and UDP.
func matrix(t *testing.T) map[string]map[string]string {
	t.Helper()
	page, err := os.ReadFile(root + "/docs/firewall.md")
	require.NoError(t, err)
	rows := regexp.MustCompile(`(?m)^\| ((?:the|an|another|a) [a-z]+) \| ([0-9:, ]+|none) \| ([0-9:, ]+|none) \|`).FindAllStringSubmatch(string(page), -1)
	all := map[string]map[string]string{}
	for _, row := range rows {
		all[row[1]] = map[string]string{"tcp": row[2], "udp": row[3]}
	}
	return all
}

// Every port from every host: what docs/firewall.md says, and nothing else.
func TestMatrix(t *testing.T) { //nolint:paralleltest // its time is in the kernel
	l := openLab(t)
	node, inside := l.listen("node"), l.listen("a pod")
	everything := func() {
		for _, h := range hosts {
			l.knock(h.name, h.from, h.to)
		}
	}
	all := map[string]string{"tcp": everyPort, "udp": everyPort}
	became := func(e *ear, want map[string]map[string]string, by func(name string) string) {
		t.Helper()
		found := func() map[string]map[string]string {
			found := map[string]map[string]string{}
			for name := range want {
				found[name] = e.ports(by(name))
			}
			return found
		}
		deadline := time.Now().Add(20 * time.Second)
		for !maps.EqualFunc(found(), want, maps.Equal) && time.Now().Before(deadline) {
			select {
			case <-t.Context().Done():
			case <-time.After(10 * time.Millisecond):
			}
		}
		require.Equal(t, want, found())
	}
	address := func(name string) string {
		return hosts[slices.IndexFunc(hosts, func(h host) bool { return h.name == name })].from
	}

	// Without the firewall each reaches everything, so that what is not heard later was dropped.
	everything()
	open := map[string]map[string]string{}
	for _, h := range hosts {
		open[h.name] = all
	}
	became(node, open, address)

	inside.forget()
	l.sh("node", "iptables -t nat -A PREROUTING -d "+publicly+" -p tcp --dport 30080 -j DNAT --to-destination "+pod+":8080")
	l.knock("the internet", "192.0.2.10", publicly)
	forwarded := func(name string) string { return name }
	became(inside, map[string]map[string]string{"192.0.2.10": {"tcp": "8080", "udp": "none"}}, forwarded)
	throughNode := func() {
		l.knock("the internet", "192.0.2.10", publicly)
		l.knock("the internet", "192.0.2.10", pod)
	}
	throughNode()
	became(inside, map[string]map[string]string{"192.0.2.10": all}, forwarded)

	c, edge := example(t)
	status := l.load(Files(c, c.Nodes[0], edge))
	// What K3s appends behind UFW's chains: Flannel's forwarding, and an end for what network policies have marked.
	l.sh("node", `iptables -t mangle -A PREROUTING -s 10.42.0.0/16 -j MARK --set-mark 0x20000
for chain in INPUT FORWARD; do iptables -A $chain -m mark --mark 0x20000/0x20000 -j ACCEPT; done
iptables -A FORWARD -s 10.42.0.0/16 -j ACCEPT; iptables -A FORWARD -d 10.42.0.0/16 -j ACCEPT`)
	require.Contains(t, status, "Status: active")
	require.Contains(t, status, "deny (incoming), allow (outgoing), deny (routed)")
	for _, r := range rules(c, c.Nodes[0], edge) {
		require.Regexp(t, regexp.QuoteMeta(r.ports()+"/"+r.protocol)+`\b.* ALLOW IN +`+regexp.QuoteMeta(r.source())+` +# `+r.why, status)
	}
	node.forget()
	inside.forget()
	want := matrix(t)
	require.Len(t, want, len(hosts), "docs/firewall.md has a row per host")
	everything()
	everything() // what was slow in the first round is there by the end of the second
	became(node, want, address)

	// Through the node: a pod reaches the world and is reached by other pods alone, also at a port that is forwarded to it.
	outside := l.listen("the internet")
	throughNode()
	l.knock("another node", farPod, pod)
	l.knock("a pod", pod, "192.0.2.10")
	became(outside, map[string]map[string]string{"a pod": all}, address)
	became(inside, map[string]map[string]string{farPod: all, "192.0.2.10": {"tcp": "none", "udp": "none"}}, forwarded)
}
