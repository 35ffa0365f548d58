package functiontest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/ports"
	"github.com/honeydue/backend/shared/function"
)

// A lane is a process of a function whose one connection to the database can be cut.
type lane struct {
	*Server
	calm    *Server // another process, which nobody cuts off
	control *toxiproxy.ApiServer
	proxy   *toxiproxy.Proxy
	took    time.Duration // for the newest request that was carried out undisturbed, the connecting included
}

// newLane makes a lane to the database at upstream.
func newLane(t *testing.T, calm *Server, upstream, name string, routes func(*function.Base) func(huma.API)) *lane {
	t.Helper()
	l := &lane{calm: calm, took: 20 * time.Millisecond, control: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())}
	port, err := ports.Free(t.Context())
	require.NoError(t, err)
	l.proxy = toxiproxy.NewProxy(l.control, "postgres", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), upstream)
	require.NoError(t, l.proxy.Start())
	l.Server = StartThrough(t, calm.DB, l.proxy.Listen, name, routes)
	return l
}

// reopen cuts what is left of the connection, and lets the next one through.
func (l *lane) reopen() error {
	l.proxy.Stop()
	l.proxy = toxiproxy.NewProxy(l.control, "postgres", l.proxy.Listen, l.proxy.Upstream)
	return ports.Again(context.Background(), l.proxy.Start)
}

// arm begins a cut of a person's request. The function that it returns ends it.
func (l *lane) arm(c cut, person int64) (disarm func() error, err error) {
	add := func(toxic string) error {
		_, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(toxic))
		return err
	}
	none := func() error { return nil }
	switch c.kind {
	case "sent":
		return none, add(fmt.Sprintf(`{"type": "limit_data", "stream": "upstream", "attributes": {"bytes": %d}}`, c.bytes))
	case "answered":
		return none, add(fmt.Sprintf(`{"type": "limit_data", "stream": "downstream", "attributes": {"bytes": %d}}`, c.bytes))
	case "committing":
		return l.armCommit(person)
	}
	over, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		select {
		case <-time.After(time.Duration(c.part * float64(l.took))):
		case <-over:
			ended <- nil
			return
		}
		if c.kind == "closed" {
			l.proxy.Stop()
			ended <- nil
			return
		}
		ended <- add(`{"type": "timeout", "stream": "downstream", "attributes": {"timeout": 20}}`)
	}()
	return func() error {
		close(over)
		return <-ended
	}, nil
}

// commitLocks is the first key of the advisory locks for which commits wait. The second is a person.
const commitLocks = 1

// armCommit closes the connection once the database is about to commit for a person, and lets it commit then.
func (l *lane) armCommit(person int64) (disarm func() error, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	held, err := l.calm.Owner.Begin(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	release := func() error {
		defer cancel()
		return held.Rollback(context.Background())
	}
	if _, err := held.Exec(ctx, `SELECT pg_advisory_xact_lock($1, $2)`, commitLocks, person); err != nil {
		return nil, errors.Join(err, release())
	}
	over, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		err := awaitCommit(ctx, held, person, over)
		l.proxy.Stop()
		ended <- errors.Join(err, release())
	}()
	return func() error {
		close(over)
		return <-ended
	}, nil
}

// awaitCommit returns when a commit waits for the lock of a person, or the request is over without one.
func awaitCommit(ctx context.Context, tx pgx.Tx, person int64, over <-chan struct{}) error {
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for waits := false; !waits; {
		select {
		case <-over:
			return nil
		case <-again.C:
		}
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND classid = $1 AND objid = $2)`,
			commitLocks, person).Scan(&waits); err != nil {
			return err
		}
	}
	return nil
}

// commit sends the request of a plot while its connection is cut, and again until it succeeds.
func (l *lane) commit(p Plot, c cut) (moment, error) {
	before, err := p.shown(l.calm)
	if err != nil {
		return "", err
	}
	disarm, err := l.arm(c, p.Person)
	if err != nil {
		return "", err
	}
	first, err := p.post(l.Server)
	if err := errors.Join(err, disarm()); err != nil {
		return "", err
	}
	if !succeeded(first) {
		if first.Status != http.StatusServiceUnavailable {
			return "", fmt.Errorf("the cut one was answered %d: %s", first.Status, first.Body)
		}
		// Whoever looks while nobody knows what became of it must leave nothing in the cache.
		if _, err := p.shown(l.calm); err != nil {
			return "", err
		}
	}
	if err := l.reopen(); err != nil {
		return "", err
	}
	if !succeeded(first) && c.patient && p.Home != 0 {
		if err := l.ended(p, before); err != nil {
			return "", err
		}
	}
	began := time.Now()
	again, err := l.persist(p)
	if err != nil {
		return "", err
	}
	when := afterCommit
	switch {
	case succeeded(first):
		if !bytes.Equal(first.Body, again.Body) {
			return "", fmt.Errorf("answered %s, and then %s", first.Body, again.Body)
		}
	case again.Header.Get("Idempotent-Replay") == "true":
		when = inCommit
	default:
		when, l.took = beforeCommit, time.Since(began)
	}
	return when, l.settled(p, before, again)
}

// ended waits for the end of a transaction that holds a plot's home, and checks that what is shown is what became of it.
func (l *lane) ended(p Plot, before string) error {
	var home, kept int64
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := l.calm.Owner.QueryRow(ctx, `SELECT id FROM residence_residence WHERE id = $1 FOR UPDATE`, p.Home).Scan(&home); err != nil {
		return err
	}
	if err := l.calm.Owner.QueryRow(ctx, `SELECT count(*) FROM shared_idempotency WHERE user_id = $1`, p.Person).Scan(&kept); err != nil {
		return err
	}
	now, err := p.shown(l.calm)
	if err == nil && (now == before) != (kept == 0) {
		err = fmt.Errorf("with %d commits, %s is %s", kept, p.Shown, now)
	}
	return err
}

// patience is how long a lane waits for something that must come.
const patience = 20 * time.Second

func succeeded(r Response) bool {
	return r.Status == http.StatusCreated || r.Status == http.StatusOK
}

// persist sends the request of a plot until it succeeds.
func (l *lane) persist(p Plot) (Response, error) {
	for began := time.Now(); ; {
		r, err := p.post(l.Server)
		switch {
		case err != nil || succeeded(r):
			return r, err
		case r.Status != http.StatusServiceUnavailable && r.Status != http.StatusConflict, time.Since(began) > patience:
			return r, fmt.Errorf("tried again, it was answered %d: %s", r.Status, r.Body)
		}
	}
}

// settled checks that another process gives the answer once more, and that the change is shown.
func (l *lane) settled(p Plot, before string, answer Response) error {
	replayed, err := p.post(l.calm)
	if err != nil {
		return err
	}
	if replayed.Header.Get("Idempotent-Replay") != "true" || !bytes.Equal(replayed.Body, answer.Body) {
		return fmt.Errorf("answered %s, and another process answers %d %s", answer.Body, replayed.Status, replayed.Body)
	}
	for range 2 {
		after, err := p.shown(l.calm)
		if err != nil {
			return err
		}
		if after == before {
			return fmt.Errorf("%s is that of before: %s", p.Shown, after)
		}
	}
	return nil
}
