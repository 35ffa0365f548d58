package main

import (
	"context"
	"fmt"
	"time"

	"github.com/honeydue/backend/shared/pg"
)

// An upload is something that a person sends or sent: what became of it, and neither its name nor its place.
type upload struct {
	ID            int64     `json:"id" example:"88"`
	State         string    `json:"state" enum:"pending,cleaning,ready,failed,expired,given_up" doc:"cleaning, ready and failed are attached to a home" example:"ready"`
	Reason        *string   `json:"reason" doc:"Why it cannot be cleaned; null for other states" example:"not a JPEG"`
	Category      string    `json:"category" example:"completion_image"`
	ContentType   string    `json:"content_type" doc:"As the app said before it was sent" example:"image/jpeg"`
	ContentLength int64     `json:"content_length" doc:"Bytes, as the app said before it was sent" example:"482113"`
	PersonID      int64     `json:"person_id" example:"7"`
	Email         string    `json:"email" doc:"Their address" example:"ann@example.com"`
	HomeID        *int64    `json:"home_id" doc:"null until it is attached" example:"3"`
	Home          *string   `json:"home" example:"Elm Street"`
	CreatedAt     time.Time `json:"created_at" example:"2026-06-01T08:00:00Z"`
	ExpiresAt     time.Time `json:"expires_at" doc:"Until when it can be sent and attached" example:"2026-06-01T08:15:00Z"`
}

// People and homes are looked up for the uploads that a page shows, one by one: a join could read all of them.
const selectUploads = `
SELECT x.id, x.state, x.reason, x.category, x.content_type, x.content_length, x.user_id AS person_id,
    (SELECT u.email FROM auth_user u WHERE u.id = x.user_id) AS email, x.residence_id AS home_id,
    (SELECT h.name FROM residence_residence h WHERE h.id = x.residence_id) AS home, x.created_at, x.expires_at
FROM (SELECT p.id, coalesce(m.state, p.state) AS state, m.reason, p.category, p.content_type, p.content_length, p.user_id, m.residence_id, p.created_at, p.expires_at
    FROM %[2]s%[3]s ORDER BY %[1]s.id DESC LIMIT %[4]s) x
ORDER BY x.id DESC`

// An upload has a row of upload_media from when it is attached, under the same id. A list is read from the side that knows what it asks for.
const (
	fromSent     = `pending_uploads p LEFT JOIN upload_media m ON m.id = p.id`
	fromAttached = `upload_media m JOIN pending_uploads p ON p.id = m.id`
)

func (s *service) uploads() resource {
	return resource{
		listing: list[upload]{
			Name: uploads, Title: "Uploads", About: "What people send, newest first. Nobody sees the files here.",
			States: []string{"pending", "cleaning", "ready", "failed", "expired", "given_up"}, Of: []string{people, homes},
			Columns: []column[upload]{
				{"Upload", func(u upload) cell { return number(u.ID) }},
				{"State", func(u upload) cell { return u.state() }},
				{"Reason", func(u upload) cell { return optional(u.Reason) }},
				{"Category", func(u upload) cell { return text(u.Category) }},
				{"Type", func(u upload) cell { return text(u.ContentType) }},
				{"Bytes", func(u upload) cell { return number(u.ContentLength) }},
				{"Person", func(u upload) cell { return linked(people, &u.PersonID, u.Email) }},
				{"Home", func(u upload) cell { return homeCell(u.HomeID, u.Home) }},
				{"Made", func(u upload) cell { return instant(&u.CreatedAt) }},
			},
			Find: s.findUploads,
			Mark: func(_ query, u upload) mark { return mark{ID: u.ID} },
		},
	}
}

// homeCell leads to a home; to nowhere when there is none.
func homeCell(id *int64, name *string) cell {
	if name == nil {
		return cell{}
	}
	return linked(homes, id, *name)
}

func (u upload) state() cell {
	switch u.State {
	case "failed":
		return cell{Text: u.State, Tone: "bad"}
	case "ready":
		return cell{Text: u.State, Tone: "good"}
	default:
		return muted(u.State)
	}
}

func (s *service) findUploads(ctx context.Context, q query) ([]upload, error) {
	var f filter
	from, side := fromSent, "p"
	switch {
	case q.of(people) > 0:
		f.and("p.user_id = " + f.bind(q.OfID) + "::bigint")
		if q.State != "" {
			f.and("coalesce(m.state, p.state) = " + q.state())
		}
	case q.of(homes) > 0 || isAttached(q.State):
		from, side = fromAttached, "m"
		if q.Of != "" {
			f.and("m.residence_id = " + f.bind(q.OfID) + "::bigint")
		}
		if q.State != "" {
			f.and("m.state = " + q.state())
		}
	case q.State != "":
		f.and("p.state = " + q.state())
	}
	f.and(side + ".id < " + f.bind(q.below()) + "::bigint")
	statement := fmt.Sprintf(selectUploads, side, from, f.where(), q.limit())
	found, err := pg.All[upload](ctx, s.DB, statement, f.args...)
	if err != nil {
		return nil, fmt.Errorf("list uploads: %w", err)
	}
	return found, nil
}

// isAttached returns whether what is in that state is attached to a home.
func isAttached(state string) bool {
	return state == "cleaning" || state == "ready" || state == "failed"
}
