//go:build e2e

package e2e

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/tests/cluster"
	"github.com/honeydue/backend/tests/story"
)

// TestRotation: the key of codes and links changes while mails are on their way. Every code that was mailed works, once; a link that was
// mailed before goes on working; nobody is signed out.
func TestRotation(t *testing.T) {
	const (
		apart     = 700 * time.Millisecond // from one newcomer to the next: each costs a password hash
		afterward = 3
	)
	ctx, c := within(t, 8*time.Minute)
	done, err := story.MainJob(ctx, c.Phone)
	require.NoError(t, err)
	joined := mailTo(ctx, t, c, done.Owner.Email, "joined")

	rotated := make(chan error, 1)
	go func() {
		_, err := c.Make(ctx, "rotate", "WHAT=code-key", "OVERLAY=cluster")
		rotated <- err
	}()
	newcomers := arrive(ctx, t, c, time.NewTicker(apart), rotated, afterward)
	require.Greater(t, len(newcomers), 2*afterward, "people arrived while the key changed")
	for _, p := range newcomers {
		code := sixDigits.FindString(mailTo(ctx, t, c, p.Email, "confirm your email").Text)
		require.NoError(t, p.Verify(ctx, code))
		require.Error(t, p.Verify(ctx, code), "a code works once")
	}

	// The last step waits until no code of the old key can be on its way.
	require.Contains(t, fails(ctx, t, c, "rotate", "WHAT=code-key", "OVERLAY=cluster"), "may be needed until")
	_, err = c.Kubectl(ctx, "", "annotate", "--overwrite", "--namespace", cluster.Namespace, "secret/honeydue-codes", "myhoneydue.com/rotation=signs 2026-01-01T00:00:00Z")
	require.NoError(t, err)
	makes(ctx, t, c, "rotate", "WHAT=code-key", "OVERLAY=cluster")
	late, err := story.Register(ctx, c.Phone(), "Late")
	require.NoError(t, err)
	require.NoError(t, late.Verify(ctx, sixDigits.FindString(mailTo(ctx, t, c, late.Email, "confirm your email").Text)))
	require.NoError(t, done.Owner.OneClick(ctx, joined), "a link of the old key")
	require.NoError(t, done.Owner.Read(ctx, "/api/auth/me/", nil), "nobody is signed out")
	require.Contains(t, fails(ctx, t, c, "rotate", "WHAT=everything", "OVERLAY=cluster"), "there are admin-key, code-key, database-logins, backup-key, etcd-key")

	// Nothing changed since: nothing is renewed.
	newest := func() string {
		name, err := c.Kubectl(ctx, "", "get", "services.serving.knative.dev", "auth", "--namespace", cluster.Namespace, "--output", "jsonpath={.status.latestReadyRevisionName}")
		require.NoError(t, err)
		return name
	}
	before := newest()
	makes(ctx, t, c, "renew", "FN=auth", "OVERLAY=cluster")
	require.Equal(t, before, newest())
}

// arrive has people make accounts at every tick, until the rotation has ended and so many more have come.
func arrive(ctx context.Context, t *testing.T, c *cluster.Cluster, clock *time.Ticker, rotated <-chan error, afterward int) (all []*story.Person) {
	t.Helper()
	defer clock.Stop()
	for left := -1; left != 0; {
		p, err := story.Register(ctx, story.Patient(c.Phone)(), "New")
		require.NoError(t, err)
		all = append(all, p)
		if left > 0 {
			left--
		}
		select {
		case err := <-rotated:
			require.NoError(t, err)
			rotated, left = nil, afterward
		case <-clock.C:
		case <-ctx.Done():
			require.NoError(t, ctx.Err())
		}
	}
	return all
}

// TestLoginsRotate: the passwords with which functions sign in to the database change under load, and no request fails. Nobody is signed
// out; the former passwords open nothing in the end; make secrets with the old file leaves the new ones.
func TestLoginsRotate(t *testing.T) {
	ctx, c := within(t, 10*time.Minute)
	done, err := story.MainJob(ctx, c.Phone)
	require.NoError(t, err)
	address := func() string {
		encoded, err := c.Kubectl(ctx, "", "get", "secret/honeydue-tasks", "--namespace", cluster.Namespace, "--output", "jsonpath={.data.DATABASE_URL}")
		require.NoError(t, err)
		text, err := base64.StdEncoding.DecodeString(encoded)
		require.NoError(t, err)
		return string(text)
	}
	database, err := pgx.Connect(ctx, c.Postgres.URL(devserver.Owner, cluster.Database))
	require.NoError(t, err)
	defer func() { require.NoError(t, database.Close(ctx)) }()
	signsIn := func(address string) bool {
		u, err := url.Parse(address)
		require.NoError(t, err)
		var kept string
		require.NoError(t, database.QueryRow(ctx, `SELECT rolpassword FROM pg_authid WHERE rolname = $1 AND rolcanlogin`, u.User.Username()).Scan(&kept))
		password, _ := u.User.Password()
		return opens(t, password, kept)
	}
	former := address()
	require.True(t, signsIn(former))

	ended := make(chan error, 1)
	reading, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for reading.Err() == nil {
			if err := done.Owner.Read(ctx, "/api/tasks/", nil); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	makes(ctx, t, c, "rotate", "WHAT=database-logins", "OVERLAY=cluster")
	stop()
	require.NoError(t, <-ended, "a request failed while passwords changed")
	next := address()
	require.NotEqual(t, former, next)
	require.Contains(t, next, "honeydue_tasks_b:")
	require.True(t, signsIn(next))
	require.True(t, signsIn(former), "pods that end still use it")
	require.Contains(t, fails(ctx, t, c, "rotate", "WHAT=database-logins", "OVERLAY=cluster"), "may be in use until")

	note, err := c.Kubectl(ctx, "", "get", "secret/honeydue-database-logins", "--namespace", cluster.Namespace, "--output", `jsonpath={.metadata.annotations.myhoneydue\.com/rotation}`)
	require.NoError(t, err)
	fields := strings.Fields(note)
	require.Len(t, fields, 3, note)
	_, err = c.Kubectl(ctx, "", "annotate", "--overwrite", "--namespace", cluster.Namespace, "secret/honeydue-database-logins", "myhoneydue.com/rotation=used 2026-01-01T00:00:00Z "+fields[2])
	require.NoError(t, err)
	makes(ctx, t, c, "rotate", "WHAT=database-logins", "OVERLAY=cluster")
	require.False(t, signsIn(former), "nobody's")
	require.True(t, signsIn(next))
	require.NoError(t, done.Owner.Read(ctx, "/api/tasks/", nil), "nobody is signed out")
	require.NoError(t, c.Secrets(ctx))
	require.Equal(t, next, address(), "the old file does not bring the old password back")

	// What a provider made comes from a file, of which other lines change nothing.
	require.Contains(t, fails(ctx, t, c, "rotate", "WHAT=smtp", "OVERLAY=cluster"), "give ENV_FILE")
	file := filepath.Join(t.TempDir(), "new.env")
	require.NoError(t, os.WriteFile(file, []byte("honeydue-s3/S3_ACCESS_KEY=wrong\nhoneydue-smtp/SMTP_URL="+c.Mailbox.URL()+"?tls=none\n"), 0o600))
	said, err := c.Make(ctx, "rotate", "WHAT=smtp", "OVERLAY=cluster", "ENV_FILE="+file)
	require.NoError(t, err)
	require.Contains(t, said, "in use by notifications; revoke the old credential")
	require.NoError(t, os.WriteFile(file, []byte("honeydue-s3/S3_ACCESS_KEY=x\n"), 0o600))
	require.Contains(t, fails(ctx, t, c, "rotate", "WHAT=smtp", "OVERLAY=cluster", "ENV_FILE="+file), "has no line of Secret honeydue-smtp")

	// What functions do not read is changed where it is, and the rest of it stays.
	undo(t, func(ctx context.Context) { _, _ = c.Kubectl(ctx, "", "delete", "namespace", "backup", "--wait=false") })
	_, err = c.Kubectl(ctx, "", "create", "namespace", "backup")
	require.NoError(t, err)
	_, err = c.Kubectl(ctx, "", "create", "secret", "generic", "backup", "--namespace=backup", "--from-literal=S3_ACCESS_KEY=old", "--from-literal=S3_BUCKET=dumps")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, []byte("backup/S3_ACCESS_KEY=new\n"), 0o600))
	said, err = c.Make(ctx, "rotate", "WHAT=backup-key", "OVERLAY=cluster", "ENV_FILE="+file)
	require.NoError(t, err)
	require.Contains(t, said, "delete the old key at the provider")
	kept, err := c.Kubectl(ctx, "", "get", "secret/backup", "--namespace=backup", "--output", "jsonpath={.data.S3_ACCESS_KEY} {.data.S3_BUCKET}")
	require.NoError(t, err)
	require.Equal(t, "bmV3 ZHVtcHM=", kept)

	// The other way round, and so for ever.
	makes(ctx, t, c, "rotate", "WHAT=database-logins", "OVERLAY=cluster")
	require.Contains(t, address(), "honeydue_tasks:")
	require.True(t, signsIn(address()))
	require.NoError(t, done.Owner.Read(ctx, "/api/tasks/", nil))
}

// opens returns whether a password is the one of which PostgreSQL keeps kept, by RFC 5802: SCRAM-SHA-256$rounds:salt$stored:server. Nobody
// but pods may sign in with one here.
func opens(t *testing.T, password, kept string) bool {
	t.Helper()
	parts := strings.FieldsFunc(kept, func(r rune) bool { return r == '$' || r == ':' })
	require.Len(t, parts, 5)
	rounds, err := strconv.Atoi(parts[1])
	require.NoError(t, err)
	salt, err := base64.StdEncoding.DecodeString(parts[2])
	require.NoError(t, err)
	salted, err := pbkdf2.Key(sha256.New, password, salt, rounds, sha256.Size)
	require.NoError(t, err)
	mac := hmac.New(sha256.New, salted)
	mac.Write([]byte("Client Key"))
	stored := sha256.Sum256(mac.Sum(nil))
	return base64.StdEncoding.EncodeToString(stored[:]) == parts[3]
}
