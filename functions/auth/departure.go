package main

import (
	"slices"

	"github.com/honeydue/backend/shared/home"
)

// A place is that of someone in a home.
type place struct {
	ResidenceID int64
	UserID      int64
	Role        home.Role
}

// Homes that a person belongs to, and those that still name them: all that a deletion touches but the person's own rows.
const selectTouched = `
SELECT residence_id FROM residence_member WHERE user_id = $1
UNION SELECT id FROM residence_residence WHERE created_by_id = $1
UNION SELECT residence_id FROM residence_share_code WHERE created_by_id = $1
UNION SELECT residence_id FROM residence_contractor WHERE created_by_id = $1
UNION SELECT residence_id FROM task_task WHERE created_by_id = $1
UNION SELECT residence_id FROM task_task WHERE assigned_to_id = $1
UNION SELECT t.residence_id FROM task_taskcompletion c JOIN task_task t ON t.id = c.task_id WHERE c.completed_by_id = $1
UNION SELECT t.residence_id FROM task_taskcompletion c JOIN task_task t ON t.id = c.task_id WHERE c.unassigned_id = $1
UNION SELECT residence_id FROM upload_document WHERE created_by_id = $1
UNION SELECT residence_id FROM upload_media WHERE created_by_id = $1`

// Of those who could own a home next, the first comes first: who works there before who only looks, then whoever is there longest.
const selectPlaces = `
SELECT m.residence_id, m.user_id, m.role FROM residence_member m
WHERE m.residence_id IN (` + selectTouched + `)
ORDER BY m.residence_id, m.role = 'viewer', m.joined_at, m.user_id`

// A departure is what becomes of homes when a person's account goes.
type departure struct {
	people []int64 // everyone who sees a home that changes, and the person; ascending
	homes  []int64 // the homes that change; ascending
	ended  []int64 // homes that nobody else belongs to: they go with everything in them
	handed []int64 // homes that the person owned and others belong to
	heirs  []int64 // who owns each of handed next
}

// departureOf decides by places, which are everyone's in the homes that name person, in the order of [selectPlaces].
func departureOf(person int64, places []place) departure {
	d := departure{people: []int64{person}}
	for len(places) > 0 {
		id := places[0].ResidenceID
		end := slices.IndexFunc(places, func(p place) bool { return p.ResidenceID != id })
		if end < 0 {
			end = len(places)
		}
		d.leave(id, person, places[:end])
		places = places[end:]
	}
	slices.Sort(d.people)
	d.people = slices.Compact(d.people)
	return d
}

// leave decides about one home, of which all are the places.
func (d *departure) leave(id, person int64, all []place) {
	d.homes = append(d.homes, id)
	var belongs, owns bool
	var heir int64
	for _, p := range all {
		d.people = append(d.people, p.UserID)
		switch {
		case p.UserID == person:
			belongs, owns = true, p.Role == home.Owner
		case heir == 0:
			heir = p.UserID
		}
	}
	switch {
	case belongs && heir == 0:
		d.ended = append(d.ended, id)
	case owns:
		d.handed, d.heirs = append(d.handed, id), append(d.heirs, heir)
	}
}

// covers returns whether d was prepared for all that now touches.
func (d *departure) covers(now departure) bool {
	within := func(all, some []int64) bool {
		return !slices.ContainsFunc(some, func(id int64) bool { return !slices.Contains(all, id) })
	}
	return within(d.people, now.people) && within(d.homes, now.homes)
}
