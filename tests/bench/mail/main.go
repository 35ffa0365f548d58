// Command mail measures how messages leave function notifications: from an event to the mail at the mail server, warm and from
// zero, one by one and many at once, beside two job queues that send the same mail; and what becomes of 100,000 reminders that are due
// at one tick. PostgreSQL, Redis and the mail server are on the same machine. It prints tables, with the target beside each
// figure, and ends with 1 when one is missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/honeydue/backend/tests/bench/built"
	"github.com/honeydue/backend/tests/bench/report"
)

const (
	functionName  = "notifications"
	database      = "honeydue"
	workerCommand = "worker" // the first argument of this program as a queue's worker
)

// options say how much is measured.
type options struct {
	rounds int
	many   int
	people int
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == workerCommand {
		if err := work(context.Background(), os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "worker:", err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.IntVar(&o.rounds, "rounds", 300, "single mails of each sender; 0 leaves out all but the reminders")
	flag.IntVar(&o.many, "many", 5000, "events at once, beyond those that have a target")
	flag.IntVar(&o.people, "n", 100_000, "people with a reminder that is due; 0 leaves the reminders out")
	flag.Parse()
	report.Main("mail", func(ctx context.Context, out io.Writer) (bool, error) { return bench(ctx, out, o) })
}

func bench(ctx context.Context, out io.Writer, o options) (met bool, err error) {
	dir, err := os.MkdirTemp("", "honeydue-mail-")
	if err != nil {
		return false, fmt.Errorf("make folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil {
		return false, fmt.Errorf("open folder: %w", err)
	}
	if err := built.Functions(ctx, dir, "migrate", functionName); err != nil {
		return false, err
	}
	w, err := makeWorld(ctx, dir)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	met = true
	if o.rounds > 0 {
		if met, err = benchDelivery(ctx, out, w, o); err != nil {
			return false, err
		}
	}
	if o.people > 0 {
		reminded, err := benchReminders(ctx, out, w, o.people)
		if err != nil {
			return false, err
		}
		met = met && reminded
	}
	return met, nil
}

// benchDelivery prints what delivery takes, of ours alone and beside queues.
func benchDelivery(ctx context.Context, out io.Writer, w *world, o options) (met bool, err error) {
	db, err := w.database(ctx, database)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, db.Close(context.WithoutCancel(ctx))) }()
	ours, l, warm, err := benchOurs(ctx, out, w, db, o)
	if err != nil {
		return false, err
	}
	if err := benchZero(ctx, out, w, db); err != nil {
		return false, err
	}
	beside, err := benchRivals(ctx, out, w, db, ours, l, o)
	return warm && beside, err
}
