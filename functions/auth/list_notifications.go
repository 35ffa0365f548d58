package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/notice"
	"github.com/honeydue/backend/shared/page"
)

// A notification is an entry of the app's own list.
type notification struct {
	ID           int64      `json:"id" example:"512"`
	Type         string     `json:"type" enum:"task_assigned,task_completed,task_due_soon,task_overdue,residence_joined,warranty_expiring" example:"task_completed"`
	Title        string     `json:"title" example:"Done: Clean the gutters"`
	Body         string     `json:"body" example:"Ann Meyer took care of it at Lake house."`
	ResidenceID  int64      `json:"residence_id" example:"3"`
	TaskID       *int64     `json:"task_id" example:"41"`
	CompletionID *int64     `json:"completion_id" example:"77"`
	DocumentID   *int64     `json:"document_id" example:"8"`
	DueOn        *date.Date `json:"due_on" doc:"The day that a reminder is about" example:"2026-03-14"`
	CreatedAt    time.Time  `json:"created_at" doc:"When it was told; in how many days something is due is counted from then" example:"2026-03-10T11:00:00Z"`
	ReadAt       *time.Time `json:"read_at" example:"2026-03-10T11:05:00Z"`
}

// maxUnread is how far what is unread is counted.
const maxUnread = 100

type listNotificationsInput struct {
	page.Query
	Unread bool `query:"unread" doc:"Only what was not read yet"`
}

// Notifications is a page of the list.
type notifications struct {
	page.List[notification]
	UnreadCount int `json:"unread_count" maximum:"100" doc:"How many of all are not read yet; 100 stands for more, too" example:"2"`
}

type listNotificationsOutput struct{ Body notifications }

// notificationRow is an entry with the facts of its words.
type notificationRow struct {
	ID           int64
	Type         string
	Actor        string
	Home         string
	Task         string
	Document     string
	Days         int
	ResidenceID  int64
	TaskID       *int64
	CompletionID *int64
	DocumentID   *int64
	DueOn        *date.Date
	CreatedAt    time.Time
	ReadAt       *time.Time
}

// Entries of person $1 as n with what they are about. Whatever is gone, or is of a home that the person does not belong to any more,
// takes its entries along. A reminder names its thing by subject_id.
const (
	entries = `
FROM notification_message n
LEFT JOIN task_task task ON n.type IN ('task_assigned', 'task_completed', 'task_due_soon', 'task_overdue')
    AND task.id = coalesce(n.subject_id, (n.refs->>'task_id')::bigint)
LEFT JOIN task_taskcompletion done ON n.type = 'task_completed' AND done.id = (n.refs->>'completion_id')::bigint AND done.task_id = task.id
LEFT JOIN upload_document document ON n.type = 'warranty_expiring' AND document.id = n.subject_id
LEFT JOIN residence_member joined ON n.type = 'residence_joined'
    AND joined.residence_id = (n.refs->>'residence_id')::bigint AND joined.user_id = (n.refs->>'user_id')::bigint
JOIN residence_member self ON self.user_id = n.user_id
    AND self.residence_id = coalesce(task.residence_id, document.residence_id, joined.residence_id)`

	ofPerson = `
WHERE n.user_id = $1 AND n.channel = 'app' AND (n.type <> 'task_completed' OR done.id IS NOT NULL)`

	unread = ` AND n.read_at IS NULL`

	selectEntries = `
SELECT n.id, n.type, concat_ws(' ', nullif(actor.first_name, ''), nullif(actor.last_name, '')) AS actor, home.name AS home,
    coalesce(task.title, '') AS task, coalesce(document.title, '') AS document, coalesce(n.stage, 0) AS days,
    home.id AS residence_id, task.id AS task_id, done.id AS completion_id, document.id AS document_id, n.occurrence_on AS due_on,
    n.created_at, n.read_at` + entries + `
JOIN residence_residence home ON home.id = self.residence_id
LEFT JOIN auth_user actor ON actor.id = coalesce((n.refs->>'actor_id')::bigint, joined.user_id)` + ofPerson

	nextEntries = `
    AND ($2::bigint = 0 OR n.id < $2::bigint)
ORDER BY n.id DESC LIMIT $3`

	// Each is a statement of its own: the unread have an index, which a parameter would keep from being used.
	selectNotifications = selectEntries + nextEntries
	selectUnread        = selectEntries + unread + nextEntries

	countUnread = `SELECT count(*) FROM (SELECT` + entries + ofPerson + unread + ` LIMIT $2) counted`
)

func (s *service) listNotifications(ctx context.Context, in *listNotificationsInput) (*listNotificationsOutput, error) {
	after, err := in.After()
	if err != nil {
		return nil, err
	}
	me := authn.User(ctx).ID
	chosen := selectNotifications
	if in.Unread {
		chosen = selectUnread
	}
	var rows []notificationRow
	var count int
	batch := &pgx.Batch{}
	batch.Queue(chosen, me, after, in.Limit+1).Query(into(&rows, pgx.RowToStructByName[notificationRow]))
	batch.Queue(countUnread, me, maxUnread).QueryRow(func(row pgx.Row) error { return row.Scan(&count) })
	if err := s.DB.SendBatch(ctx, batch); err != nil {
		return nil, fmt.Errorf("list notifications: %w", err)
	}
	told := make([]notification, len(rows))
	for i, row := range rows {
		told[i] = row.told()
	}
	return &listNotificationsOutput{notifications{page.Of(told, in.Limit, func(n notification) int64 { return n.ID }), count}}, nil
}

func (r notificationRow) told() notification {
	words := notice.Of(notice.Facts{Type: r.Type, Actor: r.Actor, Home: r.Home, Task: r.Task, Document: r.Document, Days: r.Days})
	return notification{
		ID: r.ID, Type: r.Type, Title: words.Title, Body: words.Body,
		ResidenceID: r.ResidenceID, TaskID: r.TaskID, CompletionID: r.CompletionID, DocumentID: r.DocumentID,
		DueOn: r.DueOn, CreatedAt: r.CreatedAt, ReadAt: r.ReadAt,
	}
}
