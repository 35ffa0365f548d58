package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTroubleNeedsAKill(t *testing.T) {
	t.Parallel()
	b := &book{}
	b.askedAgain("tasks", 429)
	require.Empty(t, b.wrong, "what is refused for a moment is no trouble")
	b.askedAgain("tasks", 502)
	b.askedAgain("tasks", 0)
	b.askedAgain("auth", 502)
	b.askedAgain("auth", 0)
	b.askedAgain("media", 503)
	b.killed("tasks", b.fallen[0].at.Add(-time.Millisecond)) // noted once nothing of it is left, which may be after the trouble
	b.killed("media", time.Now().Add(-2*aftermath))
	b.explainTrouble()
	require.Equal(t, map[string]int{
		"trouble without a kill: 502 of auth": 1, "trouble without a kill: no answer of auth": 1, "trouble without a kill: 503 of media": 1,
	}, b.wrong)
	require.Equal(t, map[string]int{"429": 1, "502": 2, "no answer": 2, "503": 1}, b.again)
}

func TestFunctionOf(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/api/tasks/7/": "tasks", "/api/task-completions/?task_id=7": "tasks", "/api/contractors/": "residences", "/api/notifications/": "auth",
		"/api/media/7/?size=thumb": "uploads", "/api/openapi.json": "site",
	} {
		require.Equal(t, want, functionOf(path), path)
	}
}

// A soak in which little happened shows nothing.
func TestTried(t *testing.T) {
	t.Parallel()
	o := options{duration: 20 * time.Minute, kill: time.Minute, rate: 10}
	lived := func(things int, kills ...string) *book {
		b := &book{things: map[string]int{"board": things}}
		for _, name := range kills {
			b.killed(name, time.Now())
		}
		return b
	}
	twice := append(functions(), functions()...)
	for name, c := range map[string]struct {
		b    *book
		want []string
	}{
		"whole":                {lived(12_000, append(twice, "tasks")...), nil},
		"few things":           {lived(11_000, append(twice, "tasks")...), []string{"soak: people did 11000 things, fewer than 11400"}},
		"few kills":            {lived(12_000, twice...), []string{"soak: there were 18 kills of 19, and 0 functions were spared"}},
		"a function is spared": {lived(12_000, append(twice[1:9:9], append(twice[1:9:9], "tasks", "tasks", "tasks")...)...), []string{"soak: there were 19 kills of 19, and 1 functions were spared"}},
	} {
		c.b.tried(o)
		var wrong []string
		for what := range c.b.wrong {
			wrong = append(wrong, what)
		}
		require.Equal(t, c.want, wrong, name)
	}
	o.kill = 0
	b := lived(12_000)
	b.tried(o)
	require.Empty(t, b.wrong)
}

func TestExcusedMails(t *testing.T) {
	t.Parallel()
	now := time.Now()
	town := &town{book: &book{kills: map[string][]time.Time{"notifications": {now.Add(time.Hour)}, "tasks": {now}}}}
	ending := func(after time.Duration) *due {
		ended := now.Add(after)
		return &due{owed: now, ended: &ended}
	}
	require.False(t, town.excused(&due{owed: now}))
	require.False(t, town.excused(&due{owed: now, ended: &time.Time{}}), "it is true to this day")
	require.True(t, town.excused(ending(2*time.Second)))
	require.False(t, town.excused(ending(10*time.Second)), "a mail takes no ten seconds")
	told := ending(10 * time.Second)
	told.from = "tasks"
	require.True(t, town.excused(told), "the function that tells of it was killed")
	town.book.kills["notifications"] = append(town.book.kills["notifications"], now.Add(10*time.Second))
	require.True(t, town.excused(ending(time.Minute)), "after a kill it may take one")
	require.False(t, town.excused(ending(4*time.Minute)))
}

// A mail that arrives again is explained by a kill between its last byte and its note, and by nothing else.
func TestExplainedMails(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, c := range map[string]struct {
		kill  time.Duration
		again time.Duration
		want  map[string]int
	}{
		"a kill just after":  {20 * time.Millisecond, 40 * time.Second, nil},
		"a kill long before": {-time.Second, 40 * time.Second, map[string]int{"mails: one arrived again, and no kill explains that": 1}},
		"a kill long after":  {6 * time.Second, 40 * time.Second, map[string]int{"mails: one arrived again, and no kill explains that": 1}},
		"too soon":           {20 * time.Millisecond, 3 * time.Second, map[string]int{"mails: two processes sent one at once": 1}},
	} {
		town := &town{book: &book{kills: map[string][]time.Time{"notifications": {now.Add(c.kill)}}}}
		doubled := town.explain(map[string][]time.Time{"a": {now.Add(c.again), now}, "b": {now}})
		require.Equal(t, 1, doubled, name)
		require.Equal(t, c.want, town.book.wrong, name)
	}
}

func TestWas(t *testing.T) {
	t.Parallel()
	of := &task{id: 7, entries: []*entry{{id: 1}, {id: 0}, {id: 3}}}
	require.NoError(t, of.was([]shownEntry{{3, 7, "completed"}, {2, 7, "skipped"}, {1, 7, "completed"}}))
	for want, shown := range map[string][]shownEntry{
		"a completion is lost":                     {{3, 7, "completed"}, {2, 7, "skipped"}},
		"completions that nobody made":             {{3, 7, "completed"}, {2, 7, "skipped"}, {1, 7, "completed"}, {4, 7, "completed"}},
		"that was skipped where there are 1":       {{3, 7, "completed"}, {1, 7, "completed"}},
		"there is something of a stranger's home":  {{3, 8, "completed"}},
		"has 2 that was skipped where there are 1": {{3, 7, "completed"}, {2, 7, "skipped"}, {5, 7, "skipped"}, {1, 7, "completed"}},
	} {
		require.ErrorContains(t, of.was(shown), want)
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{"-seed", "7"})
	require.NoError(t, err)
	require.Equal(t, options{duration: 30 * time.Minute, kill: time.Minute, rate: 60, seed: 7}, o)
	for said, args := range map[string][]string{
		"-duration is from 1m to": {"-duration", "30s"}, "-kill is not negative": {"-kill", "-1s"}, "-rate is from 1 to 100": {"-rate", "101"}, "one too many": {"7"},
	} {
		_, err := parse(args)
		require.ErrorContains(t, err, said)
	}
}
