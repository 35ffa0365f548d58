package node

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestProcesses(t *testing.T) {
	t.Parallel()
	all, err := Processes()
	require.NoError(t, err)
	i := slices.IndexFunc(all, func(p Process) bool { return p.PID == os.Getpid() })
	require.GreaterOrEqual(t, i, 0)
	require.Equal(t, os.Getppid(), all[i].Parent)
	require.Contains(t, all[i].Path, all[i].Program)
	require.Empty(t, all[i].Container)
	memory, err := Memory(os.Getpid())
	require.NoError(t, err)
	require.Greater(t, memory, int64(1<<20))
	memory, err = Memory(1 << 30)
	require.NoError(t, err)
	require.Zero(t, memory, "there is no such process")
}

func TestCommandLines(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][2]string{
		"/usr/bin/kube\x00kubelet\x00--config=x\x00":         {"/usr/bin/kube", "kubelet"},
		"/ko-app/tasks\x00":                                  {"/ko-app/tasks", ""},
		"postgres: honeydue_tasks honeydue [local] idle\x00": {"postgres", ""},
		"": {"", ""},
	} {
		path, argument := commandLine(line)
		require.Equal(t, want, [2]string{path, argument}, line)
	}
}

func TestContainers(t *testing.T) {
	t.Parallel()
	const uid, id = "0f6c8a2e-8d0e-4d39-9a52-0c1f3f4f5a6b", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for _, groups := range []string{
		"5:memory:/kubepods/burstable/pod" + uid + "/" + id + "\n0::/\n", "0::/kubepods/besteffort/pod" + uid + "/" + id + "\n",
	} {
		pod, container := container([]byte(groups))
		require.Equal(t, uid, pod)
		require.Equal(t, id, container)
	}
	pod, container := container([]byte("0::/user.slice\n"))
	require.Empty(t, pod+container)
}

func TestSpent(t *testing.T) {
	t.Parallel()
	before := []Process{{PID: 1, CPU: time.Second}, {PID: 2, CPU: 5 * time.Second}, {PID: 3, CPU: time.Minute}}
	after := []Process{{PID: 1, CPU: 3 * time.Second}, {PID: 2, CPU: time.Second}, {PID: 4, Parent: 1, CPU: time.Second}, {PID: 5, CPU: time.Hour}}
	spent := Spent(before, after, func(p Process) string {
		switch {
		case p.Family(1):
			return "family"
		case p.PID == 5:
			return ""
		}
		return "others"
	})
	require.Equal(t, map[string]time.Duration{"family": 3 * time.Second, "others": time.Second}, spent)
}
