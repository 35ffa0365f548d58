// Package ports finds TCP ports for servers that are stopped and started again on the same one. The kernel's own choice would not
// do: while such a server is down, its port is given to the next outgoing connection.
package ports

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"
	"time"
)

// The ports that are chosen among: by default no system takes them for outgoing connections (Linux begins at 32768, RFC 6335 at
// 49152), nor Kubernetes for its NodePorts (from 30000 on).
const lowest, highest = 10000, 29999

// tries is how many ports are tried before there is said to be none.
const tries = 100

// How long a port may be in use that was given up a moment ago, and the pause before it is tried again.
const (
	patience = 2 * time.Second
	pause    = 5 * time.Millisecond
)

// Again calls listen, and calls it again for a while when the port is in use: a child that was forked and has not become its program
// yet holds all that this process listens on, also what is closed meanwhile.
func Again(ctx context.Context, listen func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := listen()
		if !errors.Is(err, syscall.EADDRINUSE) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// Free returns a port of the loopback address that nobody listened on a moment ago.
func Free(ctx context.Context) (int, error) {
	listener, err := Listen(ctx, "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	if err := listener.Close(); err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// Listen listens on host:port; port 0 is a free one, which no outgoing connection takes while its listener is closed.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	var config net.ListenConfig
	if port != "0" {
		var listener net.Listener
		err := Again(ctx, func() (err error) {
			listener, err = config.Listen(ctx, "tcp", address)
			return err
		})
		return listener, err
	}
	for range tries {
		var listener net.Listener
		port := lowest + rand.IntN(highest-lowest+1)
		listener, err = config.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if !errors.Is(err, syscall.EADDRINUSE) {
			return listener, err
		}
	}
	return nil, fmt.Errorf("find a free port: %w", err)
}
