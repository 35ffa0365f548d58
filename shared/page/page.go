// Package page cuts lists into pages by the id of their last entry.
package page

import (
	"encoding/base64"
	"encoding/json"

	"github.com/honeydue/backend/shared/problem"
)

// Query is what the input of a list embeds.
type Query struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50" doc:"How many entries at most"`
	Cursor string `query:"cursor" maxLength:"128" doc:"next_cursor of the page before" example:"NDE"`
}

// List is the answer of a list.
type List[T any] struct {
	Results    []T     `json:"results" nullable:"false"`
	NextCursor *string `json:"next_cursor" doc:"Where the next page begins; null on the last" example:"NDE"`
}

// After returns the id that the page begins behind, or 0 for the first page.
func (q Query) After() (int64, error) {
	if q.Cursor == "" {
		return 0, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	var id int64
	if err != nil || json.Unmarshal(text, &id) != nil || id < 1 {
		return 0, problem.Invalid("query.cursor", "expected the next_cursor of an earlier page")
	}
	return id, nil
}

// Of makes a page of rows, of which one more than the limit was asked for.
func Of[T any](rows []T, limit int, id func(T) int64) List[T] {
	if rows == nil {
		rows = []T{}
	}
	if len(rows) <= limit {
		return List[T]{Results: rows}
	}
	rows = rows[:limit]
	text, _ := json.Marshal(id(rows[limit-1]))
	cursor := base64.RawURLEncoding.EncodeToString(text)
	return List[T]{Results: rows, NextCursor: &cursor}
}
