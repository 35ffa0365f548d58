package mailbox

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Whatever arrives is read without harm, and its envelope is never lost.
func FuzzParse(f *testing.F) {
	f.Add("Subject: =?utf-8?q?Gr=C3=BC?=\r\nContent-Type: text/html\r\n\r\n<p>x</p>")
	f.Add("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%")
	f.Add("From: <\r\nFrom: >\r\nContent-Type: ;\r\n\r\n")
	f.Fuzz(func(t *testing.T, content string) {
		to := []string{"b@example.org", "c@example.org"}
		at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
		m := parse(newID(at, 1), slices.Concat(trace("f@example.org", to), []byte("X: y\r\n"+content)))
		require.True(t, at.Equal(m.At))
		require.Equal(t, to, m.To)
	})
}
