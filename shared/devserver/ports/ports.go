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
)

// The ports that are chosen among: by default no system takes them for outgoing connections (Linux begins at 32768, RFC 6335 at
// 49152), nor Kubernetes for its NodePorts (from 30000 on).
const lowest, highest = 10000, 29999

// tries is how many ports are tried before there is said to be none.
const tries = 100

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
		return config.Listen(ctx, "tcp", address)
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
