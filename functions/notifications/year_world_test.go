package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/honeydue/backend/shared/function/functiontest"
)

// A story changes a world in PostgreSQL and in the reference alike, by a seed.
type story struct {
	*functiontest.Server
	*refWorld
	r     *rand.Rand
	now   time.Time
	today int
}

// at makes it that instant.
func (s *story) at(now time.Time) {
	s.now, s.today = now, int(now.Unix()/86400)
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func storyZones() []string {
	return []string{
		"Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe",
		"Pacific/Pago_Pago", "UTC", "", "America/Nuuk", "Mars/Olympus",
	}
}

// begin makes people in every zone, homes with members and viewers, and tasks of every rhythm.
func (s *story) begin(t *testing.T) {
	t.Helper()
	for _, zone := range storyZones() {
		s.newPerson(t, zone)
	}
	people := ids(s.people)
	for i := range 5 {
		home := functiontest.Value[int64](t, s.Server, `INSERT INTO residence_residence (name) VALUES ('Home') RETURNING id`)
		s.roles[home] = map[int64]string{}
		s.join(t, home, people[i], "owner")
		s.join(t, home, people[(i+4)%len(people)], "member")
		s.join(t, home, people[(i+7)%len(people)], "viewer")
	}
	for range 40 {
		s.newTask(t)
	}
	for range 15 {
		s.newDocument(t)
	}
	for range 30 {
		s.changePerson(t)
	}
}

// newPerson makes somebody who got their account within the last two days.
func (s *story) newPerson(t *testing.T, zone string) *refPerson {
	t.Helper()
	p := &refPerson{zone: zone, muted: map[string]bool{"daily_digest.push": true}, hours: map[string]int{
		"task_due_soon_hour": 9, "task_overdue_hour": 9, "warranty_expiring_hour": 9, "daily_digest_hour": 8,
	}}
	p.id, p.since = s.Person(t, "Person").ID, s.now.Add(-time.Duration(s.r.IntN(48*60))*time.Minute).Unix()
	s.Exec(t, `UPDATE auth_user SET created_at = to_timestamp($2) WHERE id = $1`, p.id, p.since)
	s.people[p.id] = p
	s.move(t, p, zone)
	return p
}

// step changes one thing.
func (s *story) step(t *testing.T) {
	t.Helper()
	switch n := s.r.IntN(100); {
	case n < 75 && len(s.tasks) > 0:
		s.changeTask(t, s.tasks[pick(s.r, ids(s.tasks))])
	case n < 85:
		s.changePerson(t)
	case n < 92:
		s.changeHome(t)
	case n < 95:
		s.newTask(t)
	case n == 95 && len(s.people) < 40:
		p := s.newPerson(t, pick(s.r, storyZones()))
		s.join(t, pick(s.r, ids(s.roles)), p.id, "member")
	default:
		s.changeDocument(t)
	}
}

func (s *story) changeTask(t *testing.T, task *refTask) {
	t.Helper()
	switch s.r.IntN(14) {
	case 0, 1, 2, 3, 4, 5: // completed or skipped, mostly when it is due
		if task.due > s.today && s.r.IntN(4) > 0 {
			return
		}
		task.busy = false
		step := task.every * map[string]int{"day": 1, "week": 7, "month": 30, "year": 365}[task.unit]
		if task.due += step; step == 0 {
			task.due = 0
		}
	case 6, 7:
		task.due = s.today - 15 + s.r.IntN(60)
	case 8:
		task.busy = !task.busy
	case 9:
		task.cancelled = !task.cancelled && s.r.IntN(3) == 0
	case 10:
		task.archived = !task.archived && s.r.IntN(3) == 0
	case 11:
		task.assigned = s.someone(task.home)
	case 12:
		s.setRhythm(t, task)
	case 13:
		if s.r.IntN(10) == 0 {
			s.Exec(t, `DELETE FROM task_task WHERE id = $1`, task.id)
			delete(s.tasks, task.id)
			return
		}
	}
	s.Exec(t, `
		UPDATE task_task SET next_due_on = nullif($2::int, 0) + date '1970-01-01', in_progress = $3, is_cancelled = $4, is_archived = $5,
		    assigned_to_id = nullif($6::bigint, 0)
		WHERE id = $1`, task.id, task.due, task.busy, task.cancelled, task.archived, task.assigned)
}

// someone returns a member or viewer of a home, or mostly nobody.
func (s *story) someone(home int64) int64 {
	if s.r.IntN(2) == 0 || len(s.roles[home]) == 0 {
		return 0
	}
	return pick(s.r, ids(s.roles[home]))
}

// setRhythm gives a task one of the list's, or one of its own.
func (s *story) setRhythm(t *testing.T, task *refTask) {
	t.Helper()
	type rhythm struct {
		every int
		unit  string
	}
	list := []rhythm{{0, ""}, {1, "day"}, {1, "week"}, {2, "week"}, {1, "month"}, {3, "month"}, {6, "month"}, {1, "year"}}
	if i := s.r.IntN(2 * len(list)); i < len(list) {
		task.every, task.unit = list[i].every, list[i].unit
		s.Exec(t, `UPDATE task_task SET frequency_id = $2, recurrence = NULL WHERE id = $1`, task.id, i+1)
		return
	}
	own := pick(s.r, []rhythm{
		{13, "day"}, {14, "day"}, {27, "day"}, {28, "day"}, {89, "day"}, {90, "day"}, {359, "day"}, {360, "day"}, {3, "week"}, {4, "week"}, {12, "week"},
		{13, "week"}, {51, "week"}, {52, "week"}, {2, "month"}, {11, "month"}, {12, "month"}, {2, "year"},
	})
	task.every, task.unit = own.every, own.unit
	s.Exec(t, `
		UPDATE task_task SET frequency_id = NULL,
		    recurrence = jsonb_build_object('every', $2::int, 'unit', $3::text, 'from', 'due_date', 'missed', 'keep')
		WHERE id = $1`, task.id, own.every, own.unit)
}

func (s *story) newTask(t *testing.T) {
	t.Helper()
	task := &refTask{home: pick(s.r, ids(s.roles)), due: s.today + s.r.IntN(40)}
	task.assigned = s.someone(task.home)
	task.id = functiontest.Value[int64](t, s.Server, `INSERT INTO task_task (residence_id, title, next_due_on, assigned_to_id)
		VALUES ($1, 'Task', date '1970-01-01' + $2::int, nullif($3::bigint, 0)) RETURNING id`, task.home, task.due, task.assigned)
	s.tasks[task.id] = task
	s.setRhythm(t, task)
}

func (s *story) newDocument(t *testing.T) {
	t.Helper()
	d := &refDocument{home: pick(s.r, ids(s.roles)), ends: s.today + s.r.IntN(300)}
	d.id = functiontest.Value[int64](t, s.Server, `INSERT INTO upload_document (residence_id, title, document_type, warranty_expires_on)
		VALUES ($1, 'Paper', 'warranty', date '1970-01-01' + $2::int) RETURNING id`, d.home, d.ends)
	s.documents[d.id] = d
}

func (s *story) changeDocument(t *testing.T) {
	t.Helper()
	d := s.documents[pick(s.r, ids(s.documents))]
	if d.ends = 0; s.r.IntN(5) > 0 {
		d.ends = s.today - 5 + s.r.IntN(60)
	}
	s.Exec(t, `UPDATE upload_document SET warranty_expires_on = nullif($2::int, 0) + date '1970-01-01' WHERE id = $1`, d.id, d.ends)
}

func (s *story) changePerson(t *testing.T) {
	t.Helper()
	p := s.people[pick(s.r, ids(s.people))]
	switch s.r.IntN(4) {
	case 0:
		column := pick(s.r, []string{"task_due_soon_hour", "task_overdue_hour", "warranty_expiring_hour", "daily_digest_hour"})
		p.hours[column] = s.r.IntN(24)
		s.Exec(t, `UPDATE auth_user SET `+column+` = $2 WHERE id = $1`, p.id, p.hours[column])
	case 1:
		s.move(t, p, pick(s.r, storyZones()))
	case 2:
		typ := pick(s.r, []string{"task_due_soon", "task_overdue", "warranty_expiring", "daily_digest"})
		mute := typ + "." + pick(s.r, []string{"email", "push"})
		p.muted[mute] = !p.muted[mute]
		change := "array_remove"
		if p.muted[mute] {
			change = "array_append"
		}
		s.Exec(t, `UPDATE auth_user SET muted = `+change+`(muted, $2) WHERE id = $1`, p.id, mute)
	default:
		p.device = !p.device
		s.Exec(t, `DELETE FROM auth_device WHERE user_id = $1`, p.id)
		if p.device {
			s.Exec(t, `
				INSERT INTO auth_device (user_id, session_id, platform, token)
				SELECT user_id, id, 'ios', 'phone of ' || user_id FROM auth_session WHERE user_id = $1`, p.id)
		}
	}
}

func (s *story) move(t *testing.T, p *refPerson, zone string) {
	t.Helper()
	p.zone = zone
	s.Exec(t, `UPDATE auth_user SET time_zone = nullif($2, ''), quiet_from = '22:00', quiet_to = '10:30' WHERE id = $1`, p.id, zone)
}

// changeHome has somebody join, leave or get another role. Whoever leaves is taken off their tasks.
func (s *story) changeHome(t *testing.T) {
	t.Helper()
	home, person := pick(s.r, ids(s.roles)), pick(s.r, ids(s.people))
	role := pick(s.r, []string{"member", "viewer", ""})
	switch now := s.roles[home][person]; {
	case now == "owner":
	case role != "":
		s.join(t, home, person, role)
	case now != "":
		delete(s.roles[home], person)
		for _, task := range s.tasks {
			if task.home == home && task.assigned == person {
				task.assigned = 0
			}
		}
		s.Exec(t, `UPDATE task_task SET assigned_to_id = NULL WHERE residence_id = $1 AND assigned_to_id = $2`, home, person)
		s.Exec(t, `DELETE FROM residence_member WHERE residence_id = $1 AND user_id = $2`, home, person)
	}
}

func (s *story) join(t *testing.T, home, person int64, role string) {
	t.Helper()
	s.roles[home][person] = role
	s.Exec(t, `
		INSERT INTO residence_member (residence_id, user_id, role) VALUES ($1, $2, $3)
		ON CONFLICT (residence_id, user_id) DO UPDATE SET role = excluded.role`, home, person, role)
}
