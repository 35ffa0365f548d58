// Command deploy rolls the functions out to the cluster of kubectl's context, and splits and moves their traffic.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

const usage = `usage: make deploy [FN=tasks] [OVERLAY=production]
       make canary FN=tasks PERCENT=10
       make promote FN=tasks
       make rollback FN=tasks
       make secrets ENV_FILE=production.env
       make renew [FN=uploads]
       make rotate WHAT=code-key | admin-key | database-logins
       make rotate WHAT=s3-key | smtp | push-keys | redis-password ENV_FILE=new.env
that is: deploy [-overlay production] deploy [function] | canary <function> <percent> | promote <function> | rollback <function> |
secrets <file> | renew [function] | rotate <what> [file]`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case err == nil:
		return
	case interrupted:
		fmt.Fprintln(os.Stderr, "deploy: interrupted; what was begun goes on in the cluster, and deploying again is safe")
	default:
		fmt.Fprintln(os.Stderr, "deploy:", err)
	}
	os.Exit(1)
}

func run(ctx context.Context, args []string, out io.Writer) error {
	r, command, args, err := parse(args, out)
	if err != nil {
		return err
	}
	switch {
	case command == "deploy" && len(args) == 0:
		return r.deploy(ctx, "", 0)
	case command == "deploy" && len(args) == 1:
		return r.deploy(ctx, args[0], 0)
	case command == "canary" && len(args) == 2:
		percent, err := strconv.Atoi(args[1])
		if err != nil || percent < 1 || percent > 99 {
			return fmt.Errorf("canary: percent is %q; give a whole number from 1 to 99, as in make canary FN=tasks PERCENT=10", args[1])
		}
		return r.deploy(ctx, args[0], int64(percent))
	case command == "promote" && len(args) == 1:
		return r.promote(ctx, args[0])
	case command == "rollback" && len(args) == 1:
		return r.rollback(ctx, args[0])
	case command == "secrets" && len(args) == 1:
		return r.secrets(ctx, args[0])
	case command == "renew" && len(args) == 0:
		return r.renew(ctx, "")
	case command == "renew" && len(args) == 1:
		return r.renew(ctx, args[0])
	case command == "rotate" && len(args) == 1:
		return r.rotate(ctx, args[0], "", time.Now())
	case command == "rotate" && len(args) == 2:
		return r.rotate(ctx, args[0], args[1], time.Now())
	}
	return errors.New(usage)
}

// parse reads flags and environment, and returns the command with its arguments.
func parse(args []string, out io.Writer) (*rollout, string, []string, error) {
	flags := flag.NewFlagSet("deploy", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	overlay := flags.String("overlay", "production", "folder in knative/overlays")
	if err := flags.Parse(args); err != nil || flags.NArg() == 0 {
		return nil, "", nil, errors.New(usage)
	}
	r := &rollout{
		overlay:    *overlay,
		ingress:    os.Getenv("INGRESS"),
		repository: os.Getenv("KO_DOCKER_REPO"),
		out:        out,
	}
	if kn, err := exec.LookPath("kn"); err == nil {
		r.kn = kn
	}
	// Make gives an empty argument for a variable that is not set.
	var rest []string
	for _, arg := range flags.Args()[1:] {
		if arg != "" {
			rest = append(rest, arg)
		}
	}
	return r, flags.Arg(0), rest, nil
}
