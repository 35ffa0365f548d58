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
		event := ce.New()
		event.SetType(events.TypeOf(entry.Data))
		event.SetSource("/functions/" + entry.Source)
		var reached []string
		for _, f := range manifests.Functions {
			matching := 0
			for _, trigger := range f.Triggers {
				if !slices.ContainsFunc(trigger.Spec.Filters, func(filter broker.Filter) bool { return !filter.Matches(event) }) {
					matching++
				}
			}
			require.LessOrEqual(t, matching, 1, "%s comes to %s twice", event.Type(), f.Name)
			if matching == 1 {
				reached = append(reached, f.Name)
			}
		}
		require.ElementsMatch(t, entry.Consumers, reached, event.Type())
	}
}
