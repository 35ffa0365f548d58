// Command cluster measures cold starts on the cluster of KUBECONFIG, and ends with 1 when one is over its target.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/honeydue/backend/tests/cluster"
	"github.com/honeydue/backend/tests/cluster/coldstart"
)

const rounds = 20

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	met, err := bench(ctx, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	if err != nil || !met {
		os.Exit(1)
	}
}

func bench(ctx context.Context, out io.Writer) (met bool, err error) {
	environment, err := cluster.FromEnv()
	if err != nil {
		return false, err
	}
	c, err := cluster.Up(ctx, environment, os.Stderr)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, c.Down(context.WithoutCancel(ctx))) }()
	measured, err := coldstart.Measure(ctx, c, rounds)
	if err != nil {
		return false, err
	}
	return measured.Print(out)
}
