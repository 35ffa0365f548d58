package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/honeydue/backend/shared/page"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// An entry is a message as an operator sees it: what became of it, and no word of what it says or to which address.
type entry struct {
	ID        int64      `json:"id"`
	EventID   *uuid.UUID `json:"event_id"` // null for one that a day asked for
	UserID    int64      `json:"user_id"`
	Channel   string     `json:"channel"` // app, email or push
	Type      string     `json:"type"`
	State     string     `json:"state"` // pending, sending, sent or dead
	Attempts  int        `json:"attempts"`
	LastError *string    `json:"last_error"`
	CreatedAt time.Time  `json:"created_at"`
	ClaimedAt *time.Time `json:"claimed_at"` // when its last attempt began
	NextAt    *time.Time `json:"next_at"`    // when it is tried again; null when it is not
	ExpiresAt time.Time  `json:"expires_at"`
	SentAt    *time.Time `json:"sent_at"`
}

const selectEntries = `
SELECT id, event_id, user_id, channel, type, state, attempts, last_error, created_at, claimed_at,
    CASE WHEN state IN ('pending', 'sending') THEN next_at END AS next_at, expires_at, sent_at
FROM notification_message`

const selectMessages = selectEntries + `
WHERE ($1 = '' OR state = $1) AND ($2::bigint = 0 OR id < $2::bigint)
ORDER BY id DESC LIMIT $3::int`

// listMessages answers with messages, newest first, for whoever operates the system: nothing public leads here.
func (s *service) listMessages(r *http.Request) (any, error) {
	state := r.URL.Query().Get("state")
	if !slices.Contains([]string{"", "pending", "sending", "sent", "dead"}, state) {
		return nil, problem.Invalid("query.state", "expected pending, sending, sent or dead")
	}
	query := page.Query{Limit: 50, Cursor: r.URL.Query().Get("cursor")}
	after, err := query.After()
	if err != nil {
		return nil, err
	}
	found, err := pg.All[entry](r.Context(), s.db, selectMessages, state, after, query.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("list messages: %w", err)
	}
	return page.Of(found, query.Limit, func(e entry) int64 { return e.ID }), nil
}

// internalTimeout bounds a call that an operator waits for.
const internalTimeout = 5 * time.Second

// answer serves a call from within the cluster: what do returns as JSON, or a problem.
func (s *service) answer(do func(*http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), internalTimeout)
		defer cancel()
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		status, typ := http.StatusOK, "application/json"
		body, err := do(r.WithContext(ctx))
		if err != nil {
			refusal := refusalOf(err)
			s.log.WarnContext(ctx, "call refused", "path", r.Pattern, "status", refusal.Status, "error", err)
			for name, values := range refusal.GetHeaders() {
				w.Header()[name] = values
			}
			status, typ, body = refusal.Status, refusal.ContentType(""), refusal
		}
		w.Header().Set("Content-Type", typ)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body) // a caller who has left needs none
	})
}

func refusalOf(err error) *problem.Problem {
	var refused *problem.Problem
	switch {
	case errors.As(err, &refused):
		return refused
	case pg.Unavailable(err):
		return problem.Unavailable()
	default:
		return problem.New(http.StatusInternalServerError, "")
	}
}

// idOf returns the id in a path, and the problem of what is not there when it is none.
func idOf(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		return 0, problem.NotFound()
	}
	return id, nil
}
