// Package report is how a benchmark begins and ends: with the machine, and with 1 when a target is missed.
package report

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// Main runs a benchmark, which prints its tables to out and tells whether all targets were met, and ends the process.
func Main(name string, bench func(ctx context.Context, out io.Writer) (met bool, err error)) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	_, _ = fmt.Fprintf(os.Stdout, "honeyDue, %s/%s, %d cores, %s\n\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), time.Now().UTC().Format(time.DateTime))
	met, err := bench(ctx, os.Stdout)
	if err == nil {
		err = Whole()
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, name+":", err)
	}
	if err != nil || !met {
		os.Exit(1)
	}
}

// Verdict is what a table says of a target.
func Verdict(met bool) string {
	if met {
		return "met"
	}
	return "MISSED"
}

// MS is a duration as tables have it.
func MS(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

// MiB is a number of bytes as tables have it.
func MiB(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }
