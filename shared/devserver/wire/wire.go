// Package wire stands between a function and PostgreSQL and counts what passes: statements, and network round
// trips, which are what a distant database makes expensive.
package wire

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// A Counter is a TCP proxy that reads the frontend's half of the PostgreSQL protocol as it forwards it.
type Counter struct {
	listener   net.Listener
	target     atomic.Pointer[string]
	statements atomic.Int64
	roundTrips atomic.Int64
	group      sync.WaitGroup
}

// Counts are what passed since the counter began.
type Counts struct{ Statements, RoundTrips int64 }

// Sub returns what passed since earlier.
func (c Counts) Sub(earlier Counts) Counts {
	return Counts{c.Statements - earlier.Statements, c.RoundTrips - earlier.RoundTrips}
}

// Listen starts a counter on loopback. Until [Counter.To] says where the server is, connections are closed.
func Listen(ctx context.Context) (*Counter, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	c := &Counter{listener: listener}
	c.group.Go(func() { c.accept(ctx) })
	return c, nil
}

// To says at which host and port the server is.
func (c *Counter) To(target string) { c.target.Store(&target) }

// Addr is the host and port to connect to instead of the target.
func (c *Counter) Addr() string { return c.listener.Addr().String() }

// Counts returns what has passed so far.
func (c *Counter) Counts() Counts { return Counts{c.statements.Load(), c.roundTrips.Load()} }

// Close ends the counter; connections end with their clients.
func (c *Counter) Close() error { return c.listener.Close() }

func (c *Counter) accept(ctx context.Context) {
	for {
		client, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.group.Go(func() {
			defer func() { _ = client.Close() }()
			target := c.target.Load()
			if target == nil {
				return
			}
			server, err := (&net.Dialer{}).DialContext(ctx, "tcp", *target)
			if err != nil {
				return
			}
			defer func() { _ = server.Close() }()
			go func() {
				_, _ = io.Copy(client, server)
				_ = client.Close()
			}()
			_ = c.forward(server, bufio.NewReader(client))
		})
	}
}

// Codes of the requests that come before a startup message: for TLS, for GSS encryption.
const (
	tlsRequest = 80877103
	gssRequest = 80877104
)

// forward copies messages to server and counts them, until the client ends.
func (c *Counter) forward(server io.Writer, client *bufio.Reader) error {
	for started := false; !started; {
		body, err := c.pass(server, client, nil)
		if err != nil {
			return err
		}
		code := binary.BigEndian.Uint32(body)
		started = code != tlsRequest && code != gssRequest
	}
	for {
		kind, err := client.ReadByte()
		if err != nil {
			return err
		}
		switch kind {
		case 'Q':
			c.statements.Add(1)
			c.roundTrips.Add(1)
		case 'E':
			c.statements.Add(1)
		case 'S':
			c.roundTrips.Add(1)
		}
		if _, err := c.pass(server, client, []byte{kind}); err != nil {
			return err
		}
	}
}

// pass forwards one message behind head and returns its body.
func (c *Counter) pass(server io.Writer, client *bufio.Reader, head []byte) ([]byte, error) {
	const longest = 64 << 20
	var size [4]byte
	if _, err := io.ReadFull(client, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n < 4 || n > longest {
		return nil, errors.New("not a PostgreSQL message")
	}
	body := make([]byte, n-4)
	if _, err := io.ReadFull(client, body); err != nil {
		return nil, err
	}
	message := append(append(head, size[:]...), body...)
	_, err := server.Write(message)
	return body, err
}
