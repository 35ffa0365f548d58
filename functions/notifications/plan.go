package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/notice"
	"github.com/honeydue/backend/shared/pg"
)

// Types and channels of messages, as people's preferences name them.
const (
	typeVerification  = notice.EmailVerification
	typePasswordReset = notice.PasswordReset
	typeSecurity      = notice.Security
	typeJoined        = notice.ResidenceJoined
	typeAssigned      = notice.TaskAssigned
	typeCompleted     = notice.TaskCompleted
	typeDueSoon       = notice.TaskDueSoon
	typeOverdue       = notice.TaskOverdue
	typeWarranty      = notice.WarrantyExpiring
	typeDigest        = notice.DailyDigest

	channelApp   = notice.App
	channelEmail = notice.Email
	channelPush  = notice.Push
)

// Messages hold the event's data, which is ids alone. What they say, and to which address, is looked up
// when they are sent. A person who is gone by now gets none, and one whose account is disabled none but about the account itself. What
// is in the app's list is there at once.
const (
	// How many messages of the type $2 the person u got within an hour.
	inLastHour = `
    SELECT count(*) FROM (
        SELECT m.channel, m.type, m.created_at FROM notification_message m WHERE m.user_id = u.id ORDER BY m.id DESC LIMIT 200
    ) recent WHERE recent.type = $2 AND recent.created_at > now() - interval '1 hour'`

	insertMessages = `
INSERT INTO notification_message (event_id, user_id, channel, type, refs, expires_at, state, sent_at)
SELECT $1::uuid, u.id, c.channel, $2, $3::jsonb, now() + make_interval(hours => $4::int),
    CASE WHEN c.channel = 'app' THEN 'sent' ELSE 'pending' END, CASE WHEN c.channel = 'app' THEN now() END
FROM auth_user u CROSS JOIN (VALUES ('app'), ('email'), ('push')) AS c (channel)
WHERE u.disabled_at IS NULL
  AND NOT $2 || '.' || c.channel = ANY (u.muted)
  AND (c.channel <> 'email' OR u.email_verified_at IS NOT NULL)
  AND (c.channel <> 'push' OR EXISTS (SELECT FROM auth_device d WHERE d.user_id = u.id))
  AND (c.channel = 'app' OR (` + inLastHour + ` AND recent.channel = c.channel) < $5::int)`

	planForPerson = insertMessages + `
  AND u.id = $6::bigint
ON CONFLICT (event_id, user_id, channel) DO NOTHING`

	planForOthers = insertMessages + `
  AND u.id IN (SELECT m.user_id FROM residence_member m WHERE m.residence_id = $6::bigint AND m.user_id <> $7::bigint)
ON CONFLICT (event_id, user_id, channel) DO NOTHING`

	planForSecurity = `
INSERT INTO notification_message (event_id, user_id, channel, type, refs, expires_at)
SELECT $1::uuid, u.id, 'email', $2, $3::jsonb, now() + make_interval(hours => $4::int)
FROM auth_user u WHERE u.id = $6::bigint AND (` + inLastHour + `) < $5::int
ON CONFLICT (event_id, user_id, channel) DO NOTHING`

	planForCode = `
INSERT INTO notification_message (event_id, user_id, channel, type, refs, expires_at)
SELECT $1::uuid, c.user_id, 'email', $2, $3::jsonb, c.expires_at
FROM auth_code c WHERE c.id = $4::bigint AND c.user_id = $5::bigint
ON CONFLICT (event_id, user_id, channel) DO NOTHING`
)

// How long a message is worth sending, in hours. One with a code is worth it for as long as the code.
const (
	lifeOfNews     = 24
	lifeOfSecurity = 7 * 24
)

// newsAnHour is how many mails, and how many pushes, of one type a person gets of events within an hour. What is more stands in the app's
// list alone: whoever shares a home with somebody cannot flood them.
const newsAnHour = 60

// securityAnHour is the same for mails about an account, which go to addresses that nobody has proved as well.
const securityAnHour = 5

// plan writes the messages of everyone who must hear of e, in the transaction that confirms it. They are sent after.
func (s *service) plan(ctx context.Context, tx pgx.Tx, e events.Event) (func(context.Context), error) {
	if e.Type == events.TypeOf(events.MessagesLeft{}) {
		return s.goOn(e)
	}
	p, err := planOf(e)
	if err != nil || p.sql == "" {
		return nil, err
	}
	channels, err := pg.All[plannedOn](ctx, tx, p.sql+"\nRETURNING id, channel", append([]any{e.ID.String(), p.typ, string(e.Data)}, p.args...)...)
	if err != nil {
		return nil, fmt.Errorf("plan messages: %w", err)
	}
	o := owed{event: e.ID, subjects: subjectsOf(p.typ)}
	for _, c := range channels {
		if c.Channel != channelApp {
			o.messages = append(o.messages, c.ID)
		}
		if c.Channel == channelPush {
			o.subjects |= ofPhones
		}
	}
	if len(o.messages) == 0 {
		return nil, nil
	}
	return func(ctx context.Context) { s.sendDueOf(ctx, o) }, nil
}

// plannedOn is a message that was planned.
type plannedOn struct {
	ID      int64
	Channel string
}

// plan is a statement that makes the messages of one event; none when sql is empty.
type plan struct {
	typ  string
	sql  string
	args []any // after event, type and refs
}

func planOf(e events.Event) (plan, error) {
	switch e.Type {
	case events.TypeOf(events.UserVerificationRequested{}):
		d, err := events.Decode[events.UserVerificationRequested](e)
		return plan{typeVerification, planForCode, []any{d.CodeID, d.UserID}}, err
	case events.TypeOf(events.UserPasswordResetRequested{}):
		d, err := events.Decode[events.UserPasswordResetRequested](e)
		return plan{typePasswordReset, planForCode, []any{d.CodeID, d.UserID}}, err
	case events.TypeOf(events.UserPasswordChanged{}):
		d, err := events.Decode[events.UserPasswordChanged](e)
		return plan{typeSecurity, planForSecurity, []any{lifeOfSecurity, securityAnHour, d.UserID}}, err
	case events.TypeOf(events.UserEmailChanged{}):
		d, err := events.Decode[events.UserEmailChanged](e)
		return plan{typeSecurity, planForSecurity, []any{lifeOfSecurity, securityAnHour, d.UserID}}, err
	case events.TypeOf(events.MemberJoined{}):
		d, err := events.Decode[events.MemberJoined](e)
		return plan{typeJoined, planForOthers, []any{lifeOfNews, newsAnHour, d.ResidenceID, d.UserID}}, err
	case events.TypeOf(events.TaskAssigned{}):
		d, err := events.Decode[events.TaskAssigned](e)
		if d.AssigneeID == d.ActorID {
			return plan{}, err
		}
		return plan{typeAssigned, planForPerson, []any{lifeOfNews, newsAnHour, d.AssigneeID}}, err
	case events.TypeOf(events.TaskCompleted{}):
		d, err := events.Decode[events.TaskCompleted](e)
		return plan{typeCompleted, planForOthers, []any{lifeOfNews, newsAnHour, d.ResidenceID, d.ActorID}}, err
	default:
		// Also listened to, but nobody is told yet: user.registered and residence.member_removed.
		return plan{}, nil
	}
}
