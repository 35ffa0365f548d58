//go:build k3s

// Package k3s has the tests of the scripts beside it. They need root and what make k3s says.
package k3s

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/k3s/cluster"
	"github.com/honeydue/backend/k3s/firewall"
)

func TestShellcheck(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("*.sh")
	require.NoError(t, err)
	require.NotEmpty(t, scripts)
	tools, err := filepath.Glob("../tools/*.sh")
	require.NoError(t, err)
	for _, script := range append(append(scripts, tools...), "../.ci/run") {
		out, err := exec.CommandContext(t.Context(), "shellcheck", "--external-sources", "--source-path=SCRIPTDIR", script).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
}

// ready has on it what an operator brings before 20-k3s.sh.
func ready(t *testing.T) *machine {
	t.Helper()
	m := newMachine(t)
	m.write("etc/honeydue/k3s-token", "a-token\n", 0o600)
	m.write("etc/honeydue/registry", "puller\na-pass&word\n", 0o600)
	m.recordFile("enabled", "")
	return m
}

func TestFirstNode(t *testing.T) {
	t.Parallel()
	m := ready(t)
	first := m.run("20-k3s.sh", []string{"honeydue-1", "first"})
	require.Zero(t, first.code, first.said)
	require.Contains(t, first.calls, "sysctl --quiet --load=/etc/sysctl.d/90-honeydue.conf\n")
	require.Contains(t, first.calls, "systemctl daemon-reload\nsystemctl enable --quiet k3s.service\nsystemctl restart k3s.service\n")
	files := m.files()
	config := files["/etc/rancher/k3s/config.yaml"]
	for _, want := range []string{"-rw-------", "\ncluster-init: true\n", `node-ip: "10.0.0.2"`, `flannel-iface: "enp7s0"`, "- \"10.0.0.3\"\n", "secrets-encryption: true"} {
		require.Contains(t, config, want)
	}
	require.NotRegexp(t, `@[A-Z]+@`, config)
	require.Contains(t, files["/etc/rancher/k3s/registries.yaml"], "-rw-------")
	require.Contains(t, files["/etc/rancher/k3s/registries.yaml"], "\"registry.example.com\":\n    auth:\n      username: \"puller\"\n      password: \"a-pass&word\"\n")
	require.Contains(t, files["/var/lib/rancher/k3s/server/logs"], "drwx------")
	require.NotContains(t, first.said+first.out+first.calls, "a-pass")
	require.NotContains(t, first.said+first.out+first.calls, "a-token")

	again := m.run("20-k3s.sh", []string{"honeydue-1", "first"})
	require.Zero(t, again.code, again.said)
	require.Equal(t, files, m.files())
	require.Contains(t, again.said, "there was nothing to do")
	for _, changes := range []string{"systemctl restart", "systemctl enable", "sysctl", "--output /usr/local"} {
		require.NotContains(t, again.calls, changes)
	}
}

// What was begun is ended by the next run, whatever ended it.
func TestAnInterruptedNodeIsFinished(t *testing.T) {
	t.Parallel()
	m := ready(t)
	m.recordFile("broken", "")
	cut := m.run("20-k3s.sh", []string{"honeydue-1", "first"})
	require.Equal(t, 2, cut.code)
	require.Contains(t, cut.said, "K3s did not start")
	require.NoError(t, os.Remove(filepath.Join(m.record, "broken")))
	again := m.run("20-k3s.sh", []string{"honeydue-1", "first"})
	require.Zero(t, again.code, again.said)
	require.Contains(t, again.calls, "systemctl daemon-reload\nsystemctl enable --quiet k3s.service\nsystemctl restart k3s.service\n")
	require.Contains(t, m.run("20-k3s.sh", []string{"honeydue-1", "first"}).said, "there was nothing to do")

	require.NoError(t, os.Remove(filepath.Join(m.record, "enabled")))
	m.stops("the firewall is off", "20-k3s.sh", []string{"honeydue-1", "first"})
}

// A node that is a member stays what it began as, whatever the word.
func TestAMemberStaysOne(t *testing.T) {
	t.Parallel()
	m := ready(t)
	m.recordFile("nodes", "https://10.0.0.4\n")
	joined := m.run("20-k3s.sh", []string{"honeydue-1", "join"})
	require.Zero(t, joined.code, joined.said)
	require.Contains(t, m.files()["/etc/rancher/k3s/config.yaml"], "\nserver: https://10.0.0.4:6443\n")
	m.write("var/lib/rancher/k3s/server/db/etcd/member", "", 0o600)
	m.recordFile("nodes", "https://10.0.0.3\n")
	before := m.files()
	for _, how := range []string{"join", "first"} {
		again := m.run("20-k3s.sh", []string{"honeydue-1", how})
		require.Zero(t, again.code, again.said)
		require.Equal(t, before, m.files())
	}
	// A change of this folder reaches it, and K3s starts anew.
	m.projectFile("node/audit.yaml", m.readProject("node/audit.yaml")+"# one line more\n")
	changed := m.run("20-k3s.sh", []string{"honeydue-1", "join"})
	require.Zero(t, changed.code, changed.said)
	require.Contains(t, changed.calls, "systemctl restart k3s.service")
	// Another K3s comes only on demand.
	m.projectFile("pins.lock", strings.Replace(m.readProject("pins.lock"), "v1.34.10%2Bk3s1/k3s", "v1.34.11%2Bk3s1/k3s", 1))
	m.pinned()
	m.stops("--upgrade, on one node after the other", "20-k3s.sh", []string{"honeydue-1", "join"})
	upgraded := m.run("20-k3s.sh", []string{"honeydue-1", "join", "--upgrade"})
	require.Zero(t, upgraded.code, upgraded.said)
	require.Contains(t, m.files()["/local/bin/k3s"], "v1.34.11")
}

// A snapshot is restored once, on a machine that was a member or a new one; K3s takes it from the file, and begins with this server alone.
func TestSnapshotIsRestored(t *testing.T) {
	t.Parallel()
	const reset = "k3s server --cluster-reset --etcd-s3=false --cluster-reset-restore-path=/var/snapshot.zip\n"
	restore := []string{"honeydue-1", "restore", "/var/snapshot.zip"}
	for _, begun := range []string{"", "secrets-encryption: true\nserver: https://10.0.0.3:6443\n", "secrets-encryption: true\ncluster-init: true\n"} {
		m := ready(t)
		m.write("var/snapshot.zip", "etcd", 0o600)
		if begun != "" {
			m.write("etc/rancher/k3s/config.yaml", begun, 0o600)
			m.write("var/lib/rancher/k3s/server/db/etcd/member", "", 0o600)
		}
		m.recordFile("nodes", "https://10.0.0.3\n")
		m.stops("K3s answers at 10.0.0.3: stop it on every other node", "20-k3s.sh", restore)
		m.recordFile("nodes", "")

		first := m.run("20-k3s.sh", restore)
		require.Zero(t, first.code, first.said)
		_, after, found := strings.Cut(first.calls, "systemctl stop k3s.service\n"+reset)
		require.True(t, found, first.calls)
		require.Contains(t, after, "systemctl restart k3s.service\nk3s kubectl delete secret --namespace=kube-system --ignore-not-found honeydue-1.node-password.k3s\n")
		files := m.files()
		require.Contains(t, files["/etc/rancher/k3s/config.yaml"], "\ncluster-init: true\n")
		require.NotContains(t, files["/etc/rancher/k3s/config.yaml"], "\nserver: ")

		again := m.run("20-k3s.sh", restore)
		require.Zero(t, again.code, again.said)
		require.Contains(t, again.said, "this snapshot was restored here before")
		require.NotContains(t, again.calls, "cluster-reset")
		require.NotContains(t, again.calls, "restart")
		require.Equal(t, files, m.files())

		require.NoError(t, os.Remove(filepath.Join(m.root, "var/lib/rancher/k3s/server/db/reset-flag"))) // K3s ran
		m.write("var/snapshot.zip", "another", 0o600)
		require.Contains(t, m.run("20-k3s.sh", restore).calls, reset)
	}
}

// What was cut between the reset and the start of K3s is not reset again, and what could not be reset is tried again.
func TestAnInterruptedRestoreIsFinished(t *testing.T) {
	t.Parallel()
	m := ready(t)
	m.write("var/snapshot.zip", "etcd", 0o600)
	restore := []string{"honeydue-1", "restore", "/var/snapshot.zip"}
	m.recordFile("torn", "")
	failed := m.run("20-k3s.sh", restore)
	require.Equal(t, 2, failed.code)
	require.Contains(t, failed.said, "reset.log says why")
	require.NotContains(t, failed.calls, "restart")
	require.NoError(t, os.Remove(filepath.Join(m.record, "torn")))
	m.recordFile("broken", "")
	cut := m.run("20-k3s.sh", restore)
	require.Equal(t, 2, cut.code)
	require.Contains(t, cut.said, "K3s did not start")
	require.NoError(t, os.Remove(filepath.Join(m.record, "broken")))
	again := m.run("20-k3s.sh", restore)
	require.Zero(t, again.code, again.said)
	require.NotContains(t, again.calls, "cluster-reset")
	require.Contains(t, again.calls, "systemctl restart k3s.service")
}

// Of a cluster that lost most of its servers the one that is left goes on alone. One that answers is left as it is.
func TestTheLastServerGoesOnAlone(t *testing.T) {
	t.Parallel()
	m := ready(t)
	m.recordFile("nodes", "https://10.0.0.3\n")
	require.Zero(t, m.run("20-k3s.sh", []string{"honeydue-1", "join"}).code)
	m.write("var/lib/rancher/k3s/server/db/etcd/member", "", 0o600)
	alone := []string{"honeydue-1", "alone"}
	m.stops("K3s answers at 10.0.0.3", "20-k3s.sh", alone)
	m.recordFile("nodes", "")
	m.recordFile("lost", "")
	first := m.run("20-k3s.sh", alone)
	require.Zero(t, first.code, first.said)
	require.Contains(t, first.calls, "systemctl stop k3s.service\nk3s server --cluster-reset --etcd-s3=false\n")
	require.Contains(t, m.files()["/etc/rancher/k3s/config.yaml"], "\ncluster-init: true\n")
	files := m.files()
	again := m.run("20-k3s.sh", alone)
	require.Zero(t, again.code, again.said)
	require.Contains(t, again.said, "the cluster answers, so that etcd stays as it is")
	require.NotContains(t, again.calls, "cluster-reset")
	require.Equal(t, files, m.files())
}

// A server that somebody stopped is started.
func TestAStoppedServerIsStarted(t *testing.T) {
	t.Parallel()
	m := ready(t)
	first := []string{"honeydue-1", "first"}
	require.Zero(t, m.run("20-k3s.sh", first).code)
	m.recordFile("stopped", "")
	require.Contains(t, m.run("20-k3s.sh", first).calls, "systemctl restart k3s.service")
}

func TestWhatStopsANode(t *testing.T) {
	t.Parallel()
	m := ready(t)
	first := []string{"honeydue-1", "first"}
	for _, args := range [][]string{nil, {"honeydue-1"}, {"honeydue-1", "begin"}, {"honeydue-1", "join", "--now"}, {"honeydue-1", "join", "--upgrade", "x"}, {"honeydue-1", "restore"}, {"honeydue-1", "alone", "x"}} {
		m.stops("usage: 20-k3s.sh NODE first|join", "20-k3s.sh", args)
	}
	m.stops("there is no snapshot /var/missing.zip", "20-k3s.sh", []string{"honeydue-1", "restore", "/var/missing.zip"})
	m.stops("db to go on with: restore a snapshot", "20-k3s.sh", []string{"honeydue-1", "alone"})
	m.stops("there is no node elsewhere; NODES has honeydue-1 honeydue-2 honeydue-3", "20-k3s.sh", []string{"elsewhere", "first"})
	m.stops("does not have the address 10.0.0.3, which is honeydue-2's", "20-k3s.sh", []string{"honeydue-2", "join"})
	m.stops("no other node answers at port 6443", "20-k3s.sh", []string{"honeydue-1", "join"})
	m.recordFile("nodes", "https://10.0.0.3\n")
	m.stops("a cluster answers at 10.0.0.3", "20-k3s.sh", first)
	m.recordFile("nodes", "")

	right := m.readProject("cluster.env")
	for word, text := range map[string]string{
		"must have NODES, OPERATORS and REGISTRY": strings.ReplaceAll(right, "REGISTRY=", "# "),
		"a line that is not of the form":          right + "NODES=$(reboot)\n",
	} {
		m.projectFile("cluster.env", text)
		m.stops(word, "20-k3s.sh", first)
	}
	require.NoError(t, os.Remove(filepath.Join(m.project, "k3s/cluster.env")))
	m.stops("copy cluster.env.example", "20-k3s.sh", first)
	m.projectFile("cluster.env", right)

	m.write("etc/honeydue/k3s-token", "a-token\n", 0o644)
	m.stops("others can read /etc/honeydue/k3s-token", "20-k3s.sh", first)
	m.write("etc/honeydue/k3s-token", "a-token\nanother\n", 0o600)
	m.stops("/etc/honeydue/k3s-token must have 1 lines", "20-k3s.sh", first)
	m.write("etc/honeydue/k3s-token", "", 0o600)
	m.stops("there is no /etc/honeydue/k3s-token", "20-k3s.sh", first)
	m.write("etc/honeydue/k3s-token", "a-token\n", 0o600)

	pins := m.readProject("pins.lock")
	m.projectFile("pins.lock", strings.Replace(pins, "v1.34.10%2Bk3s1/k3s", "v1.34.10%2Bk3s1/other", 1))
	m.stops("nothing was changed. Compare with the publisher", "20-k3s.sh", first)
	m.projectFile("pins.lock", "")
	m.stops("pins.lock has no whole line for k3s", "20-k3s.sh", first)
	m.projectFile("pins.lock", pins)
	m.recordFile("offline", "https://github.com/k3s-io/k3s/releases/download/v1.34.10%2Bk3s1/k3s\n")
	m.stops("k3s could not be downloaded from", "20-k3s.sh", first)
	m.recordFile("offline", "")

	m.write("etc/honeydue/registry", "puller\na\"password\n", 0o600)
	r := m.run("20-k3s.sh", first)
	require.Equal(t, 2, r.code)
	require.Contains(t, r.said, "/etc/honeydue/registry has a")
	require.NotContains(t, r.said, "password")
	require.NotContains(t, r.calls, "systemctl")
	m.write("etc/honeydue/registry", "puller\na-pass&word\n", 0o600)

	m.write("var/lib/rancher/k3s/server/db/etcd/member", "", 0o600)
	m.write("etc/rancher/k3s/config.yaml", "server: https://10.0.0.3:6443\n", 0o600)
	m.stops("begun without encryption of Secrets", "20-k3s.sh", first)
	m.write("etc/rancher/k3s/config.yaml", "# nothing\n", 0o600)
	m.stops("does not say how it began", "20-k3s.sh", first)
}

// rulesFor writes a node's rules below /etc/honeydue/rules of the machine.
func rulesFor(t *testing.T, m *machine, name string) {
	t.Helper()
	all, err := cluster.Read("cluster.env.example")
	require.NoError(t, err)
	node, err := all.Node(name)
	require.NoError(t, err)
	edge, err := firewall.ParseEdge(m.readProject("firewall/cloudflare.txt"))
	require.NoError(t, err)
	for _, file := range firewall.Files(all, node, edge) {
		m.write("etc/honeydue/rules"+file.Path, file.Content, 0o640)
	}
}

const rulesOnMachine = "/etc/honeydue/rules"

func TestFirewallTwice(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	rulesFor(t, m, "honeydue-1")
	m.write("etc/ufw/user.rules", "# by hand\n", 0o640)
	over := "SSH_CONNECTION=198.51.100.70 50000 203.0.113.11 22" // within 198.51.100.64/28
	first := m.run("30-firewall.sh", []string{rulesOnMachine}, over)
	require.Zero(t, first.code, first.said)
	require.Contains(t, first.calls, "systemd-run --quiet --on-active=5min --unit=honeydue-firewall-undo /usr/local/sbin/honeydue-firewall-undo\nufw --force enable\n")
	require.Contains(t, first.said, "undone in 5 minutes")
	files := m.files()
	require.Equal(t, files[rulesOnMachine+"/etc/ufw/user.rules"]+"# rewritten\n", files["/etc/ufw/user.rules"], "as ufw does to its files")
	require.Contains(t, files["/var/backups/honeydue-firewall/etc/ufw/user.rules"], "# by hand")
	require.Contains(t, files["/local/sbin/honeydue-firewall-undo"], "ufw --force disable")

	m.stops("the rules of the last run are not kept yet", "30-firewall.sh", []string{rulesOnMachine}, over)
	keep := func() { require.NoError(t, os.Remove(filepath.Join(m.record, "armed"))) }
	keep()
	again := m.run("30-firewall.sh", []string{rulesOnMachine}, over)
	require.Zero(t, again.code, again.said)
	require.Contains(t, again.said, "there was nothing to do")
	require.Equal(t, files, m.files())
	require.NotContains(t, again.calls, "ufw --force")
	require.NotContains(t, again.calls, "systemd-run")

	rulesFor(t, m, "honeydue-2")
	other := m.run("30-firewall.sh", []string{rulesOnMachine}, over)
	require.Zero(t, other.code, other.said)
	require.Contains(t, other.calls, "ufw reload")
	// The undo, which the timer runs, puts back what was there before the last load.
	undo, err := os.ReadFile(filepath.Join(m.root, "local/sbin/honeydue-firewall-undo"))
	require.NoError(t, err)
	m.projectFile("undo.sh", string(undo))
	require.NoError(t, os.Chmod(filepath.Join(m.project, "k3s/undo.sh"), 0o700))
	undone := m.run("undo.sh", nil)
	require.Zero(t, undone.code, undone.said)
	require.Contains(t, undone.calls, "ufw reload")
	require.Equal(t, files["/etc/ufw/user.rules"]+"# rewritten\n", m.files()["/etc/ufw/user.rules"])
	keep()
	require.Contains(t, m.run("30-firewall.sh", []string{rulesOnMachine}, over).said, "the rules are in force, and are undone", "they are to be loaded again")
}

func TestWhatStopsAFirewall(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.stops("usage: 30-firewall.sh FOLDER", "30-firewall.sh", nil)
	m.stops("write the rules with go run ./k3s/cmd/firewall rules", "30-firewall.sh", []string{rulesOnMachine})
	rulesFor(t, m, "honeydue-1")
	for _, from := range []string{"198.51.100.8", "198.51.100.80", "203.0.113.12"} {
		m.stops("do not let in the address that you come from", "30-firewall.sh", []string{rulesOnMachine}, "SSH_CONNECTION="+from+" 50000 203.0.113.11 22")
	}
	m.stops("sudo hides where you come from", "30-firewall.sh", []string{rulesOnMachine}, "SUDO_USER=ann")
	m.write("etc/honeydue/rules/etc/ufw/user.rules", "wrong\n", 0o640)
	m.stops("user.rules cannot be loaded: nothing was changed", "30-firewall.sh", []string{rulesOnMachine})
	m.write("etc/honeydue/rules/etc/ufw/before6.rules", "wrong\n", 0o640)
	m.stops("before6.rules cannot be loaded: nothing was changed", "30-firewall.sh", []string{rulesOnMachine})
}

func TestCloudInit(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	rulesFor(t, m, "honeydue-1")
	const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPcDd6ywtnQbE+5DZvgMCGYaQV3sVjlVJY0Xc8SbCH9V ann"
	m.write("etc/honeydue/keys", "# ours\n"+key+"\n", 0o644)
	args := []string{"honeydue-1", "/etc/honeydue/keys", rulesOnMachine}
	first := m.run("10-cloud-init.sh", args)
	require.Zero(t, first.code, first.said)
	require.Equal(t, first, m.run("10-cloud-init.sh", args))
	require.Empty(t, first.calls)
	require.Contains(t, first.out, key)
	path := filepath.Join(t.TempDir(), "user-data")
	require.NoError(t, os.WriteFile(path, []byte(first.out), 0o600))
	out, err := exec.CommandContext(t.Context(), "cloud-init", "schema", "--config-file", path).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "Valid cloud-config")
	require.NotContains(t, string(out), "deprecated")

	// A user whose name is one of Debian's groups cannot be made: useradd wants a group of that name for it.
	var data struct{ Users []struct{ Name string } }
	require.NoError(t, json.Unmarshal([]byte(strings.TrimPrefix(first.out, "#cloud-config\n")), &data))
	require.Len(t, data.Users, 1)
	groups, err := os.ReadFile("/usr/share/base-passwd/group.master")
	require.NoError(t, err)
	require.NotContains(t, "\n"+string(groups), "\n"+data.Users[0].Name+":")

	m.stops("usage: 10-cloud-init.sh NODE KEYS FIREWALL", "10-cloud-init.sh", []string{"honeydue-1"})
	m.stops("there is no node honeydue-9", "10-cloud-init.sh", []string{"honeydue-9", "/etc/honeydue/keys", rulesOnMachine})
	m.stops("there is no file /etc/honeydue/other", "10-cloud-init.sh", []string{"honeydue-1", "/etc/honeydue/other", rulesOnMachine})
	m.stops("write the rules first", "10-cloud-init.sh", []string{"honeydue-1", "/etc/honeydue/keys", "/etc/honeydue"})
	for _, other := range []string{"ssh-rsa AAAA old", `from="198.51.100.7" ` + key} {
		m.write("etc/honeydue/keys", key+"\n"+other+"\n", 0o644)
		m.stops("line 2 of /etc/honeydue/keys is no public key of a kind that is accepted", "10-cloud-init.sh", args)
	}
	m.write("etc/honeydue/keys", "# nobody\n", 0o644)
	m.stops("has no public key", "10-cloud-init.sh", args)
	m.write("etc/honeydue/keys", key+"\n-----BEGIN OPENSSH PRIVATE KEY-----\n", 0o644)
	m.stops("has a private key", "10-cloud-init.sh", args)
}

func TestKnativeTwice(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	first := m.run("40-knative.sh", []string{"production"})
	require.Zero(t, first.code, first.said)
	folder := regexp.MustCompile(`/tmp/tmp\.[A-Za-z0-9]+|\.[A-Za-z0-9]{6} `)
	calls := folder.ReplaceAllString(first.calls, "FOLDER")
	definitions, all := strings.Index(calls, "FOLDER/upstream/eventing-crds.yaml\n"), strings.Index(calls, "--kustomize=FOLDER\n")
	require.Positive(t, definitions)
	require.Greater(t, all, definitions)
	again := m.run("40-knative.sh", []string{"production"})
	require.Zero(t, again.code, again.said)
	require.Equal(t, calls, folder.ReplaceAllString(again.calls, "FOLDER"))

	m.stops("usage: 40-knative.sh CONTEXT", "40-knative.sh", nil)
	m.stops("kubectl's context is production, not test", "40-knative.sh", []string{"test"})
	m.projectFile("pins.lock", strings.Replace(m.readProject("pins.lock"), "mt-channel-broker.yaml", "other.yaml", 1))
	r := m.run("40-knative.sh", []string{"production"})
	require.Equal(t, 2, r.code)
	require.Contains(t, r.said, "mt-channel-broker from")
	require.NotContains(t, r.calls, "kubectl apply", "nothing is installed unless all is as pinned")

	m.pinned()
	known := m.readProject("pins.lock")
	m.projectFile("pins.lock", regexp.MustCompile(`(?m)^(eventing-jsm +\S+ +)\S+`).ReplaceAllString(known, "${1}unknown"))
	r = m.run("40-knative.sh", []string{"production"})
	require.Equal(t, 2, r.code)
	require.Contains(t, r.said, "nobody has written down the sum of eventing-jsm 1.22.0: k3s/00-pins.sh prints it")
	require.NotContains(t, r.calls, "kubectl apply")
}

func TestBackupTwice(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	args, repository, ko := []string{"production"}, "KO_DOCKER_REPO=registry.example.com/honeydue", "KO=/record/bin/ko"
	const bucket = "S3_ACCESS_KEY S3_BUCKET S3_ENDPOINT S3_REGION "
	m.recordFile("keys-backup", "BACKUP_RECIPIENT DATABASE_URL "+bucket+"S3_SECRET_KEY ")
	m.recordFile("keys-etcd-snapshots", bucket+"S3_SECRET_KEY ")
	first := m.run("50-backup.sh", args, repository, ko)
	require.Zero(t, first.code, first.said)
	for _, call := range []string{"kubectl kustomize /project/k3s/backup\n", "ko resolve --base-import-paths --filename -\n", "kubectl apply --server-side"} {
		require.Contains(t, first.calls, call)
	}
	again := m.run("50-backup.sh", args, repository, ko)
	require.Zero(t, again.code, again.said)
	require.ElementsMatch(t, strings.Split(first.calls, "\n"), strings.Split(again.calls, "\n"), "what a pipe joins may begin in any order")

	m.stops("usage: 50-backup.sh CONTEXT", "50-backup.sh", nil, repository, ko)
	m.stops("kubectl's context is production, not test", "50-backup.sh", []string{"test"}, repository, ko)
	m.stops("KO_DOCKER_REPO is not set", "50-backup.sh", args, ko)
	m.stops("make bin/ko", "50-backup.sh", args, repository)
	m.recordFile("keys-etcd-snapshots", bucket)
	m.stops("Secret etcd-snapshots of namespace backup lacks S3_SECRET_KEY", "50-backup.sh", args, repository, ko)
	m.recordFile("keys-backup", "BACKUP_RECIPIENT DATABASE_URL "+bucket)
	m.stops("Secret backup of namespace backup lacks S3_SECRET_KEY", "50-backup.sh", args, repository, ko)
}

// What is patched is named once, and every patch is.
func TestKnativePatchesAreListed(t *testing.T) {
	t.Parallel()
	listed, err := os.ReadFile("knative/kustomization.yaml")
	require.NoError(t, err)
	files, err := filepath.Glob("knative/*/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		require.Regexp(t, "\n  - (path: )?"+regexp.QuoteMeta(strings.TrimPrefix(file, "knative/"))+"\n", string(listed))
	}
	ours := regexp.MustCompile(`(?m)^  - (path: )?(serving|eventing)/`)
	require.Len(t, ours.FindAllString(string(listed), -1), len(files))
}

func TestPins(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	all := m.run("00-pins.sh", nil)
	require.Zero(t, all.code, all.said)
	require.Equal(t, strings.Count(all.out, ": as pinned, verified: ")+1, strings.Count(all.out, "\n"))
	require.Contains(t, all.out, "k3s: its publisher says the same\n")
	m.stops("takes no arguments", "00-pins.sh", []string{"k3s"})

	m.recordFile("sums", strings.Repeat("0", 64)+"  k3s\n")
	other := m.run("00-pins.sh", nil)
	require.Equal(t, 1, other.code)
	require.Contains(t, other.said, "its publisher says another sum")
	m.recordFile("offline", "https://github.com/knative/serving/releases/download/knative-v1.22.1/serving-core.yaml\n")
	m.projectFile("pins.lock", strings.Replace(m.readProject("pins.lock"), "eventing-crds.yaml", "eventing-crd.yaml", 1))
	other = m.run("00-pins.sh", nil)
	require.Equal(t, 1, other.code)
	require.Contains(t, other.said, "serving-core: could not be downloaded")
	require.Contains(t, other.said, "eventing-crds 1.22.2: ")
}
