//go:build k3s

package k3s

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A machine is a throw-away root file system in which a script runs as root, with the system's own tools and a record of what it asks
// of others: programs that would change a real machine, or reach the network, write down how they were called.
type machine struct {
	t                     *testing.T
	root, record, project string
}

// recorded are the programs that are played. What answers of theirs a script needs is in answers.
var recorded = []string{"curl", "ip", "ip6tables-restore", "iptables-restore", "k3s", "ko", "kubectl", "sysctl", "systemctl", "systemd-run", "ufw"}

// recorder is every one of them.
const recorder = `#!/bin/sh
name=$(basename "$0")
echo "$name $*" >>/record/calls
[ ! -r "/record/answers/$name" ] || . "/record/answers/$name"
`

// A downloaded file is its address, so that its sum is known; /record/offline names what cannot be had. Of other nodes those answer that
// /record/nodes names.
const answerCurl = `
for address; do :; done
while [ $# -gt 1 ]; do [ "$1" != --output ] || to=$2; shift; done
case $address in
*/ping) grep -qF "${address%:6443/ping}" /record/nodes 2>/dev/null || exit 7 ;;
*sha256sum-amd64.txt) cp /record/sums "$to" ;;
*) ! grep -qF "$address" /record/offline 2>/dev/null || exit 22; printf %s "$address" >"$to" ;;
esac
`

const answerIP = `[ "$6" != "10.0.0.2/32" ] || echo '2: enp7s0    inet 10.0.0.2/32 scope global enp7s0'`

// A cluster answers unless K3s is stopped or /record/lost is there. A reset leaves a mark until K3s starts; /record/torn has it fail.
const answerK3s = `case "$*" in
"kubectl get --raw=/readyz") [ ! -e /record/stopped ] && [ ! -e /record/lost ] || exit 1 ;;
"server --cluster-reset"*) [ ! -e /record/torn ] || exit 1; mkdir -p /var/lib/rancher/k3s/server/db; : >/var/lib/rancher/k3s/server/db/reset-flag; rm -f /record/lost ;;
esac`

const answerKubectl = `case "$1 $2" in "config current-context") echo production ;; "get secret") cat "/record/keys-$3" ;; esac`

// A timer runs from when somebody makes it to when somebody stops it; a restart fails while /record/broken is there.
const (
	answerSystemdRun = `: >/record/armed`
	answerSystemctl  = `case "$*" in *is-active*k3s.service) [ ! -e /record/stopped ] || exit 3 ;; stop*k3s.service) : >/record/stopped ;;
is-active*) [ -e /record/armed ] || exit 3 ;; stop*) rm -f /record/armed ;; restart*) [ ! -e /record/broken ] || exit 1; rm -f /record/stopped ;; esac`
)

// The firewall is on from the moment that somebody enables it; rules that have a line "wrong" cannot be loaded.
const (
	answerUFW = `case "$*" in status) if [ -e /record/enabled ]; then echo 'Status: active'; else echo 'Status: inactive'; fi ;;
*enable) : >/record/enabled; echo '# rewritten' >>/etc/ufw/user.rules ;; *disable) rm -f /record/enabled ;; reload) echo '# rewritten' >>/etc/ufw/user.rules ;; esac`
	answerIPTables = `! grep -q ^wrong`
)

func newMachine(t *testing.T) *machine {
	t.Helper()
	require.Zero(t, os.Getuid(), "run this as root")
	_, err := exec.LookPath("bwrap")
	require.NoError(t, err, "install bubblewrap")
	m := &machine{t, t.TempDir(), t.TempDir(), t.TempDir()}
	for _, folder := range []string{"etc/alternatives", "var", "local/bin", "local/sbin"} {
		require.NoError(t, os.MkdirAll(filepath.Join(m.root, folder), 0o755))
	}
	m.write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n", 0o644)
	require.NoError(t, os.MkdirAll(filepath.Join(m.record, "bin"), 0o750))
	require.NoError(t, os.MkdirAll(filepath.Join(m.record, "answers"), 0o750))
	for _, name := range recorded {
		require.NoError(t, os.WriteFile(filepath.Join(m.record, "bin", name), []byte(recorder), 0o755))
	}
	for name, answer := range map[string]string{
		"curl": answerCurl, "ip": answerIP, "k3s": answerK3s, "kubectl": answerKubectl, "systemctl": answerSystemctl, "systemd-run": answerSystemdRun, "ufw": answerUFW, "iptables-restore": answerIPTables, "ip6tables-restore": answerIPTables,
	} {
		m.recordFile("answers/"+name, answer)
	}
	require.NoError(t, os.CopyFS(filepath.Join(m.project, "k3s"), os.DirFS(".")))
	m.projectFile("cluster.env", m.readProject("cluster.env.example"))
	m.pinned()
	return m
}

// pinned gives every line of pins.lock the sum of what answerCurl downloads.
func (m *machine) pinned() {
	lines := strings.Split(m.readProject("pins.lock"), "\n")
	for i, line := range lines {
		if parts := strings.Fields(line); len(parts) == 5 && !strings.HasPrefix(line, "#") {
			sum := sha256.Sum256([]byte(parts[4]))
			parts[2] = hex.EncodeToString(sum[:])
			lines[i] = strings.Join(parts, " ")
			if parts[0] == "k3s" {
				m.recordFile("sums", parts[2]+"  k3s\n")
			}
		}
	}
	m.projectFile("pins.lock", strings.Join(lines, "\n"))
}

func (m *machine) write(path, content string, mode os.FileMode) {
	m.t.Helper()
	path = filepath.Join(m.root, path)
	require.NoError(m.t, os.MkdirAll(filepath.Dir(path), 0o750))
	require.NoError(m.t, os.WriteFile(path, []byte(content), mode))
	require.NoError(m.t, os.Chmod(path, mode))
}

func (m *machine) recordFile(name, content string) {
	m.t.Helper()
	require.NoError(m.t, os.WriteFile(filepath.Join(m.record, name), []byte(content), 0o600))
}

func (m *machine) projectFile(name, content string) {
	m.t.Helper()
	path := filepath.Join(m.project, "k3s", name)
	require.NoError(m.t, os.MkdirAll(filepath.Dir(path), 0o750))
	require.NoError(m.t, os.WriteFile(path, []byte(content), 0o600))
}

func (m *machine) readProject(name string) string {
	m.t.Helper()
	content, err := os.ReadFile(filepath.Join(m.project, "k3s", name))
	require.NoError(m.t, err)
	return string(content)
}

// A result is how a script ended.
type result struct {
	code             int
	out, said, calls string
}

// run runs a script of k3s/ with these words after it, and these further variables.
func (m *machine) run(script string, args []string, variables ...string) result {
	m.t.Helper()
	require.NoError(m.t, os.RemoveAll(filepath.Join(m.record, "calls")))
	bound := []string{
		"--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin", "/sbin", "--symlink", "usr/lib", "/lib",
		"--symlink", "usr/lib64", "/lib64", "--bind", m.root + "/etc", "/etc", "--ro-bind", "/etc/alternatives", "/etc/alternatives", "--bind", m.root + "/var", "/var",
		"--bind", m.root + "/local", "/usr/local", "--bind", m.record, "/record", "--ro-bind", m.project, "/project", "--tmpfs", "/tmp",
		"--dev", "/dev", "--proc", "/proc", "--unshare-all", "--die-with-parent", "--clearenv", "--setenv", "PATH", "/record/bin:/usr/bin:/usr/sbin",
	}
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		bound = append(bound, "--setenv", name, value)
	}
	command := exec.CommandContext(m.t.Context(), "bwrap", append(append(bound, "/project/k3s/"+script), args...)...)
	var out, said strings.Builder
	command.Stdout, command.Stderr = &out, &said
	if err := command.Run(); err != nil {
		var exit *exec.ExitError
		require.ErrorAs(m.t, err, &exit)
	}
	calls, err := os.ReadFile(filepath.Join(m.record, "calls"))
	if !os.IsNotExist(err) {
		require.NoError(m.t, err)
	}
	return result{command.ProcessState.ExitCode(), out.String(), said.String(), string(calls)}
}

// files are all of the machine, by their path: mode, and content.
func (m *machine) files() map[string]string {
	m.t.Helper()
	all := map[string]string{}
	require.NoError(m.t, filepath.WalkDir(m.root, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		said := fmt.Sprintf("%v", info.Mode())
		switch {
		case info.Mode()&os.ModeSymlink != 0:
			to, err := os.Readlink(path)
			if err != nil {
				return err
			}
			said += " to " + to
		case info.Mode().IsRegular():
			content, err := os.ReadFile(path) //nolint:gosec // a folder of the test's own
			if err != nil {
				return err
			}
			said += "\n" + string(content)
		}
		all[strings.TrimPrefix(path, m.root)] = said
		return nil
	}))
	return all
}

// stops runs a script that must stop with a word, and change nothing.
func (m *machine) stops(word, script string, args []string, variables ...string) {
	m.t.Helper()
	before := m.files()
	r := m.run(script, args, variables...)
	require.Equal(m.t, 2, r.code, "%s %v: %s", script, args, r.said)
	require.Contains(m.t, r.said, word)
	require.Equal(m.t, before, m.files(), "%s %v", script, args)
}
