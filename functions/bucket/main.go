// Command bucket gives the bucket the settings that the functions count on, or tells in what it differs.
package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/run"
)

const usage = `usage: bucket apply | bucket verify

apply gives the bucket its lifecycle and CORS rules and keeps those of others; verify only tells in what it differs.
Run again, either changes nothing more.

environment:
  S3_ENDPOINT, S3_REGION, S3_BUCKET, S3_ACCESS_KEY, S3_SECRET_KEY
                       as the functions have them; the key must be allowed to change the bucket's settings
  BUCKET_CORS_ORIGINS  origins of the pages that send and show photos, with commas between
                       (https://myhoneydue.com,https://admin.myhoneydue.com)

exit code: 0 all is as it should be, 1 something differs or was refused, 2 it could not be tried
`

type config struct {
	Bucket  bucket.Config
	Origins []string `envconfig:"BUCKET_CORS_ORIGINS" default:"https://myhoneydue.com,https://admin.myhoneydue.com"`
}

// Exit codes.
const (
	inOrder  = 0
	differs  = 1
	notTried = 2
)

func main() { os.Exit(command(os.Args[1:], os.Stdout, os.Stderr)) }

// command runs what args say and returns the exit code.
func command(args []string, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if len(args) != 1 || (args[0] != "apply" && args[0] != "verify") {
		_, _ = fmt.Fprint(errs, usage)
		return notTried
	}
	code, err := settle(ctx, args[0] == "apply", out)
	if err != nil {
		_, _ = fmt.Fprintln(errs, "bucket:", err)
		return notTried
	}
	return code
}

// settle goes through all settings and returns the worst exit code.
func settle(ctx context.Context, apply bool, out io.Writer) (int, error) {
	var cfg config
	if err := run.Read(&cfg); err != nil {
		return notTried, err
	}
	for _, origin := range cfg.Origins {
		if u, err := url.Parse(origin); err != nil || u.Host == "" || u.Scheme+"://"+u.Host != origin {
			return notTried, fmt.Errorf("BUCKET_CORS_ORIGINS: %q is not an origin such as https://example.com", origin)
		}
	}
	store, err := bucket.Open(cfg.Bucket)
	if err != nil {
		return notTried, err
	}
	defer store.Close()
	worst := inOrder
	for _, s := range []setting{lifecycleOf(store, cfg.Bucket.Name), corsOf(store, cfg.Bucket.Name, cfg.Origins)} {
		code, err := s.settle(ctx, apply, out)
		if err != nil {
			return notTried, err
		}
		worst = max(worst, code)
	}
	return worst, nil
}
