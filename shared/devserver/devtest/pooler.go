package devtest

import (
	"context"
	"testing"

	"github.com/honeydue/backend/shared/devserver"
)

// NewPooler starts a PgBouncer in front of the servers' PostgreSQL for one test alone, and again whenever it ends: PgBouncer 1.18,
// which Debian has, ends itself when clients that give up and cancel come in numbers. It is for tests which make them do so,
// and ends with the test.
func (s *Servers) NewPooler(t testing.TB) *devserver.PgBouncer {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	pooler, err := devserver.StartPgBouncer(ctx, devserver.Options{Dir: TempDir(t)}, s.Postgres)
	if err != nil {
		t.Fatalf("start pooler of test: %v", err)
	}
	watched := make(chan error, 1)
	go func() {
		for {
			select {
			case <-ctx.Done():
				watched <- pooler.Stop(context.WithoutCancel(ctx))
				return
			case <-pooler.Ended():
			}
			t.Log("the pooler ended by itself and is started again")
			if err := pooler.Start(ctx); err != nil && ctx.Err() == nil {
				watched <- err
				return
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-watched; err != nil {
			t.Errorf("run pooler of test: %v", err)
		}
	})
	return pooler
}
