package main

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/devserver/push"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
)

// A told is one person with two phones, and what they are told.
type told struct {
	*bundle
	double *push.Double
	person functiontest.Person
	hour   time.Time // at which the function's clock stands
	event  uuid.UUID // if one is the reason
}

// tellBen is told with ben, who shares the home with anna.
func tellBen(t *testing.T, b *bundle) *told { t.Helper(); return tell(t, b, b.ben) }

// tellAnna is told with anna, who has nobody else in the home but those whom what happens is about.
func tellAnna(t *testing.T, b *bundle) *told { t.Helper(); return tell(t, b, b.anna) }

func tell(t *testing.T, b *bundle, person functiontest.Person) *told {
	t.Helper()
	w := &told{bundle: b, double: b.withPhones(t), person: person, hour: b.atTheHour(t)}
	b.service.pusher.services[platformAndroid].(*fcm).now = b.service.now
	b.phone(t, person, platformIOS, iphone.Token)
	b.phone(t, person, platformAndroid, pixel.Token)
	b.Exec(t, `UPDATE auth_user SET muted = '{}' WHERE id = $1`, person.ID)
	b.Exec(t, `UPDATE task_task SET next_due_on = $1`, w.hour.AddDate(0, 0, 10))
	return w
}

// happens delivers an event that was told of.
func (w *told) happens(t *testing.T, event uuid.UUID) {
	t.Helper()
	w.event = event
	w.done(t, event)
}

// nothingElse leaves nobody but the person in the home, and nothing to do there.
func (w *told) nothingElse(t *testing.T) {
	t.Helper()
	w.alone(t, w.person)
	w.Exec(t, `DELETE FROM task_task`)
}

// TestEachType goes all the way: an event or a tick comes in, and what arrives at the mail server and at the phones' providers is as it was.
func TestEachType(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tell   func(*testing.T, *bundle) *told
		happen func(*testing.T, *told)
		pushes int
	}{
		"task_assigned": {tellBen, func(t *testing.T, w *told) {
			w.happens(t, w.assigned(t))
		}, 2},
		"task_completed": {tellAnna, func(t *testing.T, w *told) {
			w.Exec(t, `DELETE FROM residence_member WHERE user_id = $1`, w.cleo.ID)
			event := w.completed(t)
			w.Exec(t, `UPDATE task_taskcompletion SET completed_on = $1`, w.hour)
			w.happens(t, event)
		}, 2},
		"residence_joined": {tellAnna, func(t *testing.T, w *told) {
			w.alone(t, w.anna)
			w.Join(t, w.home, w.cleo, home.Member)
			w.happens(t, happen(t, w.residences, events.MemberJoined{ResidenceID: w.home, UserID: w.cleo.ID}))
		}, 2},
		"task_due_soon": {tellBen, func(t *testing.T, w *told) {
			w.nothingElse(t)
			w.dueIn(t, w.hour, 7, "Sweep the chimney")
			w.tickOf(t, "reminders")
		}, 2},
		"task_overdue": {tellBen, func(t *testing.T, w *told) {
			w.nothingElse(t)
			w.dueIn(t, w.hour, -3, "Sweep the chimney")
			w.tickOf(t, "reminders")
		}, 2},
		"warranty_expiring": {tellBen, func(t *testing.T, w *told) {
			w.nothingElse(t)
			w.endsIn(t, w.hour, 30, "Boiler")
			w.tickOf(t, "reminders")
		}, 2},
		"daily_digest": {tellBen, func(t *testing.T, w *told) {
			w.nothingElse(t)
			w.dueIn(t, w.hour, -40, "Sweep the chimney")
			w.dueIn(t, w.hour, 0, "Test the smoke alarms")
			w.dueIn(t, w.hour, 5, "Water the plants")
			w.endsIn(t, w.hour, 25, "Boiler")
			w.tickOf(t, "digests")
		}, 2},
		"verify_email": {tellBen, func(t *testing.T, w *told) {
			id, _ := w.code(t, w.ben, "verify_email", nil)
			w.happens(t, happen(t, w.auth, events.UserVerificationRequested{UserID: w.ben.ID, CodeID: id}))
		}, 0},
		"change_email": {tellBen, func(t *testing.T, w *told) {
			id, _ := w.code(t, w.ben, "change_email", new("ben@example.org"))
			w.happens(t, happen(t, w.auth, events.UserVerificationRequested{UserID: w.ben.ID, CodeID: id}))
		}, 0},
		"password_reset": {tellBen, func(t *testing.T, w *told) {
			id, _ := w.code(t, w.ben, "reset_password", nil)
			w.happens(t, happen(t, w.auth, events.UserPasswordResetRequested{UserID: w.ben.ID, CodeID: id}))
		}, 0},
		"password_changed": {tellBen, func(t *testing.T, w *told) {
			w.happens(t, happen(t, w.auth, events.UserPasswordChanged{UserID: w.ben.ID}))
		}, 0},
		"email_changed": {tellBen, func(t *testing.T, w *told) {
			change := functiontest.Value[int64](t, w.Server, `
				INSERT INTO auth_email_change (user_id, old_email) VALUES ($1, 'ben.before@example.org') RETURNING id`, w.ben.ID)
			w.happens(t, happen(t, w.auth, events.UserEmailChanged{UserID: w.ben.ID, ChangeID: change}))
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := c.tell(t, setup(t))
			c.happen(t, w)
			require.Equal(t, "sent 1", w.row(t))
			require.Len(t, w.double.Pushes(), c.pushes)
			if c.pushes > 0 {
				require.Equal(t, "sent 1", w.rowOf(t, channelPush))
			} else {
				require.Zero(t, functiontest.Value[int](t, w.Server, `SELECT count(*) FROM notification_message WHERE channel <> 'email'`))
				require.Zero(t, w.double.Requests(iphone.Token)+w.double.Requests(pixel.Token))
			}
			golden(t, "types/"+name+".golden", w.timeless(t, w.arrivals(t)))
			w.tick(t)
			require.Len(t, w.mail.all(), 1)
			require.Len(t, w.double.Pushes(), c.pushes)
		})
	}
}
