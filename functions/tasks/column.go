package main

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/shared/board"
)

// A look is how the app draws a column.
type look struct {
	displayName string
	color       string
}

func lookOf(column board.Column) look {
	switch column {
	case board.Overdue:
		return look{"Overdue", "#FF3B30"}
	case board.DueSoon:
		return look{"Due Soon", "#FF9500"}
	case board.InProgress:
		return look{"In Progress", "#5856D6"}
	case board.Completed:
		return look{"Completed", "#34C759"}
	default:
		return look{"Upcoming", "#007AFF"}
	}
}

// order is that of the columns on a board.
func order() []board.Column {
	return []board.Column{board.Overdue, board.DueSoon, board.Upcoming, board.InProgress, board.Completed}
}

// A place is the column that a task stands in, and null in JSON when no board shows it.
type place board.Column

// MarshalJSON writes the column's name or null.
func (p place) MarshalJSON() ([]byte, error) {
	if board.Column(p) == board.Hidden {
		return []byte("null"), nil
	}
	return json.Marshal(string(p))
}

// Schema is that of the columns' names, or null.
func (place) Schema(huma.Registry) *huma.Schema {
	schema := &huma.Schema{Type: huma.TypeString, Nullable: true}
	for _, column := range order() {
		schema.Enum = append(schema.Enum, string(column))
	}
	schema.Enum = append(schema.Enum, nil)
	return schema
}
