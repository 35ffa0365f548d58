package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWaiting(t *testing.T) {
	t.Parallel()
	begun := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	state := func(name, status string, observed int) *object {
		return documents(t, fmt.Sprintf(`
{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: %s, generation: 2},
 status: {observedGeneration: %d, conditions: [{type: Ready, status: "%s", reason: Because, message: of this}]}}`, name, observed, status))[0]
	}
	w := waiting{condition: "Ready", functions: []string{"auth", "tasks"}, failed: map[string]time.Time{}, last: map[string]string{}}
	see := func(o *object, after time.Duration) string {
		ready, err := w.see(o, begun.Add(after))
		require.NoError(t, err)
		return ready
	}
	require.Empty(t, see(state("tasks", "True", 1), 0), "an older generation says nothing of this one")
	require.Empty(t, see(state("other", "True", 2), 0))
	require.Empty(t, see(state("tasks", "False", 2), 0))
	require.Empty(t, see(state("tasks", "Unknown", 2), 14*time.Second), "it was false for a moment only")
	require.Empty(t, see(nil, 60*time.Second))
	require.Equal(t, "auth", see(state("auth", "True", 2), 60*time.Second))
	require.Empty(t, see(state("tasks", "False", 2), 60*time.Second))
	require.Empty(t, see(state("tasks", "False", 2), 70*time.Second))
	_, err := w.see(nil, begun.Add(75*time.Second))
	require.ErrorContains(t, err, "tasks")
	require.Equal(t, "tasks: Ready is False Because of this", w.explain())
}
