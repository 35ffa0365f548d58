package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/knative/local"
	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/tests/cluster"
	"github.com/honeydue/backend/tests/story"
)

// A Site is the system under load.
type Site struct {
	URL   string
	Phone func() *story.Phone // nobody is signed in on it

	Rate     int           // requests a second; 0 is as fast as answers come
	Duration time.Duration // how long the load lasts

	// These there are only for a system that was started for this load.
	Local *local.System
	DB    *pgx.Conn // as the owner of everything

	Cluster *cluster.Cluster // only where the system was rolled out for this load

	function string
	dir      string
	client   *http.Client
	pids     func() ([]int, error)
	closers  []func() error
}

// Start starts a system of one's own, for what is more than the load of one function; end takes it down. Profiled programs answer
// [Profile].
func Start(ctx context.Context, profiled bool) (at *Site, end func() error, err error) {
	o := options{}
	if profiled {
		o.profiles = os.TempDir()
	}
	at, err = open(ctx, "", o)
	return at, at.close, err
}

// open finds the system of that name, or starts one. Whatever is not on this machine is refused.
func open(ctx context.Context, function string, o options) (at *Site, err error) {
	at = &Site{function: function, Rate: o.rate, Duration: o.duration, client: &http.Client{
		Timeout:       20 * time.Second,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 1024},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	defer func() {
		if err != nil {
			err = errors.Join(err, at.close())
		}
	}()
	if at.dir, err = os.MkdirTemp("", "honeydue-load-"); err != nil {
		return at, fmt.Errorf("make folder: %w", err)
	}
	if err := os.Chmod(at.dir, 0o755); err != nil {
		return at, fmt.Errorf("open folder: %w", err)
	}
	switch o.target {
	case "":
		return at, at.start(ctx, o.profiles != "")
	case "cluster":
		return at, at.deploy(ctx)
	default:
		return at, at.join(o.target)
	}
}

// Requests is how many requests the load sends at its rate, the first few included that are not measured.
func (at *Site) Requests() int { return warming + int(float64(at.Rate)*at.Duration.Seconds()) }

// close takes down what was started.
func (at *Site) close() error {
	var errs []error
	for i := len(at.closers) - 1; i >= 0; i-- {
		errs = append(errs, at.closers[i]())
	}
	_ = os.Remove(at.dir) // unless there is a plot in it
	return errors.Join(errs...)
}

// start starts the whole system, on free ports and with its data on disk, from programs as images have them or from such as tell
// profiles.
func (at *Site) start(ctx context.Context, profiled bool) error {
	flags := []string{"-trimpath", "-ldflags=-s -w"}
	if profiled {
		flags = []string{"-tags=profile"}
	}
	s, err := local.Start(ctx, local.Config{Dir: filepath.Join(at.dir, "run"), Durable: true, Idle: time.Hour, BuildFlags: flags})
	if err != nil {
		return fmt.Errorf("start system: %w", err)
	}
	at.closers = append(at.closers, func() error { return errors.Join(s.Stop(), os.RemoveAll(filepath.Join(at.dir, "run"))) })
	at.Local, at.URL, at.Phone = s, s.URL, story.At(s.URL)
	at.pids = at.fromLocal
	if at.DB, err = pgx.Connect(ctx, s.Postgres.URL(devserver.Owner, "honeydue")); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	at.closers = append(at.closers, func() error { return at.DB.Close(context.WithoutCancel(ctx)) })
	return nil
}

// join uses a system that runs on this machine already.
func (at *Site) join(target string) error {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" || u.Host == "" || u.Path != "" {
		return errors.New("read -target: not of the form http://address:port")
	}
	if host, err := netip.ParseAddr(u.Hostname()); err != nil || !host.IsLoopback() {
		return errors.New("read -target: not an address on loopback; a load goes to this machine alone")
	}
	at.URL, at.Phone = target, story.At(target)
	at.pids = at.fromLocal
	if _, err := at.fromLocal(); err != nil {
		return fmt.Errorf("is `make run` at -target? %w", err)
	}
	return nil
}

// deploy rolls the system out on the cluster of KUBECONFIG, which runs on this machine, and takes it down in the end.
func (at *Site) deploy(ctx context.Context) error {
	environment, err := cluster.FromEnv()
	if err != nil {
		return err
	}
	c, err := cluster.Up(ctx, environment, os.Stderr)
	if err != nil {
		return err
	}
	at.closers = append(at.closers, func() error { return c.Down(context.WithoutCancel(ctx)) })
	at.Cluster, at.URL, at.Phone = c, "http://"+cluster.PublicHost, c.Phone
	at.client.Transport = c.Outside(netip.MustParseAddr(cluster.Edge))
	at.pids = at.fromPods
	return nil
}

// fromLocal finds the function's process by what the system's own page is told.
func (at *Site) fromLocal() ([]int, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, at.URL+"/_local/state", http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	answer, err := Fetch(at.client, req)
	if err != nil {
		return nil, fmt.Errorf("find process: %w", err)
	}
	state, err := Decode[struct {
		Functions []struct {
			Name string
			PID  int
		}
	}](answer.Body)
	if err != nil {
		return nil, fmt.Errorf("find process: %w", err)
	}
	for _, f := range state.Functions {
		if f.Name == at.function && f.PID > 0 {
			return []int{f.PID}, nil
		}
	}
	return nil, nil
}

// Fetch sends a request and reads its answer whole.
func Fetch(client *http.Client, req *http.Request) (answer story.Answer, err error) {
	res, err := client.Do(req) //nolint:gosec // whoever calls this has looked that it is this machine
	if err != nil {
		return answer, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return story.Answer{Status: res.StatusCode, Header: res.Header, Body: body}, err
}
