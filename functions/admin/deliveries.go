package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// A delivery is a message to a person by one channel: what became of it, and no word of what it says.
type delivery struct {
	ID        int64      `json:"id" example:"41"`
	PersonID  int64      `json:"person_id" doc:"To whom" example:"7"`
	Email     string     `json:"email" doc:"The person's address now" example:"ann@example.com"`
	Channel   string     `json:"channel" enum:"app,email,push" doc:"app: the list in the app, where it is at once" example:"email"`
	Type      string     `json:"type" example:"task_due_soon"`
	State     string     `json:"state" enum:"pending,sending,sent,dead" doc:"dead: given up, or not true any more" example:"dead"`
	Attempts  int        `json:"attempts" example:"12"`
	LastError *string    `json:"last_error" doc:"Why the last attempt failed, or why it was not sent" example:"mail server answered 550"`
	EventID   *uuid.UUID `json:"event_id" doc:"Which event asked for it; null when a day did" example:"01985f2e-7c1a-7000-8000-000000000001"`
	CreatedAt time.Time  `json:"created_at" example:"2026-06-01T08:00:00Z"`
	ClaimedAt *time.Time `json:"claimed_at" doc:"When its last attempt began" example:"2026-06-01T08:00:05Z"`
	NextAt    *time.Time `json:"next_at" doc:"When it is tried again; null when it is not" example:"2026-06-01T08:01:00Z"`
	ExpiresAt time.Time  `json:"expires_at" doc:"Until when it is worth sending" example:"2026-06-02T08:00:00Z"`
	SentAt    *time.Time `json:"sent_at" example:"2026-06-01T08:00:06Z"`
}

const (
	deadState    = "dead"
	pendingState = "pending"
	sendingState = "sending"
	sentState    = "sent"
	doneState    = "done"
)

func (s *service) deliveries() resource {
	return resource{
		listing: list[delivery]{
			Name: deliveries, Title: "Deliveries", About: "Messages to people, one for each person and channel, newest first. Dead ones can be sent again.",
			States: []string{deadState, pendingState, sendingState, sentState}, Of: []string{people},
			Columns: []column[delivery]{
				{"Message", func(d delivery) cell { return linked(deliveries, &d.ID, d.Type) }},
				{"By", func(d delivery) cell { return text(d.Channel) }},
				{"To", func(d delivery) cell { return linked(people, &d.PersonID, d.Email) }},
				{"State", func(d delivery) cell { return toned(d.State) }},
				{"Attempts", func(d delivery) cell { return number(d.Attempts) }},
				{"Last error", func(d delivery) cell { return optional(d.LastError) }},
				{"Next try", func(d delivery) cell { return instant(d.NextAt) }},
				{"Made", func(d delivery) cell { return instant(&d.CreatedAt) }},
				{"Sent", func(d delivery) cell { return instant(d.SentAt) }},
			},
			Find: s.findDeliveries,
			Mark: func(_ query, d delivery) mark { return mark{ID: d.ID} },
		},
		item: one[delivery]{Name: deliveries, Summary: "One message to one person", Load: s.loadDelivery, View: viewDelivery},
		acts: []act{{
			Name: "retry", Title: "Send it again",
			Asks: "The message is sent again at once, under the same id, if it is still true: what is done, changed or switched off meanwhile is told to nobody. Devices that took it do not get it twice.",
			Do:   s.retryDelivery,
		}},
	}
}

// toned is the state of a message, an event or a schedule with its looks.
func toned(state string) cell {
	switch state {
	case deadState:
		return cell{Text: state, Tone: "bad"}
	case sentState, doneState:
		return cell{Text: state, Tone: "good"}
	default:
		return muted(state)
	}
}

// optional is a text, or nothing.
func optional(value *string) cell {
	if value == nil {
		return cell{}
	}
	return text(*value)
}

const selectDeliveries = `
SELECT m.id, m.user_id AS person_id, u.email, m.channel, m.type, m.state, m.attempts, m.last_error, m.event_id, m.created_at, m.claimed_at,
    CASE WHEN m.state IN ('pending', 'sending') THEN m.next_at END AS next_at, m.expires_at, m.sent_at
FROM notification_message m JOIN auth_user u ON u.id = m.user_id
WHERE `

// findDeliveries names the state in the statement itself: few messages are not sent, and those have indexes of their own.
func (s *service) findDeliveries(ctx context.Context, q query) ([]delivery, error) {
	where, args := []string{"m.id < $2::bigint"}, []any{q.Limit, q.below()}
	switch q.State {
	case deadState:
		where = append(where, "m.state = 'dead'")
	case pendingState:
		where = append(where, "m.state = 'pending'")
	case sendingState:
		where = append(where, "m.state = 'sending'")
	case sentState:
		where = append(where, "m.state = 'sent'")
	}
	if id := q.of(people); id > 0 {
		where, args = append(where, "m.user_id = $3::bigint"), append(args, id)
	}
	found, err := pg.All[delivery](ctx, s.DB, selectDeliveries+strings.Join(where, " AND ")+` ORDER BY m.id DESC LIMIT $1::int`, args...)
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	return found, nil
}

// below returns the id under which a page of a list from the newest to the oldest begins.
func (q query) below() int64 {
	if q.After == nil {
		return math.MaxInt64
	}
	return q.After.ID
}

func (s *service) loadDelivery(ctx context.Context, text string) (delivery, error) {
	id, err := idOf(text)
	if err != nil {
		return delivery{}, err
	}
	found, err := pg.One[delivery](ctx, s.DB, selectDeliveries+`m.id = $1::bigint`, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return delivery{}, problem.NotFound()
	}
	if err != nil {
		return delivery{}, fmt.Errorf("look up delivery %d: %w", id, err)
	}
	return found, nil
}

func viewDelivery(_ context.Context, d delivery) (view, error) {
	asked := text("a day")
	if d.EventID != nil {
		asked = cell{Text: "an event", Link: "/" + eventSubject(*d.EventID, "notifications") + "/"}
	}
	v := view{
		Title: d.Type + " by " + d.Channel,
		Facts: []fact{
			{"Id", number(d.ID)},
			{"To", linked(people, &d.PersonID, d.Email)},
			{"State", toned(d.State)},
			{"Attempts", number(d.Attempts)},
			{"Last error", optional(d.LastError)},
			{"Asked for by", asked},
			{"Made", instant(&d.CreatedAt)},
			{"Last try", instant(d.ClaimedAt)},
			{"Next try", instant(d.NextAt)},
			{"Sent", instant(d.SentAt)},
			{"Worth sending until", instant(&d.ExpiresAt)},
		},
	}
	if d.State == deadState {
		v.Acts = []string{"retry"}
	}
	return v, nil
}
