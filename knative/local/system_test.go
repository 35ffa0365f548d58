package local_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative"
	"github.com/honeydue/backend/knative/local"
	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/shared/devserver/devtest"
)

// start runs the real manifests with the echo program in the place of every function.
func start(t *testing.T, change func(*local.Config)) *local.System {
	t.Helper()
	s, err := local.Start(t.Context(), config(t, change))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop()) })
	return s
}

func config(t *testing.T, change func(*local.Config)) local.Config {
	t.Helper()
	const echo = "github.com/honeydue/backend/knative/local/testdata/echo"
	m, err := knative.Read()
	require.NoError(t, err)
	m.Migrate.Package = echo
	for i := range m.Functions {
		m.Functions[i].Package = echo
	}
	dir, err := os.MkdirTemp("", "honeydue-system") //nolint:usetesting // servers run as a user who cannot look into t.TempDir
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	c := local.Config{Dir: dir, Bin: os.Getenv("HONEYDUE_TEST_PROGRAMS"), Manifests: m}
	if change != nil {
		change(&c)
	}
	return c
}

func request(t *testing.T, method, url string, headers map[string]string, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	for name, value := range headers {
		if name == "Host" {
			req.Host = value
		}
		req.Header.Set(name, value)
	}
	res, err := devtest.Client.Do(req)
	require.NoError(t, err)
	content, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode, string(content)
}

func results[T any](t *testing.T, s *local.System, path string) []T {
	t.Helper()
	status, body := request(t, http.MethodGet, s.URL+"/_local/"+path, nil, "")
	require.Equal(t, http.StatusOK, status)
	var answer struct{ Results []T }
	require.NoError(t, json.Unmarshal([]byte(body), &answer))
	require.NotNil(t, answer.Results)
	return answer.Results
}

type event struct {
	ID, Type, Source, Subject string
	At                        time.Time
	Deliveries                []struct {
		Consumer, State string
		Attempts        int
		LastStatus      int `json:"last_status"`
	}
}

func TestSystem(t *testing.T) {
	t.Parallel()
	s := start(t, nil)

	t.Run("the page can be drawn before anything has happened", func(t *testing.T) {
		status, body := request(t, http.MethodGet, s.URL+"/_local/state", nil, "")
		require.Equal(t, http.StatusOK, status)
		var state map[string]any
		require.NoError(t, json.Unmarshal([]byte(body), &state))
		require.Equal(t, s.URL, state["url"])
		for _, part := range []string{"functions", "schedules", "events", "mail", "pushes", "logs"} {
			require.NotNil(t, state[part], part)
		}
	})

	t.Run("paths reach their functions with the manifests' environment", func(t *testing.T) {
		for path, function := range map[string]string{
			"/api/auth/login/": "auth", "/api/notifications": "auth", "/api/tasks/1/": "tasks",
			"/api/task-completions/": "tasks", "/api/residences/": "residences", "/api/openapi.json": "site",
			"/api/uploads/presign/": "uploads", "/api/media/1/": "uploads", "/api/documents": "uploads",
		} {
			status, body := request(t, http.MethodGet, s.URL+path, nil, "")
			require.Equal(t, http.StatusOK, status, path)
			require.Contains(t, body, "K_SERVICE="+function, path)
			require.Contains(t, body, "DATABASE_EXEC_MODE=exec")
			require.Contains(t, body, "DATABASE_URL=postgres://honeydue_"+function+"@127.0.0.1:")
		}
		status, _ := request(t, http.MethodGet, s.URL+"/api/sweeper/", nil, "")
		require.Equal(t, http.StatusNotFound, status)
	})

	t.Run("a host of its own reaches its function with every path", func(t *testing.T) {
		status, body := request(t, http.MethodGet, s.URL+"/", map[string]string{"Host": "Site.localhost:8080"}, "")
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, "K_SERVICE=site")
		status, _ = request(t, http.MethodGet, s.URL+"/api/none/", map[string]string{"Host": "tasks.localhost"}, "")
		require.Equal(t, http.StatusNotFound, status)
	})

	t.Run("the roles' address goes through PgBouncer", func(t *testing.T) {
		require.NotEqual(t, s.Postgres.Port(), s.PgBouncer.Port())
		_, body := request(t, http.MethodGet, s.URL+"/api/tasks/", nil, "")
		require.Contains(t, body, s.PgBouncer.URL("honeydue_tasks", "honeydue"))
	})

	t.Run("functions reach the bucket, and so does the page", func(t *testing.T) {
		_, body := request(t, http.MethodGet, s.URL+"/api/uploads/", nil, "")
		for _, setting := range []string{
			"S3_ENDPOINT=" + s.S3.URL(), "S3_REGION=" + devserver.Region, "S3_BUCKET=honeydue", "UPLOADS_METHOD=post",
			"S3_ACCESS_KEY=" + s.S3.AccessKey(), "S3_SECRET_KEY=" + s.S3.SecretKey(),
		} {
			require.Contains(t, body, `"`+setting+`"`)
		}
		require.Empty(t, results[struct{}](t, s, "bucket"))
		require.NoError(t, s.S3.Stop(t.Context()))
		status, _ := request(t, http.MethodGet, s.URL+"/_local/bucket", nil, "")
		require.Equal(t, http.StatusBadGateway, status)
		require.NoError(t, s.S3.Start(t.Context()))
		require.Empty(t, results[struct{}](t, s, "bucket"))
	})

	t.Run("a schedule wakes its function through the broker", func(t *testing.T) {
		status, _ := request(t, http.MethodPost, s.URL+"/_local/schedules/outbox", nil, "")
		require.Equal(t, http.StatusAccepted, status)
		require.Eventually(t, func() bool {
			e := results[event](t, s, "events")
			return len(e) > 0 && e[0].Type == "dev.knative.sources.ping" && len(e[0].Deliveries) == 1 &&
				e[0].Deliveries[0].Consumer == "sweeper" && e[0].Deliveries[0].State == "delivered" &&
				e[0].Deliveries[0].LastStatus == http.StatusNoContent && e[0].Deliveries[0].Attempts == 1
		}, 20*time.Second, 10*time.Millisecond)
		status, _ = request(t, http.MethodPost, s.URL+"/_local/schedules/none", nil, "")
		require.Equal(t, http.StatusNotFound, status)
	})

	t.Run("an event is retried", func(t *testing.T) {
		_, body := request(t, http.MethodGet, s.URL+"/api/tasks/", nil, "")
		sink := strings.SplitAfter(body, "K_SINK=")[1]
		sink, _, _ = strings.Cut(sink, `"`)
		publish := func(id string) int {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, sink, strings.NewReader(`{}`))
			require.NoError(t, err)
			for name, value := range map[string]string{
				"Ce-Specversion": "1.0", "Ce-Type": "com.myhoneydue.task.completed.v1", "Ce-Source": "/functions/tasks",
				"Ce-Id": id, "Ce-Subject": "tasks/1", "Content-Type": "application/json",
			} {
				req.Header.Set(name, value)
			}
			res, err := devtest.Client.Do(req)
			if err != nil {
				return 0
			}
			_ = res.Body.Close()
			return res.StatusCode
		}
		require.Equal(t, http.StatusAccepted, publish("1-fail"))
		require.Eventually(t, func() bool {
			e := results[event](t, s, "events")[0]
			return e.ID == "1-fail" && e.Subject == "tasks/1" && len(e.Deliveries) == 1 &&
				e.Deliveries[0].State == "retrying" && e.Deliveries[0].LastStatus == http.StatusServiceUnavailable
		}, 20*time.Second, 10*time.Millisecond)

		s.StopBroker()
		require.Zero(t, publish("2"))
		require.NoError(t, s.StartBroker())
		require.Equal(t, http.StatusAccepted, publish("3"))
	})

	t.Run("mail is kept", func(t *testing.T) {
		require.NoError(t, smtp.SendMail(strings.TrimPrefix(s.Mailbox().URL(), "smtp://"), nil, "a@example.org",
			[]string{"b@example.org"}, []byte("Subject: hello\r\n\r\ntext\r\n")))
		type message struct {
			Subject string
			To      []string
		}
		require.Equal(t, []message{{"hello", []string{"b@example.org"}}}, results[message](t, s, "mail"))
		require.Empty(t, results[struct{}](t, s, "push"))
	})

	t.Run("functions are listed, and killed ones start again", func(t *testing.T) {
		type function struct {
			Name, State string
			Starts      int
		}
		state := func(name string) function {
			for _, f := range results[function](t, s, "functions") {
				if f.Name == name {
					return f
				}
			}
			return function{}
		}
		require.Equal(t, function{"site", "serving", 1}, state("site"))
		require.True(t, s.Kill("site"))
		require.False(t, s.Kill("site"))
		require.False(t, s.Kill("nobody"))
		require.Equal(t, "zero", state("site").State)
		status, _ := request(t, http.MethodGet, s.URL+"/api/health/", nil, "")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, function{"site", "serving", 2}, state("site"))
	})

	t.Run("the page is for this machine and asks nobody else", func(t *testing.T) {
		status, body := request(t, http.MethodGet, s.URL+"/_local/", nil, "")
		require.Equal(t, http.StatusOK, status)
		require.NotContains(t, body, "https://")
		status, _ = request(t, http.MethodGet, s.URL+"/_local/mail", map[string]string{"Host": "evil.example"}, "")
		require.Equal(t, http.StatusForbidden, status)
		status, _ = request(t, http.MethodPost, s.URL+"/_local/schedules/outbox", map[string]string{"Origin": "https://evil.example"}, "")
		require.Equal(t, http.StatusForbidden, status)
		for _, path := range []string{"", "/", "/_local"} {
			status, body = request(t, http.MethodGet, s.URL+path, nil, "")
			require.Equal(t, http.StatusOK, status)
			require.Contains(t, body, "<title>honeyDue on this machine</title>", "%q leads to the page", path)
		}
		status, body = request(t, http.MethodGet, s.URL+"/_local/state", nil, "")
		require.Equal(t, http.StatusOK, status)
		require.True(t, json.Valid([]byte(body)))
	})
}

func TestFolderIsTakenOnce(t *testing.T) {
	t.Parallel()
	c := config(t, nil)
	first, err := local.Start(t.Context(), c)
	require.NoError(t, err)
	_, err = local.Start(t.Context(), c)
	require.ErrorContains(t, err, "another system runs in it")
	other := start(t, nil)
	require.NotEqual(t, first.URL, other.URL)
	require.NoError(t, first.Stop())
	require.NoError(t, first.Stop())
	again, err := local.Start(t.Context(), c)
	require.NoError(t, err)
	require.NoError(t, again.Stop())
}

func TestStartFailsClearly(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	port := taken.Addr().(*net.TCPAddr).Port
	tests := map[string]struct {
		change func(*local.Config)
		want   string
	}{
		"port": {func(c *local.Config) { c.Port = port }, "listen on port"},
		"migration": {func(c *local.Config) {
			c.Manifests.Migrate.Env = append(c.Manifests.Migrate.Env, c.Manifests.Migrate.Env[0])
			c.Manifests.Migrate.Env[0].Name, c.Manifests.Migrate.Env[0].Value = "FAIL", "1"
			c.Manifests.Migrate.Env[0].ValueFrom = nil
		}, "no schema today"},
		"reference": {func(c *local.Config) {
			ref := *c.Manifests.Functions[0].Env[0].ValueFrom.SecretKeyRef
			ref.Name = "honeydue-unknown"
			c.Manifests.Functions[0].Env[0].ValueFrom.SecretKeyRef = &ref
		}, "DATABASE_URL: nothing here stands for key DATABASE_URL of honeydue-unknown"},
		"program": {func(c *local.Config) {
			c.Bin = filepath.Join(c.Dir, "bin")
			c.Manifests.Functions[0].Package += "/missing"
		}, "build functions"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := local.Start(t.Context(), config(t, tt.change))
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestStartIsCutShort(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := local.Start(ctx, config(t, nil))
	require.ErrorIs(t, err, context.Canceled)
}

func TestStopAnswersWhatHasBegun(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	status, _ := request(t, http.MethodGet, s.URL+"/api/tasks/", nil, "")
	require.Equal(t, http.StatusOK, status)
	answered := make(chan int, 1)
	go func() {
		res, err := devtest.Client.Get(s.URL + "/api/tasks/nap")
		if err != nil {
			answered <- 0
			return
		}
		_ = res.Body.Close()
		answered <- res.StatusCode
	}()
	require.Eventually(t, func() bool {
		_, body := request(t, http.MethodGet, s.URL+"/_local/functions", nil, "")
		return strings.Contains(body, `"in_flight":1`)
	}, 10*time.Second, time.Millisecond)
	require.NoError(t, s.Stop())
	require.Equal(t, http.StatusOK, <-answered)
	_, err := devtest.Client.Get(s.URL)
	require.Error(t, err)
}
