package main

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/function/functiontest"
)

func TestMailOfEachEvent(t *testing.T) {
	t.Parallel()
	newAddress := "ben.new@example.com"
	cases := map[string]struct {
		event func(*testing.T, *bundle) uuid.UUID
		to    func(*bundle) string
		says  []string // subject first
	}{
		"verification": {
			func(t *testing.T, b *bundle) uuid.UUID {
				id, _ := b.code(t, b.ben, "verify_email", nil)
				return happen(t, b.auth, events.UserVerificationRequested{UserID: b.ben.ID, CodeID: id})
			},
			func(b *bundle) string { return b.ben.Email },
			[]string{"Confirm your email address", "for 10 minutes"},
		},
		"verification of a new address": {
			func(t *testing.T, b *bundle) uuid.UUID {
				id, _ := b.code(t, b.ben, "change_email", &newAddress)
				return happen(t, b.auth, events.UserVerificationRequested{UserID: b.ben.ID, CodeID: id})
			},
			func(*bundle) string { return newAddress },
			[]string{"Confirm your new email address", "keeps its present address"},
		},
		"password reset": {
			func(t *testing.T, b *bundle) uuid.UUID {
				id, _ := b.code(t, b.ben, "reset_password", nil)
				return happen(t, b.auth, events.UserPasswordResetRequested{UserID: b.ben.ID, CodeID: id})
			},
			func(b *bundle) string { return b.ben.Email },
			[]string{"Reset your password", "your password stays as it is"},
		},
		"password changed": {
			func(t *testing.T, b *bundle) uuid.UUID {
				return happen(t, b.auth, events.UserPasswordChanged{UserID: b.ben.ID})
			},
			func(b *bundle) string { return b.ben.Email },
			[]string{"Your password was changed", "If it was not you"},
		},
		"email changed": {
			func(t *testing.T, b *bundle) uuid.UUID {
				change := functiontest.Value[int64](t, b.Server, `
					INSERT INTO auth_email_change (user_id, old_email, changed_at) VALUES ($1, 'ben.old@example.com', '2026-04-01 12:00+00') RETURNING id`, b.ben.ID)
				b.Exec(t, `UPDATE auth_user SET time_zone = 'America/Chicago' WHERE id = $1`, b.ben.ID)
				return happen(t, b.auth, events.UserEmailChanged{UserID: b.ben.ID, ChangeID: change})
			},
			func(*bundle) string { return "ben.old@example.com" },
			[]string{"Your email address was changed", "1 April 2026 at 07:00 CDT"},
		},
		"task assigned": {
			func(t *testing.T, b *bundle) uuid.UUID { return b.assigned(t) },
			func(b *bundle) string { return b.ben.Email },
			[]string{"For you: Clean the gutters", "Anna Tester gave you a task at Lake house", "Due Friday, 3 April 2026"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			id := c.event(t, b)
			b.done(t, id)
			require.Equal(t, "done 1", b.state(t, id))
			require.Equal(t, "sent 1", b.row(t))
			mail := b.mail.one(t)
			require.Equal(t, c.to(b), mail.to)
			require.Equal(t, "<"+c.to(b)+">", mail.header.Get("To"))
			require.Equal(t, "hello@myhoneydue.com", mail.from)
			require.Equal(t, `"honeyDue" <hello@myhoneydue.com>`, mail.header.Get("From"))
			require.Equal(t, c.says[0], mail.subject)
			for _, words := range c.says[1:] {
				require.Contains(t, mail.text, words)
				require.Contains(t, mail.html, words)
			}
			require.Equal(t, fmt.Sprintf("<message.%d.%s@myhoneydue.com>", b.mailID(t), id), mail.header.Get("Message-ID"))
			require.Equal(t, "auto-generated", mail.header.Get("Auto-Submitted"))
			_, err := mail.header.Date()
			require.NoError(t, err)
			require.NotContains(t, b.log.String(), "@", "an address was logged")
			require.NotContains(t, b.log.String(), "gutters")
		})
	}
}

func TestCodesAreThoseThatAuthChecks(t *testing.T) {
	t.Parallel()
	for purpose, typ := range map[string]func(user, id int64) events.Data{
		"verify_email":   func(user, id int64) events.Data { return events.UserVerificationRequested{UserID: user, CodeID: id} },
		"change_email":   func(user, id int64) events.Data { return events.UserVerificationRequested{UserID: user, CodeID: id} },
		"reset_password": func(user, id int64) events.Data { return events.UserPasswordResetRequested{UserID: user, CodeID: id} },
	} {
		t.Run(purpose, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			var address *string
			if purpose == "change_email" {
				address = new("new@example.com")
			}
			id, nonce := b.code(t, b.ben, purpose, address)
			b.done(t, happen(t, b.auth, typ(b.ben.ID, id)))
			digits := code.Key(testKey).Derive(purpose, b.ben.ID, id, nonce)
			mail := b.mail.one(t)
			require.Contains(t, mail.text, "    "+digits+"\n")
			require.Contains(t, mail.html, ">"+digits+"</td>")
			require.NotContains(t, mail.subject, digits)
			require.NotContains(t, b.log.String(), digits)
			require.NotContains(t, mail.text+mail.html, "Ben", "words of a stranger in a mail to an address nobody proved")
		})
	}
}

func TestEveryOtherMemberIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	stranger := b.Person(t, "Dora")
	b.Home(t, stranger)
	b.done(t, b.completed(t))
	mails := b.mail.all()
	require.ElementsMatch(t, []string{b.anna.Email, b.cleo.Email}, recipients(mails))
	for _, mail := range mails {
		require.Equal(t, "Done: Clean the gutters", mail.subject)
		for _, words := range []string{"Ben Tester completed a task at Lake house", "Done on Thursday, 2 April 2026", "Next due Friday, 3 April 2026", "Two nests, both empty."} {
			require.Contains(t, mail.text, words)
			require.Contains(t, mail.html, words)
		}
	}

	b.done(t, happen(t, b.residences, events.MemberJoined{ResidenceID: b.home, UserID: b.cleo.ID}))
	mails = b.mail.all()[2:]
	require.ElementsMatch(t, []string{b.anna.Email, b.ben.Email}, recipients(mails))
	require.Equal(t, "Cleo Tester joined Lake house", mails[0].subject)
}

func recipients(mails []received) []string {
	to := make([]string, len(mails))
	for i, m := range mails {
		to[i] = m.to
	}
	return to
}

func TestEventsThatTellNobody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, id := range map[string]uuid.UUID{
		"registered":           happen(t, b.auth, events.UserRegistered{UserID: b.ben.ID}),
		"removed":              happen(t, b.residences, events.MemberRemoved{ResidenceID: b.home, UserID: b.cleo.ID, ActorID: b.anna.ID}),
		"assigned to oneself":  happen(t, b.Server, events.TaskAssigned{TaskID: b.task, ResidenceID: b.home, AssigneeID: b.ben.ID, ActorID: b.ben.ID}),
		"a person who is gone": happen(t, b.auth, events.UserPasswordChanged{UserID: 4711}),
		"a code that is gone":  happen(t, b.auth, events.UserVerificationRequested{UserID: b.ben.ID, CodeID: 4711}),
	} {
		b.done(t, id)
		require.Equal(t, "done 1", b.state(t, id), name)
	}
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM notification_message`))
	require.Empty(t, b.mail.all())
}

func TestWhatIsNoEventOfOursDoesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	once := b.assigned(t)
	b.done(t, once)
	other := b.completed(t)
	b.Exec(t, `UPDATE outbox_delivery SET consumer = 'media' WHERE event_id = $1`, other)

	require.Equal(t, http.StatusNoContent, b.deliver(t, uuid.NewString(), events.TypeOf(events.TaskCompleted{})), "forged")
	require.Equal(t, http.StatusNoContent, b.deliver(t, once.String(), events.TypeOf(events.TaskAssigned{})), "replayed")
	require.Equal(t, http.StatusNoContent, b.deliver(t, other.String(), events.TypeOf(events.TaskCompleted{})), "another consumer's")
	require.Equal(t, http.StatusNoContent, b.deliver(t, "1'; DROP TABLE auth_user", "com.example.unknown"), "not an id")
	for _, headers := range []map[string]string{
		nil,
		{"Ce-Type": events.PingType},
		{"Ce-Type": events.PingType, "Ce-Source": "/apis/v1/namespaces/honeydue/pingsources/unknown"},
	} {
		status, err := post(b.url, headers)
		require.NoError(t, err)
		require.Equal(t, http.StatusNoContent, status)
	}
	require.Len(t, b.mail.all(), 1)
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM notification_message WHERE channel = 'email'`))
	require.Equal(t, "done 1", b.state(t, once), "a replay is not an attempt")

	for _, target := range []string{"/typo", "/api/notifications/"} {
		status, err := post(b.url+target, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusNotFound, status)
	}
}

func TestEventsThatNoRetryMends(t *testing.T) {
	t.Parallel()
	b := setup(t)
	wrong := b.assigned(t)
	b.Exec(t, `UPDATE outbox_event SET data = '{"task_id": "seven"}' WHERE id = $1`, wrong)
	b.done(t, wrong)
	require.Equal(t, "dead 1 event data does not fit its type", b.state(t, wrong))

	unknown := b.assigned(t)
	b.Exec(t, `UPDATE outbox_event SET type = 'com.myhoneydue.task.exploded.v1' WHERE id = $1`, unknown)
	b.done(t, unknown)
	require.Equal(t, "done 1", b.state(t, unknown))
	require.Empty(t, b.mail.all())
}

func TestOneEventAtTheSameMomentIsOneMail(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 10 {
		id := b.assigned(t)
		before := len(b.mail.all())
		statuses := make([]int, 4)
		var group sync.WaitGroup
		for i := range statuses {
			group.Go(func() { statuses[i], _ = post(b.url, map[string]string{"Ce-Id": id.String()}) })
		}
		group.Wait()
		for _, status := range statuses {
			require.Equal(t, http.StatusNoContent, status)
		}
		require.Len(t, b.mail.all(), before+1)
	}
}

func TestAttemptsAreCountedBeforeTheWork(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.assigned(t)
	b.Exec(t, `REVOKE INSERT ON notification_message FROM honeydue_notifications`)
	for range 12 {
		require.Equal(t, http.StatusServiceUnavailable, b.deliver(t, id.String(), ""))
	}
	require.Equal(t, "pending 12", b.state(t, id))
	b.done(t, id)
	require.Equal(t, "dead 12 attempts are used up", b.state(t, id))
}
