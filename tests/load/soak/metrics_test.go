package main

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/devserver/ports"
	"github.com/honeydue/backend/tests/load"
	"github.com/honeydue/backend/tests/observability"
)

const root = "../../.."

// ingress is what Traefik alone tells.
const ingress = "traefik_service_requests_total"

// prometheus starts one that has our rules and looks at a system every second, and returns where it answers.
func prometheus(t *testing.T, system string) string {
	t.Helper()
	dir := t.TempDir()
	rules, err := filepath.Abs(filepath.Join(root, "k3s/observability/rules"))
	require.NoError(t, err)
	config := fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%[1]s/honeydue.yaml, %[1]s/upkeep.yaml]
scrape_configs: [{job_name: system, metrics_path: /_local/metrics, static_configs: [{targets: ["%[2]s"]}]}]
`, rules, strings.TrimPrefix(system, "http://"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600))
	port, err := ports.Free(t.Context())
	require.NoError(t, err)
	address := fmt.Sprintf("127.0.0.1:%d", port)
	cmd := exec.CommandContext(t.Context(), "prometheus", "--config.file="+filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var said strings.Builder
	cmd.Stderr = &said
	require.NoError(t, cmd.Start(), "prometheus is a package of Debian's")
	t.Cleanup(func() {
		_ = cmd.Wait() // its context has ended
		if t.Failed() {
			t.Log(said.String())
		}
	})
	return "http://" + address
}

// ask returns the data of an answer of Prometheus.
func ask[T any](ctx context.Context, address string) (data T, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return data, fmt.Errorf("make request: %w", err)
	}
	res, err := devtest.Client.Do(req)
	if err != nil {
		return data, fmt.Errorf("ask prometheus: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	var answer struct {
		Status, Error string
		Data          T
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return data, fmt.Errorf("read answer: %w", err)
	}
	if answer.Status != "success" {
		return data, errors.New(answer.Error)
	}
	return answer.Data, nil
}

// backup runs the command as its CronJobs do, with the system's own database and bucket.
func backup(t *testing.T, at *load.Site, args ...string) {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"run", "../../../functions/backup"}, args...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", // as its image is built
		"DATABASE_URL="+at.Local.Postgres.URL(devserver.Owner, "honeydue"), "BACKUP_RECIPIENT="+identity.Recipient().String(),
		"S3_ENDPOINT="+at.Local.S3.URL(), "S3_REGION="+devserver.Region, "S3_BUCKET=honeydue",
		"S3_ACCESS_KEY="+at.Local.S3.AccessKey(), "S3_SECRET_KEY="+at.Local.S3.SecretKey(),
		"BACKUP_SNAPSHOTS=etcd/", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT="+at.URL+"/_local/metrics")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}

// certificate returns a file with one.
func certificate(t *testing.T) string {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	path := filepath.Join(t.TempDir(), "tls.crt")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(t, os.WriteFile(path, block, 0o600))
	return path
}

// Prometheus, at a system that the town lives with, finds every metric that a rule or a panel names; panels show something, and rules say
// nothing.
func TestPrometheusFindsEveryMetric(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	at, end, err := load.Start(ctx, false)
	require.NoError(t, err)
	defer func() { require.NoError(t, end()) }()
	look := prometheus(t, at.URL)
	town, err := settleIn(ctx, at, &book{})
	require.NoError(t, err)
	lasting, stop := context.WithTimeout(ctx, 40*time.Second)
	defer stop()
	town.live(ctx, lasting, 20)

	// What is late further down is planned for an hour that has passed, and a tick may come between its plan and its sending.
	require.NoError(t, at.Local.Fire(ctx, "deliveries"))
	require.NoError(t, load.Eventually(ctx, func(ctx context.Context) error {
		told, err := query(ctx, look, "honeydue_message_overdue_age_seconds")
		if err == nil && len(told) == 0 {
			err = errors.New("nobody is told how late messages are")
		}
		return err
	}))
	require.NotContains(t, speaking(ctx, t, look), "MessagesLate")

	// Nobody here was told of anything due, since their accounts are younger than the last hour that they chose.
	for _, statement := range []string{
		`UPDATE auth_user SET created_at = now() - interval '3 days'`,
		`UPDATE task_task SET due_on = (now() AT TIME ZONE 'UTC')::date - (id % 3)::int, next_due_on = (now() AT TIME ZONE 'UTC')::date - (id % 3)::int WHERE next_due_on IS NOT NULL`,
		`UPDATE notification_schedule SET planned_until = now() - interval '25 hours'`,
	} {
		_, err := at.DB.Exec(ctx, statement)
		require.NoError(t, err, statement)
	}
	for _, schedule := range []string{"reminders", "digests", "deliveries", "uploads", "outbox"} {
		require.NoError(t, at.Local.Fire(ctx, schedule))
	}
	backup(t, at, "dump")
	backup(t, at, "watch", "database")
	backup(t, at, "watch", "etcd")
	backup(t, at, "certificates", "origin="+certificate(t), "origin-pull="+certificate(t))

	exprs, err := observability.Exprs(root)
	require.NoError(t, err)
	wanted := map[string]bool{}
	for _, expr := range exprs {
		for _, name := range observability.Metrics(expr) {
			wanted[name] = true
		}
	}
	require.Greater(t, len(wanted), 20)
	delete(wanted, ingress) // there is no Traefik here: TestTraefikAsInProduction, on the cluster, has it tell
	require.NoError(t, load.Eventually(ctx, func(ctx context.Context) error {
		found, err := ask[[]string](ctx, look+"/api/v1/label/__name__/values")
		if err != nil {
			return err
		}
		missing := slices.Sorted(maps.Keys(wanted))
		missing = slices.DeleteFunc(missing, func(name string) bool { return slices.Contains(found, name) })
		if len(missing) > 0 {
			return fmt.Errorf("not found: %s", strings.Join(missing, ", "))
		}
		return nil
	}))
	dashboards, err := observability.Dashboards(root)
	require.NoError(t, err)
	// A growth is there when Prometheus has looked twice.
	require.NoError(t, load.Eventually(ctx, func(ctx context.Context) error { return empty(ctx, look, dashboards) }))
	requireQuiet(ctx, t, look)
}

// A shown series is one of an answer.
type shown struct{ Metric map[string]string }

func query(ctx context.Context, look, expr string) ([]shown, error) {
	answer, err := ask[struct{ Result []shown }](ctx, look+"/api/v1/query?query="+url.QueryEscape(expr))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", expr, err)
	}
	return answer.Result, nil
}

// empty names a panel that shows nothing, but those of what did not go wrong here.
func empty(ctx context.Context, look string, dashboards []observability.Dashboard) error {
	for _, d := range dashboards {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				found, err := query(ctx, look, target.Expr)
				if err != nil {
					return err
				}
				if len(found) == 0 && !strings.Contains(target.Expr, ingress) && p.Title != "Failed, of all" && p.Title != "Messages given up within a day" {
					return fmt.Errorf("%s shows nothing: %s", p.Title, target.Expr)
				}
			}
		}
	}
	return nil
}

// speaking returns what rules say, by their names.
func speaking(ctx context.Context, t *testing.T, look string) map[string][]shown {
	t.Helper()
	alerts, err := observability.Alerts(root)
	require.NoError(t, err)
	said := map[string][]shown{}
	for _, a := range alerts {
		found, err := query(ctx, look, a.Expr)
		require.NoError(t, err)
		if len(found) > 0 {
			said[a.Alert] = found
		}
	}
	return said
}

// requireQuiet looks that of a system which is well no rule says anything but what is true of this one.
func requireQuiet(ctx context.Context, t *testing.T, look string) {
	t.Helper()
	said := speaking(ctx, t, look)
	for _, late := range []string{"RemindersLate", "MessagesLate"} {
		delete(said, late) // the test made them late
	}
	require.Len(t, said["Watchdog"], 1)
	delete(said, "Watchdog")
	require.Equal(t, []shown{{map[string]string{"kind": "etcd"}}}, said["BackupOld"], "there is no etcd here")
	delete(said, "BackupOld")
	require.Equal(t, []shown{{map[string]string{"job": "traefik"}}}, said["IngressSilent"])
	delete(said, "IngressSilent")
	require.Empty(t, said)
}
