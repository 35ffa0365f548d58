package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/tests/load"
)

const (
	countUnheard = `SELECT count(*) FROM outbox_delivery WHERE event_id = ANY($1::text[]::uuid[]) AND state <> 'done'`

	// Who is given a task may have a phone; those who hear of the rest have none.
	countPushes = `
SELECT count(*) FROM outbox_event e JOIN auth_device d ON d.user_id = (e.data->>'assignee_id')::bigint
WHERE e.id = ANY($1::text[]::uuid[]) AND e.type = 'com.myhoneydue.task.assigned.v1'`

	selectMessages = `
SELECT m.id, m.channel, m.state, coalesce(m.last_error, '') AS reason, person.email
FROM notification_message m JOIN auth_user person ON person.id = m.user_id WHERE m.event_id = ANY($1::text[]::uuid[])`
)

// A message is what somebody is told of an event by one channel.
type message struct {
	ID                            int64
	Channel, State, Reason, Email string
}

// settle waits until everybody was told of all events that were delivered, and looks that each message arrived once.
func (n *news) settle(ctx context.Context, at *load.Site) error {
	begun, err := n.stream.Begun()
	if err != nil {
		return err
	}
	var told []message
	err = load.Eventually(ctx, func(ctx context.Context) error {
		told, err = allTold(ctx, at.DB, begun)
		return err
	})
	if err != nil {
		return err
	}
	return arrivedOnce(at, told)
}

// allTold returns the messages of events, which must all be sent: of each event one mail, one line in the app's list, and one push where
// there is a phone.
func allTold(ctx context.Context, db *pgx.Conn, begun []string) ([]message, error) {
	var unheard int
	if err := db.QueryRow(ctx, countUnheard, begun).Scan(&unheard); err != nil {
		return nil, fmt.Errorf("look for deliveries: %w", err)
	}
	if unheard > 0 {
		return nil, fmt.Errorf("%d of %d events are not done", unheard, len(begun))
	}
	rows, err := db.Query(ctx, selectMessages, begun)
	if err != nil {
		return nil, fmt.Errorf("look for messages: %w", err)
	}
	told, err := pgx.CollectRows(rows, pgx.RowToStructByName[message])
	if err != nil {
		return nil, fmt.Errorf("look for messages: %w", err)
	}
	var pushes int
	if err := db.QueryRow(ctx, countPushes, begun).Scan(&pushes); err != nil {
		return nil, fmt.Errorf("count phones: %w", err)
	}
	channels := map[string]int{}
	for _, m := range told {
		if m.State != "sent" {
			return nil, fmt.Errorf("message %d by %s is %s: %s", m.ID, m.Channel, m.State, m.Reason)
		}
		channels[m.Channel]++
	}
	if channels["email"] != len(begun) || channels["app"] != len(begun) || channels["push"] != pushes {
		return nil, fmt.Errorf("of %d events, %d for phones, there are messages %v", len(begun), pushes, channels)
	}
	return told, nil
}

// arrivedOnce looks into mailboxes and at phones.
func arrivedOnce(at *load.Site, told []message) error {
	mails, pushes := map[string]int{}, map[string]int{}
	for _, mail := range at.Local.Mailbox().Messages() {
		for _, to := range mail.To {
			mails[mail.Headers["X-Honeydue-Message"]+" to "+to]++
		}
	}
	for _, push := range at.Local.Pushes().Pushes() {
		id := fmt.Sprint(push.Data["message_id"])
		if number, ok := push.Data["message_id"].(float64); ok { // the other provider has strings alone
			id = fmt.Sprintf("%.0f", number)
		}
		pushes[id]++
	}
	var wrong []error
	for _, m := range told {
		times := 1
		switch m.Channel {
		case "email":
			times = mails[fmt.Sprintf("%d to %s", m.ID, m.Email)]
		case "push":
			times = pushes[strconv.FormatInt(m.ID, 10)]
		}
		if times != 1 {
			wrong = append(wrong, fmt.Errorf("message %d by %s arrived %d times", m.ID, m.Channel, times))
		}
	}
	const shown = 5
	if len(wrong) > shown {
		wrong = append(wrong[:shown], fmt.Errorf("and %d more like these", len(wrong)-shown))
	}
	return errors.Join(wrong...)
}
