package observability_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative"
	"github.com/honeydue/backend/tests/observability"
)

const root = "../.."

func promtool(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "promtool", args...).CombinedOutput()
	return string(out), err
}

func TestRulesSpeakWhenTheyShould(t *testing.T) {
	t.Parallel()
	files, err := observability.Files(root)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	tested := map[string]bool{}
	for _, path := range files {
		out, err := promtool(t, "check", "rules", path)
		require.NoError(t, err, out)
		test := strings.TrimSuffix(path, ".yaml") + "_test.yaml"
		out, err = promtool(t, "test", "rules", test)
		require.NoError(t, err, out)
		content, err := os.ReadFile(test)
		require.NoError(t, err)
		for _, found := range regexp.MustCompile(`alertname: (\w+)\n +exp_alerts:\n`).FindAllStringSubmatch(string(content), -1) {
			tested[found[1]] = true
		}
	}
	alerts, err := observability.Alerts(root)
	require.NoError(t, err)
	for _, a := range alerts {
		require.True(t, tested[a.Alert], "no test has %s speak", a.Alert)
		require.Contains(t, []string{"page", "ticket", "heartbeat"}, a.Labels["severity"], a.Alert)
		require.Equal(t, "docs/observability.md#"+strings.ToLower(a.Alert), a.Annotations["runbook"])
	}
	require.Len(t, alerts, len(tested))
}

// An operator who is told finds what to do.
func TestEveryRuleHasItsSection(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(root, "docs/observability.md"))
	require.NoError(t, err)
	alerts, err := observability.Alerts(root)
	require.NoError(t, err)
	for _, a := range alerts {
		require.Contains(t, string(page), "\n### "+a.Alert+"\n")
	}
	require.Equal(t, len(alerts), strings.Count(string(page), "\n### "), "docs/observability.md has a section without a rule")
}

// A schedule that nobody knows of would be late without a word.
func TestEverySchedulesLatenessIsSeen(t *testing.T) {
	t.Parallel()
	m, err := knative.Read()
	require.NoError(t, err)
	alerts, err := observability.Alerts(root)
	require.NoError(t, err)
	late := ""
	for _, a := range alerts {
		if a.Alert == "ScheduleLate" {
			late = a.Expr
		}
	}
	require.NotEmpty(t, m.Schedules)
	for _, s := range m.Schedules {
		require.Regexp(t, `schedule=~?"(\w+\|)*`+s.Name+`(\|\w+)*"`, late)
	}
}

func TestDashboards(t *testing.T) {
	t.Parallel()
	dashboards, err := observability.Dashboards(root)
	require.NoError(t, err)
	require.NotEmpty(t, dashboards)
	for _, d := range dashboards {
		require.NotEmpty(t, d.UID)
		taken := map[[2]int]string{}
		for _, p := range d.Panels {
			require.NotEmpty(t, p.Title)
			require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					require.Empty(t, taken[[2]int{x, y}], "%s lies on another", p.Title)
					taken[[2]int{x, y}] = p.Title
				}
			}
			if p.Type == "row" {
				continue
			}
			require.Equal(t, "metrics", p.Datasource.UID, p.Title)
			require.NotEmpty(t, p.Targets, p.Title)
			for _, target := range p.Targets {
				require.NotEmpty(t, observability.Metrics(target.Expr), "%s of %s shows nothing", p.Title, d.Title)
			}
		}
	}
}

func TestMetricsOfAnExpression(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string][]string{
		`sum by (service_name) (increase(a_total{outcome!="x y"}[5m])) / sum by (service_name) (increase(b_total[5m])) > 0.5`: {"a_total", "b_total"},
		`time() - max by (kind) (last_over_time(c_seconds{kind="database"}[3h])) > 26 * 3600`:                                 {"c_seconds"},
		`absent_over_time(d[20m]) or absent_over_time(e[3h])`:                                                                 {"d", "e"},
	} {
		require.Equal(t, want, observability.Metrics(expr))
	}
}
