package push

import (
	"io"
	"net"
	"time"

	"golang.org/x/net/http2"
)

// departing hands on every connection but those that end with GOAWAY.
type departing struct {
	net.Listener
	double *Double
}

// Accept returns the next connection that is to be served.
func (l *departing) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		leaves, processed := l.double.leaves()
		if !leaves {
			return conn, nil
		}
		l.double.handling.Go(func() { leave(conn, processed) })
	}
}

// leaves returns whether the connection that came just now is to end.
func (d *Double) leaves() (leaves, processed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.orders.goAways == 0 {
		return false, false
	}
	d.orders.goAways--
	return true, d.orders.processed
}

// leave reads one request and says GOAWAY instead of an answer.
func leave(conn net.Conn, processed bool) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(readHeaderTimeout))
	if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	framer := http2.NewFramer(conn, conn)
	if err := framer.WriteSettings(); err != nil {
		return
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return // the client has closed
		}
		data, ok := frame.(*http2.DataFrame)
		if !ok || !data.StreamEnded() {
			continue
		}
		last := uint32(0)
		if processed {
			last = data.StreamID
		}
		err = framer.WriteGoAway(last, http2.ErrCodeNo, []byte(`{"reason":"Shutdown"}`))
		if err != nil || processed {
			return
		}
	}
}
