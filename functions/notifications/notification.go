package main

import (
	"strconv"

	"github.com/honeydue/backend/shared/board"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/notice"
)

// notificationOf writes the push of m for somebody whose date is today.
func notificationOf(m message, today date.Date) notification {
	n := notification{
		MessageID: m.ID, Type: m.Type, Badge: m.Badge, ResidenceID: m.ResidenceID, TaskID: m.TaskID, DocumentID: m.DocumentID,
		Collapse: "message-" + strconv.FormatInt(m.ID, 10), ExpiresAt: m.ExpiresAt, Words: notice.Of(factsOf(m, today)),
	}
	if m.ResidenceID != 0 {
		n.Thread = "residence-" + strconv.FormatInt(m.ResidenceID, 10)
	}
	if m.TaskID != 0 {
		n.Buttons = board.Buttons(board.Of(board.State{
			NextDueOn: m.DueOn, CompletionCount: m.CompletionCount, InProgress: m.InProgress,
		}, today, board.DefaultThreshold))
	}
	return n
}

func factsOf(m message, today date.Date) notice.Facts {
	f := notice.Facts{Type: m.Type, Actor: m.Actor, Home: m.Home, Task: m.Task, Document: m.Document}
	if m.DueOn != nil {
		f.Days = int(*m.DueOn - today)
	}
	if m.Digest != nil {
		f.Overdue, f.DueThisWeek, f.Warranties = m.Digest.counts()
	}
	return f
}
