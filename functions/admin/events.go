package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// An undelivered is an event and where its delivery to one consumer stands. Most that are looked at are undelivered; the page of one shows
// it whatever became of it.
type undelivered struct {
	EventID      uuid.UUID       `json:"event_id" example:"01985f2e-7c1a-7000-8000-000000000001"`
	Consumer     string          `json:"consumer" doc:"The function that is told" example:"notifications"`
	Type         string          `json:"type" example:"com.myhoneydue.task.completed.v1"`
	Source       string          `json:"source" example:"/functions/tasks"`
	Subject      string          `json:"subject" example:"tasks/7"`
	Time         time.Time       `json:"time" doc:"When it happened" example:"2026-06-01T08:00:00Z"`
	Data         json.RawMessage `json:"data" doc:"Ids of what it is about" example:"{\"task_id\": 7}"`
	State        string          `json:"state" enum:"pending,done,dead" example:"dead"`
	Attempts     int             `json:"attempts" doc:"How often the consumer began" example:"12"`
	Publications int             `json:"publications" doc:"How often the broker took it" example:"3"`
	NextAt       *time.Time      `json:"next_at" doc:"When it is published again; null when it is not" example:"2026-06-01T09:00:00Z"`
	Reason       *string         `json:"reason" doc:"Why it is dead, or why the last attempt failed" example:"attempts are used up"`
	DoneAt       *time.Time      `json:"done_at" example:"2026-06-01T08:00:01Z"`
}

func (u undelivered) id() string { return u.EventID.String() + "-" + u.Consumer }

// eventSubject names an event's delivery to a consumer, as paths and the audit log do.
func eventSubject(id uuid.UUID, consumer string) string {
	return eventRows + "/" + id.String() + "-" + consumer
}

// readEventID reads what id wrote.
func readEventID(text string) (uuid.UUID, string, error) {
	const length = 36
	if len(text) < length+2 || text[length] != '-' {
		return uuid.Nil, "", problem.NotFound()
	}
	id, err := uuid.Parse(text[:length])
	if err != nil || id.String() != text[:length] {
		return uuid.Nil, "", problem.NotFound()
	}
	return id, text[length+1:], nil
}

func (s *service) events() resource {
	return resource{
		listing: list[undelivered]{
			Name: eventRows, Title: "Events",
			About:  "Events that a function has not confirmed, newest first: those that are dead, and those that have waited for more than a minute. Dead ones can be delivered again.",
			States: []string{deadState, pendingState},
			Columns: []column[undelivered]{
				{"Event", func(u undelivered) cell {
					return cell{Text: u.Type, Link: "/" + eventSubject(u.EventID, u.Consumer) + "/"}
				}},
				{"For", func(u undelivered) cell { return text(u.Consumer) }},
				{"About", func(u undelivered) cell { return text(u.Subject) }},
				{"State", func(u undelivered) cell { return toned(u.State) }},
				{"Attempts", func(u undelivered) cell { return number(u.Attempts) }},
				{"Publications", func(u undelivered) cell { return number(u.Publications) }},
				{"Reason", func(u undelivered) cell { return optional(u.Reason) }},
				{"Next publication", func(u undelivered) cell { return instant(u.NextAt) }},
				{"Happened", func(u undelivered) cell { return instant(&u.Time) }},
			},
			Find: s.findUndelivered,
			Mark: func(_ query, u undelivered) mark { return mark{Key: u.id()} },
		},
		item: one[undelivered]{Name: eventRows, Summary: "One event, for one function", Load: s.loadUndelivered, View: viewUndelivered},
		acts: []act{{
			Name: "replay", Title: "Deliver it again",
			Asks: "The function is told of the event again at once, under the same id, as if it had never been. It knows from the id what it did already, so nothing happens twice.",
			Do:   s.replayEvent,
		}},
	}
}

// What a list holds is few of many rows; each state has an index of its own, and so each is asked by itself. A new event's id is greater
// than an older one's.
const (
	undeliveredIn = `
SELECT d.event_id, d.consumer, e.type, e.source, e.subject, e.time, e.data, d.state, d.attempts, d.publications,
    CASE WHEN d.state = 'pending' THEN d.next_at END AS next_at, d.reason, d.done_at
FROM outbox_delivery d JOIN outbox_event e ON e.id = d.event_id
WHERE `

	deadEvents    = undeliveredIn + `d.state = 'dead' AND (d.event_id, d.consumer) < ($1::uuid, $2::text)` + newestFirst
	waitingEvents = undeliveredIn + `d.state = 'pending' AND e.time < now() - interval '1 minute' AND (d.event_id, d.consumer) < ($1::uuid, $2::text)` + newestFirst

	newestFirst = ` ORDER BY event_id DESC, consumer DESC LIMIT $3::int`
)

func (s *service) findUndelivered(ctx context.Context, q query) ([]undelivered, error) {
	below, consumer := uuid.Max, ""
	if q.After != nil {
		var err error
		if below, consumer, err = readEventID(q.After.Key); err != nil {
			return nil, problem.Invalid("query.cursor", "expected the next_cursor of an earlier page")
		}
	}
	sql := `(` + deadEvents + `) UNION ALL (` + waitingEvents + `)` + newestFirst
	switch q.State {
	case deadState:
		sql = deadEvents
	case pendingState:
		sql = waitingEvents
	}
	found, err := pg.All[undelivered](ctx, s.DB, sql, below.String(), consumer, q.Limit)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return found, nil
}

func viewUndelivered(_ context.Context, u undelivered) (view, error) {
	var data bytes.Buffer
	if err := json.Indent(&data, u.Data, "", "  "); err != nil {
		return view{}, fmt.Errorf("indent data of event %s: %w", u.EventID, err)
	}
	v := view{
		Title: u.Type,
		Facts: []fact{
			{"Id", text(u.EventID.String())},
			{"For", text(u.Consumer)},
			{"From", text(u.Source)},
			{"About", text(u.Subject)},
			{"Happened", instant(&u.Time)},
			{"Data", text(data.String())},
			{"State", toned(u.State)},
			{"Reason", optional(u.Reason)},
			{"Attempts", number(u.Attempts)},
			{"Publications", number(u.Publications)},
			{"Next publication", instant(u.NextAt)},
			{"Confirmed", instant(u.DoneAt)},
		},
	}
	if u.State != pendingState {
		v.Acts = []string{"replay"}
	}
	return v, nil
}
