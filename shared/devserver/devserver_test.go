package devserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// victim is the variable that makes this test binary a program that starts servers in the folder it names and
// waits to be killed.
const victim = "DEVSERVER_TEST_VICTIM"

func TestMain(m *testing.M) {
	if dir := os.Getenv(victim); dir != "" {
		if err := beVictim(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// beVictim prints the process ids of its servers on one line and waits for the end of its input.
func beVictim(dir string) error {
	ctx := context.Background()
	p, err := StartPostgres(ctx, Options{Dir: dir, Durable: true})
	if err != nil {
		return err
	}
	if err := p.Exec(ctx, Owner, "CREATE TABLE kept AS SELECT 42 AS answer"); err != nil {
		return err
	}
	b, err := StartPgBouncer(ctx, Options{Dir: dir}, p)
	if err != nil {
		return err
	}
	r, err := StartRedis(ctx, Options{Dir: dir, Durable: true})
	if err != nil {
		return err
	}
	s, err := StartS3(ctx, Options{Dir: dir})
	if err != nil {
		return err
	}
	pids := append(children(p.PID()), p.PID(), b.PID(), r.PID(), s.PID())
	p.Pause()
	_, _ = fmt.Fprintln(os.Stdout, strings.Trim(fmt.Sprint(pids), "[]"))
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// folder is like t.TempDir, but open to the user that root's servers run as.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "devserver-") //nolint:usetesting // the one of the test is closed to other users
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	require.NoError(t, s.Stop(context.WithoutCancel(t.Context())))
}

func startPostgres(t *testing.T, o Options) *Postgres {
	t.Helper()
	p, err := StartPostgres(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { stop(t, p.Server) })
	return p
}

func startRedis(t *testing.T, o Options) *Redis {
	t.Helper()
	r, err := StartRedis(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { stop(t, r.Server) })
	return r
}

// ask returns the text that a query with one value answers with.
func ask(ctx context.Context, url, sql string) (string, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(ctx) }()
	results, err := conn.PgConn().Exec(ctx, sql).ReadAll()
	if err != nil {
		return "", err
	}
	last := results[len(results)-1]
	return string(last.Rows[0][0]), nil
}

func requireAnswer(t *testing.T, want, url, sql string) {
	t.Helper()
	got, err := ask(t.Context(), url, sql)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	one, other := startRedis(t, Options{Dir: dir}), startRedis(t, Options{Dir: folder(t)})
	require.NotEqual(t, one.Port(), other.Port())

	_, err := StartRedis(t.Context(), Options{Dir: dir})
	require.ErrorContains(t, err, "another run of redis-server uses it")
	_, err = StartRedis(t.Context(), Options{Dir: folder(t), Port: one.Port()})
	require.ErrorContains(t, err, fmt.Sprintf("port %d: taken", one.Port()))
}

func TestPortTakenForAWhile(t *testing.T) {
	t.Parallel()
	r := startRedis(t, Options{Dir: folder(t)})
	stop(t, r.Server)
	taken, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", r.Port()))
	require.NoError(t, err)
	started := make(chan error, 1)
	go func() { started <- r.Start(t.Context()) }()
	require.Eventually(t, func() bool {
		log, err := os.ReadFile(r.Log())
		return err == nil && strings.Contains(string(log), "Address already in use")
	}, 10*time.Second, poll)
	require.NoError(t, taken.Close())
	require.NoError(t, <-started)
}

func TestStartGivenUp(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := StartPostgres(ctx, Options{Dir: dir})
	require.ErrorIs(t, err, context.DeadlineExceeded)

	// Half a cluster was left, which the next start makes anew.
	p := startPostgres(t, Options{Dir: dir})
	requireAnswer(t, "1", p.URL(Owner, Owner), "SELECT 1")
}

func TestDiesWithUs(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), victim+"="+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	defer func() { _ = stdin.Close() }()
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	pids := strings.Fields(line)
	require.Greater(t, len(pids), 5)

	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())

	// At once, while some of them may not have noticed yet.
	p := startPostgres(t, Options{Dir: dir, Durable: true})
	requireAnswer(t, "42", p.URL(Owner, Owner), "SELECT answer FROM kept")
	startRedis(t, Options{Dir: dir, Durable: true})
	startS3(t, Options{Dir: dir})
	for _, field := range pids {
		pid, err := strconv.Atoi(field)
		require.NoError(t, err)
		require.Eventually(t, func() bool { return gone(pid) }, 10*time.Second, poll, "process %d", pid)
	}
}

func TestMissingProgram(t *testing.T) {
	t.Parallel()
	_, err := program{"no-such-server", "no-such-package", "usr/sbin"}.find(t.TempDir())
	var missing *MissingError
	require.ErrorAs(t, err, &missing)
	require.Equal(t, MissingError{Program: "no-such-server", Package: "no-such-package"}, *missing)
	require.EqualError(t, err, "program no-such-server not found: install the package no-such-package")
	require.Empty(t, Missing())
}

func TestNewestVersion(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, v := range []string{"9.6", "15", "8"} {
		bin := filepath.Join(root, "usr/lib/postgresql", v, "bin")
		require.NoError(t, os.MkdirAll(bin, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(bin, "postgres"), nil, 0o755))
	}
	path, err := postgresProgram.find(root)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(root, "usr/lib/postgresql/15/bin/postgres"), path)
}

func TestClosedFolder(t *testing.T) {
	t.Parallel()
	stranger := &account{name: "stranger", uid: 54321, gid: 54321}
	dir := folder(t)
	require.NoError(t, stranger.mayPass(dir))
	require.NoError(t, os.Chmod(dir, 0o700))
	require.ErrorContains(t, stranger.mayPass(dir), "folder "+dir+" is closed to user stranger")

	// Whoever is not root works as themselves, and may.
	inside := filepath.Join(dir, "inside")
	require.NoError(t, os.Mkdir(inside, 0o755))
	if os.Geteuid() == 0 {
		require.ErrorContains(t, CheckDir(inside), "folder "+dir+" is closed to user")
	} else {
		require.NoError(t, CheckDir(inside))
	}
}
