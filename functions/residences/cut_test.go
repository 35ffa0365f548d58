package main

import (
	"flag"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
)

// cutSeed is go test -cutseed: the cuts of an earlier run again.
var cutSeed = flag.Uint64("cutseed", 0, "draw the cuts of TestCommitsThatAreCut from this seed")

// TestCommitsThatAreCut: whatever becomes of the connection to PostgreSQL, everything is there once, with one answer.
func TestCommitsThatAreCut(t *testing.T) {
	t.Parallel()
	const each = 34
	b := people(t, functiontest.Start(t, "residences", handlers))
	var plots []functiontest.Plot
	for i := range each {
		plots = append(plots, b.homePlot(t, i), b.joinPlot(t, i), b.contractorPlot(t, i))
	}
	functiontest.CheckCuts(t, b.Server, "residences", handlers, plots, *cutSeed)
	require.Equal(t, map[string]int{
		"home: 1 home, 0 contractors, 0 events":      each,
		"join: 1 home, 0 contractors, 1 event":       each,
		"contractor: 1 home, 1 contractor, 0 events": each,
	}, b.cutPeople(t), "something is there twice, or not at all")
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM residence_share_code`), "a code was not used up")
}

// homePlot is somebody who makes a home.
func (b *bundle) homePlot(t *testing.T, i int) functiontest.Plot {
	t.Helper()
	p := b.Person(t, fmt.Sprintf("home-%d", i))
	return functiontest.Plot{
		Name: "home", Person: p.ID, Token: p.Token, Path: all, Body: map[string]any{"name": "Hut", "residence_type": "cabin"}, Shown: all,
	}
}

// joinPlot is somebody who has the code of a home.
func (b *bundle) joinPlot(t *testing.T, i int) functiontest.Plot {
	t.Helper()
	p := b.Person(t, fmt.Sprintf("join-%d", i))
	into := bundle{Server: b.Server, owner: b.owner, home: b.Home(t, b.owner)}
	return functiontest.Plot{
		Name: "join", Person: p.ID, Token: p.Token, Path: all + "join/", Body: map[string]any{"code": into.share(t)}, Shown: all, Home: into.home,
	}
}

// contractorPlot is a member who takes down a contractor.
func (b *bundle) contractorPlot(t *testing.T, i int) functiontest.Plot {
	t.Helper()
	p := b.Person(t, fmt.Sprintf("contractor-%d", i))
	at := b.Home(t, b.owner)
	b.Join(t, at, p, home.Member)
	return functiontest.Plot{
		Name: "contractor", Person: p.ID, Token: p.Token, Path: "/api/contractors/", Shown: "/api/contractors/", Home: at,
		Body: map[string]any{"residence_id": at, "name": "Joan Marsh", "specialty_ids": []int64{9, 14}},
	}
}

// cutPeople counts the people of each plot by what they have.
func (b *bundle) cutPeople(t *testing.T) map[string]int {
	t.Helper()
	return functiontest.Value[map[string]int](t, b.Server, `
		WITH home AS (SELECT user_id, count(*) AS n FROM residence_member GROUP BY 1),
		    contractor AS (SELECT created_by_id AS user_id, count(*) AS n FROM residence_contractor c
		        WHERE (SELECT count(*) FROM residence_contractor_specialty s WHERE s.contractor_id = c.id) = 2 GROUP BY 1),
		    event AS (SELECT (data->>'user_id')::bigint AS user_id, count(*) AS n FROM outbox_event e JOIN outbox_delivery d ON d.event_id = e.id GROUP BY 1),
		    person AS (SELECT format('%s: %s %s, %s %s, %s %s', split_part(first_name, '-', 1),
		            coalesce(h.n, 0), CASE h.n WHEN 1 THEN 'home' ELSE 'homes' END,
		            coalesce(c.n, 0), CASE c.n WHEN 1 THEN 'contractor' ELSE 'contractors' END,
		            coalesce(e.n, 0), CASE e.n WHEN 1 THEN 'event' ELSE 'events' END) AS state, count(*) AS n
		        FROM auth_user u LEFT JOIN home h ON h.user_id = u.id LEFT JOIN contractor c ON c.user_id = u.id LEFT JOIN event e ON e.user_id = u.id
		        WHERE first_name ~ '-' GROUP BY 1)
		SELECT json_object_agg(state, n) FROM person`)
}
