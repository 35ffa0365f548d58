package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCanaryRefusals(t *testing.T) {
	t.Parallel()
	all := revisions{ready("tasks-a", 1), ready("tasks-b", 2)}
	for _, latest := range []bool{true, false} { // false: after a rollback
		s, err := newCanary(live(traffic{"tasks-a", 100, latest}), all, 10)
		require.NoError(t, err)
		require.Equal(t, split{old: "tasks-a", percent: 10}, s)
	}
	_, err := newCanary(live(traffic{"tasks-a", 90, false}, traffic{"tasks-b", 10, true}), all, 20)
	require.ErrorContains(t, err, "10 % of tasks's traffic go to its newest revision already")
	_, err = newCanary(live(traffic{"tasks-a", 90, false}, traffic{"tasks-a", 10, true}), all, 20)
	require.Error(t, err, "also while the new one is not ready")
	_, err = newCanary(live(), all, 20)
	require.ErrorContains(t, err, "no revision of tasks has all traffic")
	_, err = newCanary(live(traffic{"tasks-a", 100, true}), revisions{failed("tasks-a", 1)}, 20)
	require.ErrorContains(t, err, "canary: revision tasks-a is not ready")
	require.ErrorContains(t, err, "make deploy FN=tasks")

	f := documents(t, workloads)[0]
	require.NoError(t, nameRevision(f, &settings{}))
	require.ErrorContains(t, split{old: revisionOf(f), percent: 10}.refuse(f), "nothing changed")
	require.ErrorContains(t, split{old: revisionOf(f) + "-2", percent: 10}.refuse(f), "nothing changed")
	require.NoError(t, split{old: "tasks-a", percent: 10}.refuse(f))
	require.NoError(t, split{}.refuse(f), "a deploy without changes is not an error")
}

func TestDeployDuringCanary(t *testing.T) {
	t.Parallel()
	under := live(traffic{"tasks-a", 90, false}, traffic{"tasks-b", 10, true})
	under.Status.LatestCreatedRevisionName = "tasks-b"
	for _, all := range []revisions{
		{ready("tasks-a", 1), ready("tasks-b", 2)},
		{ready("tasks-a", 1), failed("tasks-b", 2)},
		{failed("tasks-a", 1), ready("tasks-b", 2)},
	} {
		err := refuseDeploy(under, all)
		require.ErrorContains(t, err, "make promote FN=tasks or make rollback FN=tasks")
	}
	require.NoError(t, refuseDeploy(under, revisions{failed("tasks-a", 1), failed("tasks-b", 2)}), "nothing else ends it")
	for _, latest := range []bool{true, false} {
		require.NoError(t, refuseDeploy(live(traffic{"tasks-a", 100, latest}), revisions{ready("tasks-a", 1)}))
	}
}

func TestPromotable(t *testing.T) {
	t.Parallel()
	under := live(traffic{"tasks-a", 90, false}, traffic{"tasks-b", 10, true})
	under.Status.LatestCreatedRevisionName = "tasks-b"
	canary, err := promotable(under, revisions{failed("tasks-a", 1), ready("tasks-b", 2)})
	require.NoError(t, err, "whatever became of the old one")
	require.Equal(t, split{old: "tasks-a", percent: 10}, canary)
	_, err = promotable(under, revisions{ready("tasks-a", 1), failed("tasks-b", 2)})
	require.ErrorContains(t, err, "tasks-b is not ready")
	_, err = promotable(live(traffic{"tasks-a", 100, true}), revisions{ready("tasks-a", 1)})
	require.ErrorContains(t, err, "no canary of tasks is under way")
}

func TestBack(t *testing.T) {
	t.Parallel()
	all := revisions{ready("tasks-a", 1), ready("tasks-b", 2), ready("tasks-c", 3), failed("tasks-d", 4)}

	to, note, err := back(live(traffic{"tasks-b", 90, false}, traffic{"tasks-c", 10, true}), all)
	require.NoError(t, err)
	require.Equal(t, split{old: "tasks-b"}, to)
	require.Nil(t, note, "what served before is what it was before the canary")

	noted := live(traffic{"tasks-c", 100, true})
	noted.Annotations = map[string]string{servedBefore: "tasks-a"}
	to, note, err = back(noted, all)
	require.NoError(t, err)
	require.Equal(t, split{old: "tasks-a"}, to, "tasks-b was a canary that was rolled back")
	require.Equal(t, map[string]any{servedBefore: nil}, note)

	to, note, err = back(live(traffic{"tasks-c", 100, true}), all)
	require.NoError(t, err)
	require.Equal(t, split{old: "tasks-b"}, to, "nothing is noted, so it is the one before")
	require.Equal(t, noteBefore(""), note)

	noted.Annotations[servedBefore] = "tasks-d"
	_, _, err = back(noted, all)
	require.ErrorContains(t, err, "tasks-d is not ready")
	require.ErrorContains(t, err, "make deploy FN=tasks")
	_, _, err = back(live(traffic{"tasks-d", 90, false}, traffic{"tasks-c", 10, true}), all)
	require.ErrorContains(t, err, "make promote FN=tasks")
}
