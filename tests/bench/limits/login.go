package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/honeydue/backend/tests/bench/turns"
	"github.com/honeydue/backend/tests/bench/world"
)

// Everybody has the same password, and signs in from an address of their own.
const (
	people   = 2000
	password = "seven quiet herons"
)

func email(number int64) string { return fmt.Sprintf("person.%d@example.com", number%people) }

// account asks function auth for something about the person of that number, from their address.
func account(ctx context.Context, p *world.Process, path string, number int64, body string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+path, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	n := number % people
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Forwarded-For", fmt.Sprintf("198.18.%d.%d", n/250, 1+n%250))
	return req, nil
}

// registration makes an account of the first person.
func registration(p *world.Process) *load {
	return &load{status: http.StatusCreated, call: func(ctx context.Context, number int64) (*http.Request, error) {
		return account(ctx, p, "/api/auth/register/", number, fmt.Sprintf(`{"email": %q, "password": %q}`, email(number), password))
	}}
}

// login signs people in.
func login(p *world.Process) *load {
	return &load{status: http.StatusOK, call: func(ctx context.Context, number int64) (*http.Request, error) {
		return account(ctx, p, "/api/auth/login/", number, fmt.Sprintf(`{"email": %q, "password": %q, "device_name": "Pat's phone"}`, email(number), password))
	}}
}

// logins are beside the hash of a password, with as many threads.
func (b *bench) logins(ctx context.Context, out io.Writer) (_ []outcome, err error) {
	start := func(ctx context.Context, start starter) (*world.Process, error) {
		return start(ctx, "auth", processors(), "TRUSTED_PROXIES=127.0.0.0/8", "CODE_KEY="+strings.Repeat("k", 32))
	}
	p, err := start(ctx, b.Start)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	stored, err := b.register(ctx, p)
	if err != nil {
		return nil, err
	}
	hash, err := parse(stored)
	if err != nil {
		return nil, err
	}
	var next int64 // others sign in in each turn
	o, err := b.hold(ctx, contest{
		short: "login",
		what:  fmt.Sprintf("Login beside the hash of its password, %s, by as many threads as there are callers", hash),
		least: leastLogin,
		ours:  "function auth",
		start: start,
		turn: func(ctx context.Context, p *world.Process, d time.Duration) (run, error) {
			signing := login(p)
			signing.next.Store(next)
			defer func() { next = signing.next.Load() }()
			return b.measured(p.PID(), func() (run, error) { return signing.during(ctx, d) })
		},
		limit: side{"argon2id", func(_ context.Context, d time.Duration) (run, error) {
			return b.measured(0, func() (run, error) { return hash.during(d) })
		}},
	}, p)
	if err != nil {
		return nil, err
	}
	return []outcome{o}, b.print(ctx, out, o)
}

const insertSame = `
INSERT INTO auth_user (email, password_hash, email_verified_at)
SELECT 'person.' || n || '@example.com', $1, now() FROM generate_series(1, $2::int - 1) n`

// register has the first person register, gives the others the same password, and returns what is stored of it.
func (b *bench) register(ctx context.Context, p *world.Process) (stored string, err error) {
	c, transport := client()
	defer transport.CloseIdleConnections()
	if _, err := registration(p).one(ctx, c, 0); err != nil {
		return "", fmt.Errorf("register: %w", err)
	}
	if err := b.DB.QueryRow(ctx, `SELECT password_hash FROM auth_user WHERE email = $1`, email(0)).Scan(&stored); err != nil {
		return "", fmt.Errorf("read password hash: %w", err)
	}
	if _, err := b.DB.Exec(ctx, insertSame, stored, people); err != nil {
		return "", fmt.Errorf("insert people: %w", err)
	}
	return stored, nil
}

// A cost is what a stored password takes to check.
type cost struct {
	memory, time uint32
	threads      uint8
	salt         []byte
	length       uint32 // of the key
}

func (c cost) String() string {
	return fmt.Sprintf("argon2id of %d KiB, %d passes, %d thread", c.memory, c.time, c.threads)
}

// parse reads the cost of a hash in PHC's string format.
func parse(stored string) (c cost, err error) {
	parts := strings.Split(stored, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return c, errors.New("the stored password is no hash of argon2id")
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.time, &c.threads); err != nil {
		return c, fmt.Errorf("read cost of the stored password: %w", err)
	}
	if c.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return c, fmt.Errorf("read salt of the stored password: %w", err)
	}
	key, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil {
		return c, fmt.Errorf("read key of the stored password: %w", err)
	}
	c.length = uint32(len(key))
	return c, nil
}

// during hashes for that long, with as many threads as there are callers.
func (c cost) during(d time.Duration) (run, error) {
	began := time.Now()
	r, err := turns.Ask(connections, func() (time.Duration, bool, error) {
		start := time.Now()
		if start.Sub(began) >= d {
			return 0, false, nil
		}
		_ = argon2.IDKey([]byte(password), c.salt, c.time, c.memory, c.threads, c.length)
		return time.Since(start), true, nil
	})
	return run{Run: r}, err
}
