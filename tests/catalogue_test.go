package tests

import (
	"slices"
	"testing"

	ce "github.com/cloudevents/sdk-go/v2/event"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/knative"
	"github.com/honeydue/backend/knative/broker"
)

// TestTriggersCoverTheCatalogue: an event reaches exactly the functions that the catalogue names for it.
func TestTriggersCoverTheCatalogue(t *testing.T) {
	t.Parallel()
	manifests, err := knative.Read()
	require.NoError(t, err)
	for _, entry := range events.Catalogue() {
		for _, source := range entry.Sources {
			event := ce.New()
			event.SetType(events.TypeOf(entry.Data))
			event.SetSource("/functions/" + source)
			require.ElementsMatch(t, entry.Consumers, reached(t, manifests, event), "%s of %s", event.Type(), source)
		}
	}
}

// reached returns the functions that one Trigger each brings the event to.
func reached(t *testing.T, manifests *knative.Manifests, event ce.Event) []string {
	t.Helper()
	var functions []string
	for _, f := range manifests.Functions {
		matching := 0
		for _, trigger := range f.Triggers {
			if !slices.ContainsFunc(trigger.Spec.Filters, func(filter broker.Filter) bool { return !filter.Matches(event) }) {
				matching++
			}
		}
		require.LessOrEqual(t, matching, 1, "%s comes to %s twice", event.Type(), f.Name)
		if matching == 1 {
			functions = append(functions, f.Name)
		}
	}
	return functions
}
