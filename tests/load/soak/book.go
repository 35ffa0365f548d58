package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A book is what goes on in a town, as those know it who live there. Its methods may be called at the same time.
type book struct {
	mu     sync.Mutex
	things map[string]int // that people did, by name
	asked  int            // requests that were answered
	again  map[string]int // requests that were sent again, by why
	kills  map[string][]time.Time
	fallen []trouble
	wrong  map[string]int // what was not as it must be, by what
	mails  []*due
}

// A trouble is a request that a function did not answer, or answered as a server that cannot.
type trouble struct {
	why, function string
	at            time.Time
}

// A due is a mail that somebody must get.
type due struct {
	to, subject string
	from        string // the function that tells of it
	owed        time.Time
	ended       *time.Time // when it stopped being true; nil, or zero: it did not
}

func count[K comparable](into *map[K]int, what K) {
	if *into == nil {
		*into = map[K]int{}
	}
	(*into)[what]++
}

// did counts something that people did, and what was wrong with it.
func (b *book) did(name string, err error) {
	b.mu.Lock()
	count(&b.things, name)
	b.mu.Unlock()
	b.expect(name, err)
}

// expect counts what is wrong, where something is.
func (b *book) expect(name string, err error) {
	if err == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	count(&b.wrong, name+": "+err.Error())
}

func (b *book) answered() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
}

// aftermath is how long after a kill trouble may come of it.
const aftermath = 5 * time.Second

// askedAgain counts a request that is sent again after the function answered with that status, or, 0, not at all. That is trouble, other
// than what a function refuses for a moment since too much is asked of it.
func (b *book) askedAgain(function string, status int) {
	why := "no answer"
	if status > 0 {
		why = strconv.Itoa(status)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	count(&b.again, why)
	if status == 0 || status >= http.StatusInternalServerError {
		b.fallen = append(b.fallen, trouble{why, function, time.Now()})
	}
}

// explainTrouble notes as wrong what trouble there was with a function that was not killed just before. It is asked in the end, when all
// kills are noted.
func (b *book) explainTrouble() {
	for _, f := range b.fallen {
		if !b.killedBetween(f.function, f.at.Add(-aftermath), f.at) {
			b.expect("trouble without a kill", fmt.Errorf("%s of %s", f.why, f.function))
		}
	}
}

// killed notes that a function was killed, and when that began.
func (b *book) killed(function string, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kills == nil {
		b.kills = map[string][]time.Time{}
	}
	b.kills[function] = append(b.kills[function], at)
}

// killedBetween returns whether the function was killed in that time.
func (b *book) killedBetween(function string, from, to time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.ContainsFunc(b.kills[function], func(at time.Time) bool { return !at.Before(from) && !at.After(to) })
}

// owes notes a mail that is due.
func (b *book) owes(d *due) {
	d.owed = time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mails = append(b.mails, d)
}

// summary says in a few lines what went on.
func (b *book) summary(lasting time.Duration) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	total, kills := 0, 0
	for _, n := range b.things {
		total += n
	}
	for _, times := range b.kills {
		kills += len(times)
	}
	var s strings.Builder
	fmt.Fprintf(&s, "People did %d things (%.1f a second) with %d requests (%.1f a second):\n ", total, float64(total)/lasting.Seconds(), b.asked, float64(b.asked)/lasting.Seconds())
	for _, name := range slices.Sorted(maps.Keys(b.things)) {
		fmt.Fprintf(&s, " %s %d;", name, b.things[name])
	}
	fmt.Fprintf(&s, "\n%d kills:", kills)
	for _, name := range slices.Sorted(maps.Keys(b.kills)) {
		fmt.Fprintf(&s, " %s %d;", name, len(b.kills[name]))
	}
	s.WriteString(" requests that were sent again:")
	if len(b.again) == 0 {
		s.WriteString(" none;")
	}
	for _, why := range slices.Sorted(maps.Keys(b.again)) {
		fmt.Fprintf(&s, " after %s %d;", why, b.again[why])
	}
	return s.String()
}

// tried notes where less was done than the soak is there for: things that people did, or kills, of every function in turn.
func (b *book) tried(o options) {
	b.mu.Lock()
	total, kills, spared := 0, 0, 0
	for _, n := range b.things {
		total += n
	}
	for _, name := range functions() {
		kills += len(b.kills[name])
		if len(b.kills[name]) == 0 {
			spared++
		}
	}
	b.mu.Unlock()
	if wanted := 0.95 * float64(o.rate) * o.duration.Seconds(); float64(total) < wanted {
		b.expect("soak", fmt.Errorf("people did %d things, fewer than %.0f", total, wanted))
	}
	if o.kill == 0 {
		return
	}
	if wanted := int(o.duration/o.kill) - 1; kills < wanted || spared > max(0, len(functions())-wanted) {
		b.expect("soak", fmt.Errorf("there were %d kills of %d, and %d functions were spared", kills, wanted, spared))
	}
}
