package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/problem"
)

// A personDetail is a person with what only their own page tells. Of each there are the newest 50.
type personDetail struct {
	person
	Homes    []belonging `json:"homes" nullable:"false" doc:"The newest 50 that they belong to"`
	Sessions []session   `json:"sessions" nullable:"false" doc:"The newest 50 that live"`
	Devices  []device    `json:"devices" nullable:"false" doc:"The newest 50 that get pushes"`
}

// A belonging is what a person is in a home.
type belonging struct {
	HomeID   int64     `json:"home_id" example:"3"`
	Home     string    `json:"home" example:"Elm Street"`
	Role     home.Role `json:"role" enum:"owner,member,viewer" example:"member"`
	JoinedAt time.Time `json:"joined_at" example:"2026-06-01T08:00:00Z"`
}

// A session is a device that is signed in. Its token is nobody's to see.
type session struct {
	ID         int64     `json:"id" example:"12"`
	DeviceName string    `json:"device_name" example:"Ann's phone"`
	CreatedAt  time.Time `json:"created_at" example:"2026-06-01T08:00:00Z"`
	LastUsedAt time.Time `json:"last_used_at" example:"2026-06-02T08:00:00Z"`
	ExpiresAt  time.Time `json:"expires_at" example:"2026-08-31T08:00:00Z"`
}

// A device gets pushes. Its token is nobody's to see.
type device struct {
	ID           int64     `json:"id" example:"9"`
	Platform     string    `json:"platform" enum:"ios,android" example:"ios"`
	Name         *string   `json:"name" example:"Ann's phone"`
	AppVersion   *string   `json:"app_version" example:"2.4.0"`
	RegisteredAt time.Time `json:"registered_at" doc:"When the app last said that it is there" example:"2026-06-02T08:00:00Z"`
}

// $1 is the person, $2 how many.
const (
	selectHomesOf = `
SELECT m.residence_id AS home_id, h.name AS home, m.role, m.joined_at
FROM residence_member m JOIN residence_residence h ON h.id = m.residence_id
WHERE m.user_id = $1 ORDER BY m.residence_id DESC LIMIT $2`

	selectSessionsOf = `
SELECT id, device_name, created_at, last_used_at, expires_at FROM auth_session
WHERE user_id = $1 AND expires_at > now() ORDER BY id DESC LIMIT $2`

	selectDevicesOf = `
SELECT id, platform, name, app_version, registered_at FROM auth_device WHERE user_id = $1 ORDER BY id DESC LIMIT $2`
)

func (s *service) loadPerson(ctx context.Context, text string) (personDetail, error) {
	id, err := idOf(text)
	if err != nil {
		return personDetail{}, err
	}
	var found personDetail
	batch := &pgx.Batch{}
	batch.Queue(selectPeople+` WHERE id = $1`, id).Query(oneInto(&found.person))
	batch.Queue(selectHomesOf, id, partRows).Query(into(&found.Homes))
	batch.Queue(selectSessionsOf, id, partRows).Query(into(&found.Sessions))
	batch.Queue(selectDevicesOf, id, partRows).Query(into(&found.Devices))
	err = s.DB.SendBatch(ctx, batch)
	if errors.Is(err, pgx.ErrNoRows) {
		return personDetail{}, problem.NotFound()
	}
	if err != nil {
		return personDetail{}, fmt.Errorf("look up person %d: %w", id, err)
	}
	return found, nil
}

func (s *service) viewPerson(ctx context.Context, p personDetail) (view, error) {
	parts, err := s.partsOf(ctx, people, p.ID, tasks, deliveries, uploads, audit)
	if err != nil {
		return view{}, fmt.Errorf("look up parts of person %d: %w", p.ID, err)
	}
	parts[0].Title = "Tasks that they have"
	return view{
		Title: p.Email,
		Facts: []fact{
			{"Id", number(p.ID)},
			{"Name", text(p.name())},
			{"State", p.state()},
			{"Address proved", instant(p.EmailVerifiedAt)},
			{"Since", instant(&p.CreatedAt)},
			{"Disabled", instant(p.DisabledAt)},
			{"Time zone", optional(p.TimeZone)},
			{"Language", text(p.Locale)},
			{"Homes", counts(len(p.Homes))},
			{"Sessions", counts(len(p.Sessions))},
		},
		Parts: append([]part{p.homesPart(operatorOf(ctx).mayAct() == nil), p.sessionsPart(), p.devicesPart()}, parts...),
		Acts:  p.offered(),
	}, nil
}

// counts is how many rows a part has, of which a page shows only so many.
func counts(n int) cell {
	if n == partRows {
		return text(strconv.Itoa(n) + " or more")
	}
	return number(n)
}

// homesPart leads whoever may act to the change of a role. An owner's is for the home's owner to change.
func (p personDetail) homesPart(mayAct bool) part {
	all := partWith("Homes", p.Homes,
		column[belonging]{"Home", func(b belonging) cell { return linked(homes, &b.HomeID, b.Home) }},
		column[belonging]{"Role", func(b belonging) cell {
			if !mayAct || b.Role == home.Owner {
				return text(string(b.Role))
			}
			query := url.Values{"home": {strconv.FormatInt(b.HomeID, 10)}, "role": {string(b.Role)}}
			return cell{Text: string(b.Role), Link: "/" + subject(people, p.ID) + "/change-role/?" + query.Encode()}
		}},
		column[belonging]{"Joined", func(b belonging) cell { return instant(&b.JoinedAt) }},
	)
	if len(p.Homes) == partRows {
		all.More = "/" + homes + "/?" + people + "=" + strconv.FormatInt(p.ID, 10)
	}
	return all
}

func (p personDetail) sessionsPart() part {
	return partWith("Sessions", p.Sessions,
		column[session]{"Device", func(s session) cell { return text(s.DeviceName) }},
		column[session]{"Signed in", func(s session) cell { return instant(&s.CreatedAt) }},
		column[session]{"Last used", func(s session) cell { return instant(&s.LastUsedAt) }},
		column[session]{"Ends", func(s session) cell { return instant(&s.ExpiresAt) }},
	)
}

func (p personDetail) devicesPart() part {
	return partWith("Devices that get pushes", p.Devices,
		column[device]{"Device", func(d device) cell { return optional(d.Name) }},
		column[device]{"Platform", func(d device) cell { return text(d.Platform) }},
		column[device]{"App", func(d device) cell { return optional(d.AppVersion) }},
		column[device]{"Last registered", func(d device) cell { return instant(&d.RegisteredAt) }},
	)
}
