// Package browser looks at the panel and the site as people do: with Chromium, on a phone and on a screen, by day and by night, and
// without scripts. It keeps pictures of all pages in the folder screenshots.
package browser

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/honeydue/backend/knative/local"
	"github.com/honeydue/backend/shared/devserver"
)

// pictures is where screenshots end up.
const pictures = "screenshots"

// world is what all tests share.
var world *stage

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	code := 1
	s, err := open(context.Background())
	if err == nil {
		world = s
		code = m.Run()
	}
	if err = errors.Join(err, s.close()); err != nil {
		fmt.Fprintln(os.Stderr, "browser:", err)
		return 1
	}
	return code
}

// A stage is a system, and a browser that reaches it and nothing else.
type stage struct {
	*local.System

	panel, site string // where they are, without a last slash
	programs    string // the folder of the functions' programs
	db          *pgxpool.Pool
	axe         string // what finds faults of accessibility, in JavaScript
	browser     context.Context
	end         func()
	dir         string
}

// open starts the stage, or as much of it as can be.
func open(ctx context.Context) (*stage, error) {
	s := &stage{}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		return s, errors.New("there is no chromium on this machine: install Debian's package chromium")
	}
	axe, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if err != nil {
		return s, errors.New("there is no axe-core on this machine: run `npm ci` in tests/browser, as `make test` does")
	}
	s.axe = string(axe)
	if err := errors.Join(os.RemoveAll(pictures), os.Mkdir(pictures, 0o750)); err != nil {
		return s, fmt.Errorf("make folder of screenshots: %w", err)
	}
	if s.dir, err = os.MkdirTemp("", "honeydue-browser-"); err != nil {
		return s, fmt.Errorf("make folder: %w", err)
	}
	if err := os.Chmod(s.dir, 0o755); err != nil { // PostgreSQL's user goes through it
		return s, fmt.Errorf("open folder: %w", err)
	}
	s.programs = filepath.Join(s.dir, "programs")
	if s.System, err = local.Start(ctx, local.Config{Dir: filepath.Join(s.dir, "run"), Bin: s.programs}); err != nil {
		return s, fmt.Errorf("start system: %w", err)
	}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		return s, fmt.Errorf("read address of system: %w", err)
	}
	s.panel, s.site = "http://admin.localhost:"+port, "http://site.localhost:"+port
	if s.db, err = pgxpool.New(ctx, s.Postgres.URL(devserver.Owner, "honeydue")); err != nil {
		return s, fmt.Errorf("connect to database: %w", err)
	}
	if err := s.browse(ctx, chromium); err != nil {
		return s, fmt.Errorf("start Chromium: %w", err)
	}
	return s, nil
}

// browse starts a browser that finds no host but this machine.
func (s *stage) browse(ctx context.Context, chromium string) error {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium),
		chromedp.DisableGPU,
		chromedp.Flag("host-resolver-rules", "MAP *.localhost 127.0.0.1, MAP * ~NOTFOUND"),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses root otherwise
	}
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	s.browser, _ = chromedp.NewContext(ctx)
	s.end = func() {
		_ = chromedp.Cancel(s.browser) // it says how Chromium ended
		stop()
	}
	return chromedp.Do(s.browser)
}

func (s *stage) close() error {
	if s.end != nil {
		s.end()
	}
	if s.db != nil {
		s.db.Close()
	}
	var err error
	if s.System != nil {
		err = s.Stop()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
