package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/honeydue/backend/tests/bench/proc"
	"github.com/honeydue/backend/tests/bench/report"
	"github.com/honeydue/backend/tests/bench/world"
)

// leastPresigns is how many addresses a second of a core must be worth. The machine's cores also serve the database, the cache
// and the clients, so that the second is one of the function's own.
const leastPresigns = 2000

const (
	signers = 1000
	atATime = 10 // addresses that one person is given at most
	phones  = 8  // that ask at the same time
)

// benchPresign prints how many addresses a function with one core gives out, in either form, and returns whether they are enough.
func benchPresign(ctx context.Context, out io.Writer, s *stage) (bool, error) {
	_, _ = fmt.Fprintf(out, "Signed addresses: %d people, %d phones at the same time, function uploads with one core, its database and Redis beside it\n\n",
		signers, phones)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "form\taddresses\ttime\ta second\tp50\tp99\tfunction's CPU\ta second of it\ttarget\t\t")
	met := true
	for _, method := range []string{"post", "put"} {
		r, err := presign(ctx, s, method)
		if err != nil {
			return false, fmt.Errorf("presign %s: %w", method, err)
		}
		each := float64(len(r.times)) / r.cpu.Seconds()
		ok := each >= leastPresigns
		met = met && ok
		_, _ = fmt.Fprintf(table, "%s\t%d\t%.1f s\t%.0f\t%s\t%s\t%.2f s\t%.0f\t%d\t%s\t\n", method, len(r.times), r.took.Seconds(),
			float64(len(r.times))/r.took.Seconds(), report.MS(percentile(r.times, 50)), report.MS(percentile(r.times, 99)), r.cpu.Seconds(), each, leastPresigns, report.Verdict(ok))
	}
	return met, table.Flush()
}

// A presignRun is what many calls took, each and together, and what they cost the function.
type presignRun struct {
	times     []time.Duration
	took, cpu time.Duration
}

// presign has everybody ask for all the addresses that they can have, the first of each before anything is measured: a person
// who sends photos has been at work with the app, so that the cache knows their token.
func presign(ctx context.Context, s *stage, method string) (r presignRun, err error) {
	people, err := s.People(ctx, signers)
	if err != nil {
		return r, err
	}
	p, err := s.start(ctx, "uploads", "GOMAXPROCS=1", "UPLOADS_METHOD="+method)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	if _, err := signAll(ctx, p, people, 1); err != nil {
		return r, err
	}
	before, err := proc.CPU(p.PID())
	if err != nil {
		return r, err
	}
	began := time.Now()
	if r.times, err = signAll(ctx, p, people, atATime-1); err != nil {
		return r, err
	}
	r.took = time.Since(began)
	after, err := proc.CPU(p.PID())
	r.cpu = after - before
	return r, err
}

// signAll asks for so many addresses for each of people, who take turns, and returns how long each took.
func signAll(ctx context.Context, p *world.Process, people []int64, each int) ([]time.Duration, error) {
	const body = `{"category": "completion_image", "content_type": "image/jpeg", "content_length": 2097152, "filename": "IMG_4711.jpg"}`
	transport := &http.Transport{MaxIdleConnsPerHost: phones}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	times, errs := make([]time.Duration, each*len(people)), make([]error, phones)
	var next atomic.Int64
	var ended sync.WaitGroup
	for phone := range phones {
		ended.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(times)) && errs[phone] == nil; i = next.Add(1) - 1 {
				times[i], errs[phone] = post(ctx, client, p.URL+"/api/uploads/presign/", people[i%int64(len(people))], "", body)
			}
		})
	}
	ended.Wait()
	return times, errors.Join(errs...)
}
