//go:build k3s

package firewall

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// inNamespace runs f in a network namespace. Its thread is not given back to Go, which would run others in there.
func inNamespace(path string, f func() error) error {
	runtime.LockOSThread() // never unlocked: the thread ends with its goroutine
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("enter namespace: %w", err)
	}
	defer func() { _ = file.Close() }()
	if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter namespace: %w", err)
	}
	return f()
}

// knockAt sends a SYN and a datagram to every port of an address. Nobody waits for answers.
func knockAt(source, at netip.Addr) error {
	datagrams, err := socket(unix.SOCK_DGRAM, source)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(datagrams) }()
	const last = 65535
	for port := 1; port <= last; port++ {
		to := &unix.SockaddrInet4{Port: port, Addr: at.As4()}
		if err := send(datagrams, to); err != nil {
			return fmt.Errorf("send to port %d: %w", port, err)
		}
		conn, err := socket(unix.SOCK_STREAM, source)
		if err != nil {
			return err
		}
		err = unix.Connect(conn, to)
		_ = unix.Close(conn)
		if err != nil && !errors.Is(err, unix.EINPROGRESS) && !errors.Is(err, unix.ECONNREFUSED) {
			return fmt.Errorf("knock at port %d: %w", port, err)
		}
	}
	return nil
}

func socket(kind int, source netip.Addr) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("open socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: source.As4()}); err != nil {
		return 0, errors.Join(fmt.Errorf("bind socket: %w", err), unix.Close(fd))
	}
	return fd, nil
}

// send tries again where the socket says that an earlier datagram was refused, or that its buffer is full.
func send(fd int, to *unix.SockaddrInet4) error {
	const tries = 1000
	var err error
	for range tries {
		err = unix.Sendto(fd, make([]byte, 8), 0, to)
		if !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, unix.EAGAIN) {
			return err
		}
		runtime.Gosched()
	}
	return err
}
