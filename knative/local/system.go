package local

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/honeydue/backend/knative/broker"
	"github.com/honeydue/backend/knative/local/mailbox"
)

// Stop ends everything in an orderly way: what was asked is answered, what is on its way is delivered, programs
// and servers end. It leaves no process behind, and the data in its folder. Further calls return the same.
func (s *System) Stop() error {
	s.once.Do(func() {
		var errs []error
		for _, closer := range slices.Backward(s.closers) {
			ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
			errs = append(errs, closer(ctx))
			cancel()
		}
		s.stopErr = errors.Join(errs...)
	})
	return s.stopErr
}

// Mailbox is where all mails end up.
func (s *System) Mailbox() *mailbox.Mailbox { return s.mailbox }

// Kill ends a function's processes at once, as a crash would, and reports whether any ran. The next request or
// event starts another.
func (s *System) Kill(name string) bool {
	f := s.function(name)
	return f != nil && f.kill()
}

// StopBroker takes the Broker away, with all events that it holds: publishing to it is refused.
func (s *System) StopBroker() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.bus.stop(ctx) // says only that events were given up
}

// StartBroker brings an empty Broker back at the same address.
func (s *System) StartBroker() error { return s.bus.start() }

// Fire makes a schedule fire now; the error is schedule.ErrUnknown for a name that none has.
func (s *System) Fire(ctx context.Context, name string) error {
	return s.scheduler.Fire(ctx, name)
}

func (s *System) function(name string) *function {
	i := slices.IndexFunc(s.functions, func(f *function) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return s.functions[i]
}

// startKept starts what is to run even when idle.
func (s *System) startKept() error {
	for _, f := range s.functions {
		if f.MinScale == 0 {
			continue
		}
		if _, err := f.get(); err != nil {
			return fmt.Errorf("function %s: %w", f.Name, err)
		}
	}
	return nil
}

func (s *System) stopFunctions(ctx context.Context) error {
	var all sync.WaitGroup
	for _, f := range s.functions {
		all.Go(func() { f.stop(ctx) })
	}
	all.Wait()
	return nil
}

// listenInside gives every function an address for events, where a cluster has cluster-local names. It returns
// what ends it.
func (s *System) listenInside() (func(context.Context) error, error) {
	mux := http.NewServeMux()
	for _, f := range s.functions {
		mux.Handle("/"+f.Name+"/", http.StripPrefix("/"+f.Name, f.handler()))
	}
	server, address, err := serve(loopback+":0", mux, s.log)
	if err != nil {
		return nil, err
	}
	s.inside.Store(&address)
	return server.Shutdown, nil
}

// resolve finds the address of a function for the Broker.
func (s *System) resolve(_ context.Context, ref broker.Ref) (string, error) {
	address := s.inside.Load()
	if address == nil || s.function(ref.Name) == nil {
		return "", fmt.Errorf("no function %s takes events", ref.Name)
	}
	return "http://" + *address + "/" + ref.Name + "/", nil
}
