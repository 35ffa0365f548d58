package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/board"
	"github.com/honeydue/backend/shared/cache"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/encoding"
	"github.com/honeydue/backend/shared/home"
)

const boardDescription = "Five columns, the same ones in the same order on every board. Tasks are ordered by the date that is due, undated ones last; " +
	"completed ones by the date of completing, newest first, of which the column holds 50 and `count` counts all. " +
	"Cancelled and archived tasks are on no board."

// completedShown is how many tasks the last column holds.
const completedShown = 50

// A kanban is a board as the app sees it.
type kanban struct {
	Columns       []kanbanColumn `json:"columns" nullable:"false"`
	DaysThreshold int            `json:"days_threshold" example:"30"`
}

type kanbanColumn struct {
	Name        board.Column `json:"name" enum:"overdue_tasks,due_soon_tasks,upcoming_tasks,in_progress_tasks,completed_tasks"`
	DisplayName string       `json:"display_name" example:"Due Soon"`
	Color       string       `json:"color" example:"#FF9500"`
	ButtonTypes []string     `json:"button_types" nullable:"false" example:"[\"edit\",\"complete\",\"cancel\",\"mark_in_progress\"]"`
	Count       int          `json:"count" doc:"Of all tasks that stand there" example:"4"`
	Tasks       []task       `json:"tasks" nullable:"false"`
}

type boardInput struct {
	AcceptEncoding string `header:"Accept-Encoding" hidden:"true"`
	Threshold      int    `query:"days_threshold" minimum:"1" maximum:"365" default:"30" doc:"How many days ahead a task is due soon"`
}

type residenceBoardInput struct {
	AcceptEncoding string `header:"Accept-Encoding" hidden:"true"`
	ID             int64  `path:"id" minimum:"1" doc:"The home's id" example:"3"`
	Threshold      int    `query:"days_threshold" minimum:"1" maximum:"365" default:"30" doc:"How many days ahead a task is due soon"`
}

// boardOutput holds the bytes of a board, since those from the cache are not worth reading first.
type boardOutput struct {
	ContentType     string `header:"Content-Type"`
	ContentEncoding string `header:"Content-Encoding"`
	Vary            string `header:"Vary"`
	Body            []byte
}

func (s *service) getBoard(ctx context.Context, in *boardInput) (*boardOutput, error) {
	return s.board(ctx, 0, in.Threshold, in.AcceptEncoding)
}

func (s *service) getResidenceBoard(ctx context.Context, in *residenceBoardInput) (*boardOutput, error) {
	return s.board(ctx, in.ID, in.Threshold, in.AcceptEncoding)
}

// board answers with the board of one home, or of all with residence 0.
func (s *service) board(ctx context.Context, residence int64, threshold int, acceptEncoding string) (*boardOutput, error) {
	me, today := authn.User(ctx).ID, authn.Today(ctx, s.Now())
	kept, store := s.Cache.Board(ctx, cache.View{User: me, Name: viewName(today, residence, threshold)})
	if kept != nil {
		return answerBoard(kept, nil, acceptEncoding)
	}
	read, err := s.readBoard(ctx, me, residence, today, threshold)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(read)
	if err != nil {
		return nil, fmt.Errorf("encode board: %w", err)
	}
	small, err := s.packer.pack(body)
	if err != nil {
		return nil, err
	}
	store(ctx, small)
	return answerBoard(small, body, acceptEncoding)
}

// answerBoard sends a board packed to whoever takes that, and whole to others; whole may be nil.
func answerBoard(small packed, whole []byte, acceptEncoding string) (*boardOutput, error) {
	out := &boardOutput{ContentType: "application/json", Vary: "Accept-Encoding"}
	if encoding.TakesGzip(acceptEncoding) {
		out.ContentEncoding, out.Body = "gzip", small
		return out, nil
	}
	var err error
	if out.Body = whole; whole == nil {
		out.Body, err = small.unpack()
	}
	return out, err
}

// format names how a board is kept. Revisions that keep it in different ways serve side by side and must not read each other's.
const format = "gzip"

// viewName names what a person's board depends on besides the tasks.
func viewName(today date.Date, residence int64, threshold int) string {
	scope := "all"
	if residence != 0 {
		scope = "r" + strconv.FormatInt(residence, 10)
	}
	return format + ":" + today.String() + ":" + scope + ":" + strconv.Itoa(threshold)
}

// The last column is the only one that is cut, and so the only one that PostgreSQL puts in order and counts.
var selectBoard = `
WITH placed AS MATERIALIZED (
    SELECT ` + columns + `, ` + board.SQL("t", "$2::date", "$3::int") + ` AS kanban
    FROM residence_member m JOIN task_task t ON t.residence_id = m.residence_id
    WHERE m.user_id = $1 AND ($4::bigint = 0 OR m.residence_id = $4::bigint)
)
SELECT ` + columns + `, t.kanban, 0::bigint AS total
FROM placed t WHERE t.kanban NOT IN ('', 'completed_tasks')
UNION ALL (
    SELECT ` + columns + `, t.kanban, count(*) OVER () AS total
    FROM placed t WHERE t.kanban = 'completed_tasks' ORDER BY t.last_completed_on DESC, t.id DESC LIMIT $5::int
)`

// placed is a task with the column that PostgreSQL put it in, and how many stand in the last one.
type placed struct {
	row
	Kanban board.Column
	Total  int
}

// readPlaced reads a board's rows by the columns' order. To find fields by their names would be a tenth of what the function does for a board.
func (s *service) readPlaced(ctx context.Context, args ...any) ([]placed, error) {
	rows, err := s.DB.Query(ctx, selectBoard, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(from pgx.CollectableRow) (p placed, err error) {
		err = from.Scan(append(p.fields(), &p.Kanban, &p.Total)...)
		return p, err
	})
}

// readBoard reads the board from the database. Whoever sees no task there may see no home either.
func (s *service) readBoard(ctx context.Context, me, residence int64, today date.Date, threshold int) (kanban, error) {
	rows, err := s.readPlaced(ctx, me, today, threshold, residence, completedShown)
	if err != nil {
		return kanban{}, fmt.Errorf("read board: %w", err)
	}
	if len(rows) == 0 && residence != 0 {
		if _, err := home.Of(ctx, s.DB, me, residence); err != nil {
			return kanban{}, err
		}
	}
	columns := map[board.Column][]placed{}
	for _, r := range rows {
		columns[r.Kanban] = append(columns[r.Kanban], r)
	}
	answer := kanban{DaysThreshold: threshold}
	for _, name := range order() {
		look, stand := lookOf(name), columns[name]
		count := len(stand)
		switch {
		case name != board.Completed:
			slices.SortFunc(stand, sooner)
		case count > 0:
			count = stand[0].Total
		}
		column := kanbanColumn{
			Name: name, DisplayName: look.displayName, Color: look.color, ButtonTypes: board.Buttons(name), Count: count, Tasks: make([]task, len(stand)),
		}
		for i, r := range stand {
			column.Tasks[i] = r.task(today, threshold)
		}
		answer.Columns = append(answer.Columns, column)
	}
	return answer, nil
}

// sooner puts tasks in the order of the dates that are due, undated ones last.
func sooner(a, b placed) int {
	switch {
	case a.NextDueOn == nil && b.NextDueOn == nil:
		return cmp.Compare(a.ID, b.ID)
	case a.NextDueOn == nil:
		return 1
	case b.NextDueOn == nil:
		return -1
	}
	return cmp.Or(cmp.Compare(*a.NextDueOn, *b.NextDueOn), cmp.Compare(a.ID, b.ID))
}
