package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/pg"
)

// A message is one that was claimed, with what it says as it is true now.
type message struct {
	ID       int64
	EventID  uuid.UUID
	UserID   int64
	Type     string
	Attempts int    // with this one
	Reason   string // why it is dead; empty when it is to be sent
	InDoubt  bool   // an earlier attempt ended without a word: this one may be a duplicate

	At      time.Time // when it was planned
	FactAt  time.Time // when what it tells happened
	Address string
	Zone    string // IANA name; empty when it is not known
	Actor   string // who did it
	Home    string
	Task    string
	DueOn   *date.Date
	DoneOn  *date.Date
	Notes   string

	CodeID    int64
	Purpose   string // of the code; empty without one
	Nonce     []byte
	NewsOfOld bool // tells an address that it is no longer the account's
}

// Claiming is one statement. It takes what is due, or was being sent when a process died, counts the attempt
// before any work, and buries what is no longer worth telling: nothing is sent that was true only once.
const claimMessages = `
WITH due AS (
    SELECT id, event_id, user_id, type, refs, state, attempts, expires_at, created_at
    FROM notification_message
    WHERE (state = 'pending' AND next_at <= now() OR state = 'sending' AND lease_until < now())
      AND ($1::uuid IS NULL OR event_id = $1::uuid)
    ORDER BY next_at LIMIT $2::int FOR UPDATE SKIP LOCKED
), facts AS (
    SELECT due.*, person.email, coalesce(person.time_zone, '') AS zone,
        concat_ws(' ', nullif(actor.first_name, ''), nullif(actor.last_name, '')) AS actor,
        home.name AS home, self.user_id AS member, other.user_id AS joined,
        task.id AS task_id, task.title AS task, task.next_due_on AS due_on, task.assigned_to_id,
        task.is_cancelled OR task.is_archived AS closed,
        done.id AS done_id, done.completed_on AS done_on, done.notes,
        code.id AS code_id, code.purpose, code.nonce, code.new_email,
        code.used_at IS NULL AND code.expires_at > now() AS code_valid,
        due.refs ? 'change_id' AS news_of_old, change.old_email,
        coalesce(change.changed_at, event.time, due.created_at) AS fact_at
    FROM due
    JOIN auth_user person ON person.id = due.user_id
    LEFT JOIN outbox_event event ON event.id = due.event_id
    LEFT JOIN auth_code code ON code.id = (due.refs->>'code_id')::bigint AND code.user_id = due.user_id
    LEFT JOIN auth_email_change change ON change.id = (due.refs->>'change_id')::bigint AND change.user_id = due.user_id
    LEFT JOIN task_task task ON task.id = (due.refs->>'task_id')::bigint
    LEFT JOIN task_taskcompletion done ON done.id = (due.refs->>'completion_id')::bigint AND done.task_id = task.id
    LEFT JOIN residence_residence home ON home.id = coalesce(task.residence_id, (due.refs->>'residence_id')::bigint)
    LEFT JOIN residence_member self ON self.residence_id = home.id AND self.user_id = due.user_id
    LEFT JOIN residence_member other ON other.residence_id = home.id AND other.user_id = (due.refs->>'user_id')::bigint
    LEFT JOIN auth_user actor ON actor.id = coalesce((due.refs->>'actor_id')::bigint, (due.refs->>'user_id')::bigint)
), judged AS (
    SELECT facts.*, CASE
        WHEN expires_at <= now() THEN 'expired'
        WHEN attempts >= $4::int THEN 'attempts are used up'
        WHEN type IN ('email_verification', 'password_reset') AND code_valid IS NOT TRUE THEN 'the code is not valid any more'
        WHEN news_of_old AND old_email IS NULL THEN 'the former address is not known any more'
        WHEN type IN ('task_assigned', 'task_completed') AND task_id IS NULL THEN 'the task is gone'
        WHEN type = 'task_assigned' AND assigned_to_id IS DISTINCT FROM user_id THEN 'the task is not assigned to this person any more'
        WHEN type = 'task_assigned' AND closed THEN 'the task is not open any more'
        WHEN type = 'task_completed' AND done_id IS NULL THEN 'the completion is gone'
        WHEN type IN ('residence_joined', 'task_assigned', 'task_completed') AND member IS NULL THEN 'this person is not a member any more'
        WHEN type = 'residence_joined' AND joined IS NULL THEN 'who joined is not a member any more'
        ELSE '' END AS reason
    FROM facts
)
UPDATE notification_message m
SET state = CASE WHEN judged.reason = '' THEN 'sending' ELSE 'dead' END,
    attempts = m.attempts + CASE WHEN judged.reason = '' THEN 1 ELSE 0 END,
    lease_until = CASE WHEN judged.reason = '' THEN now() + make_interval(secs => $3::float8) END,
    last_error = CASE WHEN judged.reason = '' THEN m.last_error ELSE judged.reason END
FROM judged WHERE m.id = judged.id
RETURNING m.id, m.event_id, m.user_id, m.type, m.attempts, judged.reason, judged.state = 'sending' AS in_doubt,
    m.created_at AS at, judged.fact_at, judged.zone, judged.actor,
    coalesce(CASE WHEN judged.news_of_old THEN judged.old_email WHEN judged.purpose = 'change_email' THEN judged.new_email ELSE judged.email END, '') AS address,
    coalesce(judged.home, '') AS home, coalesce(judged.task, '') AS task, judged.due_on, judged.done_on,
    coalesce(judged.notes, '') AS notes, coalesce(judged.code_id, 0) AS code_id,
    coalesce(judged.purpose, '') AS purpose, judged.nonce, judged.news_of_old`

// claim takes at most limit messages that are due, of one event when event is not nil. They are this process's
// for the time of lease; those with a reason are dead and only to be told of.
func (s *service) claim(ctx context.Context, event *uuid.UUID, limit int) ([]message, error) {
	var id *string
	if event != nil {
		id = new(event.String())
	}
	messages, err := pg.All[message](ctx, s.db, claimMessages, id, limit, s.lease().Seconds(), maxAttempts)
	if err != nil {
		return nil, fmt.Errorf("claim messages: %w", err)
	}
	return messages, nil
}

// lease is longer than all deadlines of a send together, so that nobody sends a message that another still may.
func (s *service) lease() time.Duration { return 2 * s.deadline }
