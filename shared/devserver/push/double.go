// Package push is what phones' pushes go through, APNs and FCM, on this machine and for tests: it checks what they check,
// delivers nothing, keeps what it took and shows it. It can be told to answer anything.
package push

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/honeydue/backend/shared/devserver/ports"
)

const readHeaderTimeout = 10 * time.Second

// A Double is both providers at one address, without TLS. Its methods may be called at the same time.
type Double struct {
	credentials *Credentials
	log         *slog.Logger
	handling    sync.WaitGroup

	mu       sync.Mutex
	clock    func() time.Time
	pushes   []Push // oldest first
	changed  chan struct{}
	orders   orders
	requests map[string]int       // by device token, refused ones too
	tokens   map[string]bool      // provider tokens that APNs has seen
	bearers  map[string]time.Time // of FCM: until when each is good
	grants   int
	address  string
	server   *http.Server
	serving  chan struct{}
}

// New makes a double that knows c. It takes nothing until it is started.
func New(c *Credentials, log *slog.Logger) *Double {
	return &Double{
		credentials: c, log: log, clock: time.Now, changed: make(chan struct{}), address: "127.0.0.1:0",
		orders: orders{always: map[string]Answer{}}, requests: map[string]int{}, tokens: map[string]bool{}, bearers: map[string]time.Time{},
	}
}

// ListenOn makes the next Start listen on host:port, where port 0 is a free one.
func (d *Double) ListenOn(address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.address = address
}

// Start begins to listen on a free port of the loopback address, or where ListenOn said, and after a Stop on the same one
// again.
func (d *Double) Start() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.server != nil {
		return nil
	}
	listener, err := ports.Listen(context.Background(), d.address)
	if err != nil {
		return fmt.Errorf("listen for pushes: %w", err)
	}
	server := &http.Server{
		Handler: d.handler(), ReadHeaderTimeout: readHeaderTimeout, Protocols: new(http.Protocols),
		ErrorLog: slog.NewLogLogger(d.log.Handler(), slog.LevelDebug),
	}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	serving := make(chan struct{})
	go func() {
		defer close(serving)
		if err := server.Serve(&departing{Listener: listener, double: d}); err != nil && !errors.Is(err, http.ErrServerClosed) {
			d.log.Error("push server ended", "error", err)
		}
	}()
	d.address, d.server, d.serving = listener.Addr().String(), server, serving
	return nil
}

// Stop ends listening and every request under way. What was taken stays.
func (d *Double) Stop() {
	d.mu.Lock()
	server, serving := d.server, d.serving
	d.server = nil
	d.mu.Unlock()
	if server == nil {
		return
	}
	_ = server.Close() // may say only that something is closed already
	<-serving
	_ = server.Close() // for what was accepted meanwhile
	d.handling.Wait()
}

// URL returns the address of both, as http://host:port, once it has been started.
func (d *Double) URL() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return "http://" + d.address
}

// SetClock makes the double believe another time.
func (d *Double) SetClock(clock func() time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clock = clock
}

func (d *Double) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.clock()
}

// Pushes returns all that were taken, newest first.
func (d *Double) Pushes() []Push {
	d.mu.Lock()
	defer d.mu.Unlock()
	pushes := append([]Push{}, d.pushes...)
	slices.Reverse(pushes)
	return pushes
}

// Requests returns how many pushes to a device were asked for, those that were refused too.
func (d *Double) Requests(deviceToken string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.requests[deviceToken]
}

// ProviderTokens returns how many different tokens APNs was shown.
func (d *Double) ProviderTokens() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.tokens)
}

// Grants returns how many OAuth bearers FCM's senders were given.
func (d *Double) Grants() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.grants
}

// Wait returns the first push that matches, as soon as there is one.
func (d *Double) Wait(ctx context.Context, match func(Push) bool) (Push, error) {
	for seen := 0; ; {
		d.mu.Lock()
		unseen, changed := d.pushes[seen:], d.changed
		seen = len(d.pushes)
		d.mu.Unlock()
		if i := slices.IndexFunc(unseen, match); i >= 0 {
			return unseen[i], nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Push{}, fmt.Errorf("wait for push: %w", ctx.Err())
		}
	}
}

// handler counts what is under way, so that Stop can wait for it.
func (d *Double) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/3/device/{token}", d.serveAPNs)
	mux.HandleFunc("POST "+tokenPath, d.serveGrant)
	mux.HandleFunc("POST /v1/projects/{project}/messages:send", d.serveFCM)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.handling.Add(1)
		defer d.handling.Done()
		mux.ServeHTTP(w, r)
	})
}
