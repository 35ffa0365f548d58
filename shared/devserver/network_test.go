package devserver

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// beside is a second address of the loopback, which stands for a bridge; its own clients are the network.
const (
	beside  = "127.0.0.2"
	network = beside + "/32"
)

// from returns a dialer whose connections come from an address.
func from(ip string) *net.Dialer { return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}} }

// askFrom is ask for a client with an address of its own.
func askFrom(ctx context.Context, ip, url, sql string) (string, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return "", err
	}
	config.DialFunc = from(ip).DialContext
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(ctx) }()
	var answer string
	return answer, conn.QueryRow(ctx, sql).Scan(&answer)
}

func TestDatabaseForANetwork(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	o := Options{Dir: folder(t), Host: beside, Network: network}
	p := startPostgres(t, o)
	b, err := StartPgBouncer(ctx, o, p)
	require.NoError(t, err)
	t.Cleanup(func() { stop(t, b.Server) })

	// After both have started, with what a URL must escape.
	require.NoError(t, p.CreateDatabase(ctx, "homes", ""))
	require.NoError(t, p.Exec(ctx, "homes", "CREATE ROLE honeydue_tasks LOGIN PASSWORD 'a/b@c: %'"))
	const who = "SELECT current_user"
	for name, s := range map[string]interface {
		URL(role, database string) string
		NetworkURL(role, password, database string) string
	}{"postgres": p, "pgbouncer": b} {
		right := s.NetworkURL("honeydue_tasks", "a/b@c: %", "homes")
		got, err := askFrom(ctx, beside, right, who)
		require.NoError(t, err, name)
		require.Equal(t, "honeydue_tasks", got)
		for _, url := range []string{
			s.NetworkURL("honeydue_tasks", "wrong", "homes"),
			s.NetworkURL("honeydue_tasks", "", "homes"),
			s.NetworkURL("honeydue_other", "a/b@c: %", "homes"),
			s.NetworkURL(Owner, "", "homes"),
			s.URL("honeydue_tasks", "homes"),
		} {
			_, err = askFrom(ctx, beside, url, who)
			require.Error(t, err, "%s %s", name, url)
		}
		_, err = askFrom(ctx, "127.0.0.3", right, who)
		require.Error(t, err, "%s for a stranger", name)
		requireAnswer(t, "honeydue_tasks", s.URL("honeydue_tasks", "homes"), who)
	}
	_, err = askFrom(ctx, beside, b.NetworkURL(Owner, "", "pgbouncer"), "SHOW CONFIG")
	require.Error(t, err)

	// The owner has the password that PostgreSQL was given, and everything comes back on the same port.
	require.NoError(t, p.Exec(ctx, Owner, "ALTER ROLE postgres PASSWORD 'of the owner'"))
	owner := p.NetworkURL(Owner, "of the owner", "homes")
	stop(t, b.Server)
	stop(t, p.Server)
	require.NoError(t, p.Start(ctx))
	require.NoError(t, b.Start(ctx))
	_, err = askFrom(ctx, beside, owner, who)
	require.NoError(t, err)
	_, err = askFrom(ctx, beside, b.NetworkURL(Owner, "of the owner", "homes"), who)
	require.Error(t, err)
	_, err = askFrom(ctx, beside, b.NetworkURL("honeydue_tasks", "a/b@c: %", "homes"), who)
	require.NoError(t, err)
}

func TestDatabaseForNobodyElse(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	o := Options{Dir: folder(t), Host: beside}
	p := startPostgres(t, o)
	b, err := StartPgBouncer(ctx, o, p)
	require.NoError(t, err)
	t.Cleanup(func() { stop(t, b.Server) })
	require.NoError(t, p.Exec(ctx, Owner, "CREATE ROLE honeydue_tasks LOGIN PASSWORD 'right'"))
	for _, url := range []string{
		p.NetworkURL("honeydue_tasks", "right", Owner), b.NetworkURL("honeydue_tasks", "right", Owner),
	} {
		_, err := askFrom(ctx, beside, url, "SELECT 1")
		require.Error(t, err)
	}
	requireAnswer(t, "1", b.URL("honeydue_tasks", Owner), "SELECT 1")
}

func TestRedisWithAPassword(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	const password = `a/b@c: %"\ü` //nolint:gosec // made up, of what needs to be escaped
	r := startRedis(t, Options{Dir: folder(t), Host: beside, Password: password})
	ping := func(url string) error {
		o, err := redis.ParseURL(url)
		require.NoError(t, err)
		client := redis.NewClient(o)
		defer func() { require.NoError(t, client.Close()) }()
		return client.Ping(ctx).Err()
	}
	for range 2 {
		for _, url := range []string{r.URL(1), r.NetworkURL(1)} {
			require.NoError(t, ping(url))
			require.ErrorContains(t, ping(strings.Replace(url, "a%2F", "b%2F", 1)), "WRONGPASS")
			_, address, _ := strings.Cut(url, "@")
			require.ErrorContains(t, ping("redis://"+address), "NOAUTH")
		}
		stop(t, r.Server)
		require.NoError(t, r.Start(ctx))
	}
}

func TestHostIsAnAddressOfThisMachine(t *testing.T) {
	t.Parallel()
	p := startPostgres(t, Options{Dir: folder(t)})
	// 192.0.2.0/24 is for documentation: no machine has it.
	o := Options{Dir: folder(t), Host: "192.0.2.1", Network: "192.0.2.0/24", Password: "secret"}
	_, err := StartPostgres(t.Context(), o)
	require.ErrorIs(t, err, errElsewhere)
	_, err = StartPgBouncer(t.Context(), o, p)
	require.ErrorIs(t, err, errElsewhere)
	_, err = StartRedis(t.Context(), o)
	require.ErrorContains(t, err, "Cannot assign requested address")
	_, err = StartS3(t.Context(), o)
	require.ErrorContains(t, err, "cannot assign requested address")
}

// A port that is free on the loopback address alone is not enough.
func TestPortTakenAtHost(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	p := startPostgres(t, Options{Dir: folder(t)})
	listener, err := net.Listen("tcp", beside+":0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	o := Options{
		Dir: folder(t), Host: beside, Network: network, Password: "secret", Port: listener.Addr().(*net.TCPAddr).Port,
	}
	_, err = StartPostgres(ctx, o)
	require.ErrorIs(t, err, errTaken)
	_, err = StartPgBouncer(ctx, o, p)
	require.ErrorIs(t, err, errTaken)
	_, err = StartRedis(ctx, o)
	require.ErrorIs(t, err, errTaken)
	_, err = StartS3(ctx, o)
	require.ErrorIs(t, err, errTaken)
}

func TestWrongNetwork(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"network without host": {Network: network},
		"host by name":         {Host: "localhost", Network: network},
		"no prefix":            {Host: beside, Network: beside},
		"no password":          {Host: beside, Network: network},
	} {
		o.Dir = folder(t)
		_, err := StartRedis(t.Context(), o)
		require.Error(t, err, name)
	}
}
