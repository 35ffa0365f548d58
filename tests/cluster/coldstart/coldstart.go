// Package coldstart measures how long a function that sleeps takes to answer, beside an empty Go service on the same cluster.
package coldstart

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/honeydue/backend/tests/bench/report"
	"github.com/honeydue/backend/tests/cluster"
)

// maxRatio is how much longer a function may take than the empty service that is woken in the same way, at the median.
const maxRatio = 1.15

// breath lies before each wake-up, so that what the one before it set off does not slow it down.
const breath = time.Second

// A sleeper is what is woken, and how: by an event, or by a request that needs no database.
type sleeper struct {
	name   string
	path   string // empty: by an event
	status int
	like   string // the empty service that is woken in the same way
	took   []time.Duration
}

// Measurements are the cold starts of all functions.
type Measurements struct{ sleepers []*sleeper }

func sleepers() []*sleeper {
	return []*sleeper{
		{name: empty, path: "/api/empty/", status: http.StatusOK, like: empty},
		{name: "auth", path: "/api/auth/me/", status: http.StatusUnauthorized, like: empty},
		{name: "residences", path: "/api/residences/", status: http.StatusUnauthorized, like: empty},
		{name: "tasks", path: "/api/tasks/", status: http.StatusUnauthorized, like: empty},
		{name: "uploads", path: "/api/documents/", status: http.StatusUnauthorized, like: empty},
		{name: "site", path: "/api/openapi.json", status: http.StatusOK, like: empty},
		{name: "admin", path: "/api/admin/me/", status: http.StatusUnauthorized, like: empty},
		{name: emptyEvent, status: http.StatusNoContent, like: emptyEvent},
		{name: "media", status: http.StatusNoContent, like: emptyEvent},
		{name: "notifications", status: http.StatusNoContent, like: emptyEvent},
		{name: "sweeper", status: http.StatusNoContent, like: emptyEvent},
	}
}

// Measure lets everything fall asleep and wakes one after the other, that many rounds. Each round begins with another one, and
// every second goes backwards.
func Measure(ctx context.Context, c *cluster.Cluster, rounds int) (m *Measurements, err error) {
	defer func() { err = errors.Join(err, removeEmpty(context.WithoutCancel(ctx), c)) }()
	if err := deployEmpty(ctx, c); err != nil {
		return nil, fmt.Errorf("deploy the empty service: %w", err)
	}
	m = &Measurements{sleepers()}
	var names, inside []string
	for _, s := range m.sleepers {
		names = append(names, s.name)
		if s.path == "" {
			inside = append(inside, host(s.name))
		}
	}
	for _, f := range c.Functions() {
		if !slices.Contains(names, f) {
			return nil, fmt.Errorf("measure cold starts: nobody says how to wake %s", f)
		}
	}
	events, err := c.Inside(ctx, inside...)
	if err != nil {
		return nil, err
	}
	for round := range rounds {
		if err := c.AwaitZero(ctx, names...); err != nil {
			return nil, err
		}
		for i := range m.sleepers {
			s := m.sleepers[order(round, i, len(m.sleepers))]
			took, err := s.wake(ctx, c, events)
			if err != nil {
				return nil, fmt.Errorf("wake %s: %w", s.name, err)
			}
			s.took = append(s.took, took)
		}
	}
	return m, nil
}

// order says who is the i-th of n in a round.
func order(round, i, n int) int {
	at := (round + i) % n
	if round%2 == 1 {
		at = n - 1 - at
	}
	return at
}

func host(function string) string { return function + "." + cluster.Namespace + ".svc.cluster.local" }

// wake sends what s wakes by and returns how long the whole answer took, from a connection that is made for it on.
func (s *sleeper) wake(ctx context.Context, c *cluster.Cluster, events *http.Client) (time.Duration, error) {
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(breath):
	}
	// A schedule may have woken it.
	if err := c.AwaitZero(ctx, s.name); err != nil {
		return 0, err
	}
	if s.path == "" {
		return s.wakeByEvent(ctx, events)
	}
	phone := c.Phone()
	defer phone.Client.CloseIdleConnections()
	began := time.Now()
	answer, err := phone.Call(ctx, http.MethodGet, s.path, nil, "")
	if err != nil {
		return 0, err
	}
	return time.Since(began), answer.Decode(s.status, nil)
}

// wakeByEvent delivers the tick of a schedule that nobody has, as the Broker would.
func (s *sleeper) wakeByEvent(ctx context.Context, events *http.Client) (time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+host(s.name)+"/", http.NoBody)
	if err != nil {
		return 0, fmt.Errorf("make event: %w", err)
	}
	for name, value := range map[string]string{
		"Ce-Specversion": "1.0", "Ce-Id": "cold-start", "Ce-Type": "dev.knative.sources.ping",
		"Ce-Source": "/apis/v1/namespaces/" + cluster.Namespace + "/pingsources/nobody",
	} {
		req.Header.Set(name, value)
	}
	began := time.Now()
	res, err := events.Do(req)
	if err != nil {
		return 0, fmt.Errorf("deliver event: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != s.status {
		return 0, fmt.Errorf("answered %d, not %d: %w", res.StatusCode, s.status, err)
	}
	return time.Since(began), nil
}

// Print writes a table, and returns whether every function is within its ratio to the empty service.
func (m *Measurements) Print(out io.Writer) (met bool, err error) {
	medians := map[string]time.Duration{}
	for _, s := range m.sleepers {
		slices.Sort(s.took)
		medians[s.name] = percentile(s.took, 50)
	}
	_, _ = fmt.Fprintf(out, "From zero pods to an answer, %d rounds, beside an empty service that is woken in the same way\n\n", len(m.sleepers[0].took))
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "function\twoken by\tp50\tp95\tratio at p50\ttarget\t\t")
	met = true
	slowest := report.Goal{What: "cold start of each function, p50", Beside: "an empty service that is woken in the same way", Target: fmt.Sprintf("at most %.2f", maxRatio)}
	greatest := 0.0
	for _, s := range m.sleepers {
		by := "request"
		if s.path == "" {
			by = "event"
		}
		ratio := float64(medians[s.name]) / float64(medians[s.like])
		met = met && ratio <= maxRatio
		if s.like != s.name && ratio > greatest {
			greatest, slowest.Measured = ratio, fmt.Sprintf("at most %.2f, that of %s", ratio, s.name)
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%.2f\t%.2f\t%s\t\n",
			s.name, by, ms(medians[s.name]), ms(percentile(s.took, 95)), ratio, maxRatio, report.Verdict(ratio <= maxRatio))
	}
	slowest.Met = met
	if _, err := report.Reached(slowest); err != nil {
		return false, err
	}
	return met, table.Flush()
}

// percentile returns the smallest of the sorted values that p of 100 do not exceed.
func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[(len(sorted)*p+99)/100-1]
}

func ms(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }
