package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5/pgproto3"
)

// A statement is SQL as a function sends it, with its arguments as PostgreSQL writes them; nil is NULL.
type statement struct {
	sql  string
	args []*string
}

// A trip is the statements that travel together and are answered together.
type trip []statement

// A recorder stands between a function and PostgreSQL and notes what the function sends.
type recorder struct {
	listener net.Listener
	server   string
	group    sync.WaitGroup

	lock  sync.Mutex
	trips []trip
	err   error // the first that kept it from noting something
}

// record starts a recorder on loopback before the PostgreSQL at that host and port.
func record(ctx context.Context, server string) (*recorder, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	r := &recorder{listener: listener, server: server}
	r.group.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			r.group.Go(func() { r.relay(ctx, client) })
		}
	})
	return r, nil
}

// stop waits for the last connection to end and returns what came since the trip of that number.
func (r *recorder) stop(from int) ([]trip, error) {
	if err := r.listener.Close(); err != nil {
		return nil, fmt.Errorf("end recorder: %w", err)
	}
	r.group.Wait()
	return r.trips[from:], r.err
}

// count returns how many trips there have been.
func (r *recorder) count() int {
	r.lock.Lock()
	defer r.lock.Unlock()
	return len(r.trips)
}

func (r *recorder) relay(ctx context.Context, client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := (&net.Dialer{}).DialContext(ctx, "tcp", r.server)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	go func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	}()
	err = r.read(pgproto3.NewBackend(io.TeeReader(client, server), io.Discard))
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.err == nil {
		r.err = err
	}
}

// read notes what comes until the connection ends.
func (r *recorder) read(from *pgproto3.Backend) error {
	if _, err := from.ReceiveStartupMessage(); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	parsed := map[string]string{}
	var bound statement
	var now trip
	for {
		message, err := from.Receive()
		if err != nil {
			return nil //nolint:nilerr // the function has hung up
		}
		switch m := message.(type) {
		case *pgproto3.Parse:
			parsed[m.Name] = m.Query
		case *pgproto3.Bind:
			if bound, err = bind(parsed[m.PreparedStatement], m); err != nil {
				return err
			}
		case *pgproto3.Execute:
			now = append(now, bound)
		case *pgproto3.Query:
			return errors.New("record: a statement came in the simple protocol")
		case *pgproto3.Sync:
			r.lock.Lock()
			r.trips = append(r.trips, now)
			r.lock.Unlock()
			now = nil
		}
	}
}

// bind reads the arguments of a statement. All are text while nothing is known of the statement's types, as in the mode exec.
func bind(sql string, m *pgproto3.Bind) (statement, error) {
	if slices.Contains(m.ParameterFormatCodes, pgproto3.BinaryFormat) {
		return statement{}, fmt.Errorf("record: an argument is not text, of %s", sql)
	}
	s := statement{sql, make([]*string, len(m.Parameters))}
	for i, value := range m.Parameters {
		if value != nil {
			s.args[i] = new(string(value))
		}
	}
	return s, nil
}
