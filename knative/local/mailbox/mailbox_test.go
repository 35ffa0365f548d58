package mailbox_test

import (
	"context"
	"errors"
	"log/slog"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/local/mailbox"
)

const multipart = "From: =?utf-8?q?honeyDue_=F0=9F=8F=A0?= <hello@example.org>\r\n" +
	"To: bea@example.org\r\n" +
	"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n" +
	"Message-ID: <1@example.org>\r\n" +
	"List-Unsubscribe: <https://example.org/u>\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: multipart/alternative; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
	"Caf=E9\r\n.\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
	"PHA+Y2Fmw6k8L3A+\r\n--b--\r\n"

type bundle struct {
	dir string
	box *mailbox.Mailbox
}

func setup(t *testing.T) bundle {
	t.Helper()
	b := bundle{dir: t.TempDir()}
	b.box = open(t, b.dir)
	require.NoError(t, b.box.Start())
	t.Cleanup(b.box.Stop)
	return b
}

func open(t *testing.T, dir string) *mailbox.Mailbox {
	t.Helper()
	box, err := mailbox.Open(dir, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return box
}

func (b bundle) send(content string, to ...string) error {
	return smtp.SendMail(strings.TrimPrefix(b.box.URL(), "smtp://"), nil, "bounce@example.org", to, []byte(content))
}

func TestKeepsAMessageAsItsReaderSeesIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before := time.Now()
	require.NoError(t, b.send(multipart, "bea@example.org", "abe@example.org"))
	got := b.box.Messages()
	require.Len(t, got, 1)
	m := got[0]
	require.Equal(t, "honeyDue 🏠 <hello@example.org>", m.From)
	require.Equal(t, []string{"bea@example.org", "abe@example.org"}, m.To)
	require.Equal(t, "Grüße", m.Subject)
	require.Equal(t, "Café\r\n.", m.Text)
	require.Equal(t, "<p>café</p>", m.HTML)
	require.Equal(t, "<1@example.org>", m.Headers["Message-Id"])
	require.Equal(t, "<https://example.org/u>", m.Headers["List-Unsubscribe"])
	require.NotContains(t, m.Headers, "Delivered-To")
	require.WithinRange(t, m.At, before.Add(-time.Second), time.Now().Add(time.Second))
}

func TestReadsItsFolderAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, b.send(multipart, "bea@example.org"))
	require.NoError(t, b.send("Subject: two\r\n\r\nsecond\r\n", "abe@example.org"))
	b.box.Stop()
	require.Equal(t, b.box.Messages(), open(t, b.dir).Messages())
	files, err := filepath.Glob(filepath.Join(b.dir, "*"))
	require.NoError(t, err)
	require.Len(t, files, 2)
	content, err := os.ReadFile(files[0])
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(string(content), multipart))
}

func TestNewestFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, subject := range []string{"one", "two", "three"} {
		require.NoError(t, b.send("Subject: "+subject+"\r\n\r\n.\r\n", "bea@example.org"))
	}
	var got []string
	for _, m := range b.box.Messages() {
		got = append(got, m.Subject)
	}
	require.Equal(t, []string{"three", "two", "one"}, got)
}

func TestRefusedMessagesAreNotKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.box.Refuse(func(_ string, to []string) error {
		if to[0] == "full@example.org" {
			return errors.New("mailbox full")
		}
		return nil
	})
	require.ErrorContains(t, b.send(multipart, "full@example.org"), "451")
	require.NoError(t, b.send(multipart, "bea@example.org"))
	require.Len(t, b.box.Messages(), 1)
}

func TestOnAcceptRunsBeforeTheSenderKnows(t *testing.T) {
	t.Parallel()
	b := setup(t)
	accepted, release, sent := make(chan mailbox.Message), make(chan struct{}), make(chan error, 1)
	b.box.OnAccept(func(m mailbox.Message) { accepted <- m; <-release })
	go func() { sent <- b.send(multipart, "bea@example.org") }()
	require.Equal(t, "Grüße", (<-accepted).Subject)
	require.Len(t, b.box.Messages(), 1)
	require.Empty(t, sent)
	close(release)
	require.NoError(t, <-sent)
}

func TestWait(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	sent := make(chan error, 1)
	go func() {
		err := b.send("Subject: other\r\n\r\n.\r\n", "bea@example.org")
		if err == nil {
			err = b.send(multipart, "bea@example.org")
		}
		sent <- err
	}()
	m, err := b.box.Wait(ctx, func(m mailbox.Message) bool { return m.Subject == "Grüße" })
	require.NoError(t, err)
	require.Equal(t, "Grüße", m.Subject)
	require.NoError(t, <-sent)
	cancel()
	_, err = b.box.Wait(ctx, func(mailbox.Message) bool { return false })
	require.ErrorIs(t, err, context.Canceled)
}

func TestStopAndStartOnTheSamePort(t *testing.T) {
	t.Parallel()
	b := setup(t)
	url := b.box.URL()
	b.box.Stop()
	require.Error(t, b.send(multipart, "bea@example.org"))
	require.NoError(t, b.box.Start())
	require.Equal(t, url, b.box.URL())
	require.NoError(t, b.send(multipart, "bea@example.org"))
}

func TestListensWhereItIsTold(t *testing.T) {
	t.Parallel()
	box := open(t, t.TempDir())
	box.ListenOn("127.0.0.2:0")
	require.NoError(t, box.Start())
	t.Cleanup(box.Stop)
	b := bundle{box: box}
	url := box.URL()
	require.Regexp(t, `^smtp://127\.0\.0\.2:\d+$`, url)
	require.NoError(t, b.send(multipart, "bea@example.org"))
	box.Stop()
	require.NoError(t, box.Start())
	require.Equal(t, url, box.URL())

	other := open(t, t.TempDir())
	other.ListenOn(strings.TrimPrefix(url, "smtp://"))
	require.Error(t, other.Start())
}

func TestBrokenMessagesAreKeptToo(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"no header":        "just text\r\n",
		"no body":          "Subject: a\r\n",
		"broken multipart": "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhalf",
		"broken type":      "Content-Type: ;;\r\n\r\nbody\r\n",
		"unknown charset":  "Content-Type: text/plain; charset=x-none\r\n\r\nbody\r\n",
		"bytes":            "Subject: \xff\xfe\r\n\r\n\x00\xff\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			require.NoError(t, b.send(content, "bea@example.org"))
			require.Len(t, b.box.Messages(), 1)
			require.Equal(t, []string{"bea@example.org"}, b.box.Messages()[0].To)
		})
	}
}
