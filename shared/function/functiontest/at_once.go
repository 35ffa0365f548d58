package functiontest

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// AtOnce makes all calls at the same moment and returns their statuses.
func AtOnce[C any](t testing.TB, calls []C, try func(C) (Response, error)) []int {
	t.Helper()
	statuses, errs := make([]int, len(calls)), make([]error, len(calls))
	var begin, ended sync.WaitGroup
	begin.Add(1)
	for i, c := range calls {
		ended.Go(func() {
			begin.Wait()
			var r Response
			r, errs[i] = try(c)
			statuses[i] = r.Status
		})
	}
	begin.Done()
	ended.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	return statuses
}
