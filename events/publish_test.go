package events

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A broker that is replaced closes connections on which an event has just been sent.
func TestPublishOverAConnectionThatCloses(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	answers := []int{1, 1} // that each connection gets before it closes unanswered
	var ids []string
	var broker sync.WaitGroup
	broker.Go(func() {
		for _, n := range answers {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			ids = append(ids, answer(conn, n)...)
		}
	})
	p := NewPublisher("http://" + listener.Addr().String())
	e, err := New("auth", UserRegistered{UserID: 1}, time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	require.NoError(t, p.Publish(t.Context(), e))
	require.NoError(t, p.Publish(t.Context(), e), "on the connection that closes, and then on another one")
	p.Client.CloseIdleConnections()
	require.NoError(t, listener.Close())
	broker.Wait()
	require.Equal(t, []string{e.ID.String(), e.ID.String(), e.ID.String()}, ids)
}

// answer takes so many requests on conn, reads one more if there is any, closes it, and returns the ids of all events.
func answer(conn net.Conn, n int) (ids []string) {
	defer func() { _ = conn.Close() }()
	for from := bufio.NewReader(conn); ; n-- {
		req, err := http.ReadRequest(from)
		if err != nil {
			return ids
		}
		_, _ = io.Copy(io.Discard, req.Body)
		ids = append(ids, req.Header.Get("Ce-Id"))
		if _, sent := req.Header["Idempotency-Key"]; sent || n == 0 {
			return ids
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
	}
}
