package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A letter is how mails are told apart: by who gets them, and of what.
type letter struct{ to, subject string }

// isOwed returns whether mails of that subject are in the book. Others, such as reminders, come by the clock.
func isOwed(subject string) bool {
	for _, begin := range []string{"For you: ", "Confirm your email", "Your password was changed"} {
		if strings.HasPrefix(subject, begin) {
			return true
		}
	}
	return strings.Contains(subject, joined)
}

// countMails holds what arrived against what is due: each mail once. It returns what is to be said of it.
func (t *town) countMails(found *findings) string {
	arrived, times := map[letter]map[string]bool{}, map[string][]time.Time{}
	mails := t.at.Local.Mailbox().Messages()
	for _, m := range mails {
		id := m.Headers["Message-Id"]
		times[id] = append(times[id], m.At)
		if !isOwed(m.Subject) || len(m.To) != 1 {
			continue
		}
		key := letter{m.To[0], m.Subject}
		if arrived[key] == nil {
			arrived[key] = map[string]bool{}
		}
		arrived[key][id] = true
	}
	must, may := map[letter]int{}, map[letter]int{}
	for _, d := range t.book.mails {
		key := letter{d.to, d.subject}
		may[key]++
		if !t.excused(d) {
			must[key]++
		}
	}
	untrue := 0
	for key, most := range may {
		n := len(arrived[key])
		untrue += max(0, most-n)
		found.looks(must[key], fmt.Sprintf("the mail %q", key.subject), atLeast(n, must[key]))
	}
	for key, ids := range arrived {
		if len(ids) > may[key] {
			t.book.expect("mails", fmt.Errorf("%d of %q arrived and %d were due", len(ids), key.subject, may[key]))
		}
	}
	doubled := t.explain(times)
	return fmt.Sprintf("Mails: %d arrived, %d of them again after a kill between their last byte and its note; %d of what was due had stopped being true before it was sent",
		len(mails), doubled, untrue)
}

// excused returns whether a mail need not have come: what it tells of ended before it was to be expected, which is later where a kill
// of a function on its way left it to the next tick.
func (t *town) excused(d *due) bool {
	const soon, late = 3 * time.Second, 3 * time.Minute
	if d.ended == nil || d.ended.IsZero() {
		return false
	}
	lived := d.ended.Sub(d.owed)
	killed := func(name string) bool { return t.book.killedBetween(name, d.owed.Add(-aftermath), *d.ended) }
	return lived <= soon || lived <= late && slices.ContainsFunc([]string{d.from, "sweeper", "notifications"}, killed)
}

func atLeast(n, must int) error {
	if n < must {
		return fmt.Errorf("%d arrived and %d were due", n, must)
	}
	return nil
}

// explain returns how many mails arrived again, given when each arrived. Each arrival but the last was followed by a kill of the function
// that sent it, so soon that it may have fallen before that was noted; and the next came only when nobody who still lived could be at
// it, which is when the mail's lease had ended.
func (t *town) explain(arrivals map[string][]time.Time) (doubled int) {
	const before, noting, restOfLease = 500 * time.Millisecond, 5 * time.Second, 10 * time.Second
	for _, times := range arrivals {
		slices.SortFunc(times, time.Time.Compare)
		for i, next := range times[1:] {
			doubled++
			at := times[i]
			var err error
			switch {
			case !t.book.killedBetween("notifications", at.Add(-before), at.Add(noting)):
				err = errors.New("one arrived again, and no kill explains that")
			case next.Sub(at) <= restOfLease:
				err = errors.New("two processes sent one at once")
			}
			t.book.expect("mails", err)
		}
	}
	return doubled
}
