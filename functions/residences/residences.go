package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/attach"
	"github.com/honeydue/backend/shared/board"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// Columns that people write, and all that are read. Money travels as text, so that no float touches it.
const (
	unpriced = `name, is_primary, residence_type, street_address, apartment_unit, city, state_province, postal_code, country,
    bedrooms, bathrooms, square_footage, lot_size, year_built, description, purchase_date,
    heating, cooling, water_heater, roof, pool, sprinkler, septic, fireplace, garage, basement, attic, exterior, flooring, landscaping`
	written = unpriced + `, purchase_price`
)

// read are all columns that are shown, of residence_residence under the alias r.
var read = `r.id, ` + unpriced + `, purchase_price::text, r.created_by_id, r.created_at, r.updated_at,
` + imagesOf("r.id") + ` AS images`

// imagesOf is SQL that gives the photos of the home itself which expr names.
func imagesOf(expr string) string {
	return attach.Of("f.residence_id = " + expr + " AND f.completion_id IS NULL AND f.document_id IS NULL")
}

// The fields arrive as one JSON object, whose names are the columns' and whose types are the table's.
var insertResidence = `
INSERT INTO residence_residence AS r (` + written + `, created_by_id)
SELECT ` + written + `, $2::bigint FROM jsonb_populate_record(NULL::residence_residence, $1::jsonb)
RETURNING ` + read + `, 'owner' AS role`

// insert adds a home that person owns.
func insert(ctx context.Context, tx *pg.Tx, person int64, fields Fields) (Residence, error) {
	body, err := json.Marshal(fields)
	if err != nil {
		return Residence{}, fmt.Errorf("encode fields: %w", err)
	}
	made, err := pg.One[Residence](ctx, tx, insertResidence, string(body), person)
	if err != nil {
		return Residence{}, fmt.Errorf("insert residence: %w", err)
	}
	tx.Queue(insertMember, made.ID, person, string(home.Owner))
	if made.IsPrimary {
		tx.Queue(lockPrimary, person)
		tx.Queue(clearOtherPrimaries, person, made.ID)
	}
	return made, nil
}

var updateResidence = `
UPDATE residence_residence r
SET (` + written + `) = (SELECT ` + written + ` FROM jsonb_populate_record(NULL::residence_residence, $2::jsonb)), updated_at = now()
WHERE id = $1
RETURNING ` + read + `, $3::text AS role`

// save writes the fields of r, which tx holds.
func save(ctx context.Context, tx *pg.Tx, r Residence) (Residence, error) {
	body, err := json.Marshal(r.Fields)
	if err != nil {
		return Residence{}, fmt.Errorf("encode fields: %w", err)
	}
	changed, err := pg.One[Residence](ctx, tx, updateResidence, r.ID, string(body), string(r.Role))
	if err != nil {
		return Residence{}, fmt.Errorf("update residence %d: %w", r.ID, err)
	}
	return changed, nil
}

// A person's homes that become primary at the same moment wait for each other here: so one is left primary, also when one of
// them is new and unseen.
var lockPrimary = `SELECT ` + home.PrimaryTurn("$1::bigint")

const clearOtherPrimaries = `
UPDATE residence_residence r SET is_primary = false, updated_at = now()
FROM residence_member m
WHERE m.residence_id = r.id AND m.user_id = $1 AND m.role = 'owner' AND r.is_primary AND r.id <> $2`

const clearPrimary = `UPDATE residence_residence SET is_primary = false, updated_at = now() WHERE id = $1 AND is_primary`

// Who changes roles locks the row more strongly, so the role that is read after it stays.
var (
	holdResidence = `
SELECT ` + read + `, '' AS role FROM residence_residence r
WHERE id = $1 AND EXISTS (SELECT FROM residence_member m WHERE m.residence_id = r.id AND m.user_id = $2)
FOR NO KEY UPDATE`

	selectRole = `SELECT role FROM residence_member WHERE residence_id = $1 AND user_id = $2`

	// By itself, since only a statement that begins behind the lock sees the photos that are there then.
	selectImages = `SELECT ` + imagesOf("$1::bigint")
)

// hold returns a residence as person sees it, and keeps it and everyone's role in it as they are until tx ends. primary
// says that the residence may become primary. It is the first that tx does.
func hold(ctx context.Context, tx *pg.Tx, person, id int64, primary bool) (Residence, error) {
	var found []Residence
	var roles []home.Role
	var images [][]attach.File
	batch := &pgx.Batch{}
	if primary {
		batch.Queue(lockPrimary, person)
	}
	batch.Queue(holdResidence, id, person).Query(into(&found, pgx.RowToStructByName[Residence]))
	batch.Queue(selectRole, id, person).Query(into(&roles, pgx.RowTo[home.Role]))
	batch.Queue(selectImages, id).Query(into(&images, pgx.RowTo[[]attach.File]))
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return Residence{}, fmt.Errorf("lock residence %d: %w", id, err)
	}
	if len(found) == 0 || len(roles) == 0 {
		return Residence{}, problem.NotFound()
	}
	found[0].Role, found[0].Images = roles[0], images[0]
	return found[0], nil
}

// into returns a reader of one result of a batch.
func into[T any](target *[]T, row pgx.RowToFunc[T]) func(pgx.Rows) error {
	return func(rows pgx.Rows) (err error) {
		*target, err = pgx.CollectRows(rows, row)
		return err
	}
}

var selectResidence = `
SELECT ` + read + `, m.role FROM residence_member m JOIN residence_residence r ON r.id = m.residence_id
WHERE m.residence_id = $1 AND m.user_id = $2`

// residence returns a home as person, one of its members, sees it.
func residence(ctx context.Context, q pg.Querier, person, id int64) (Residence, error) {
	found, err := pg.One[Residence](ctx, q, selectResidence, id, person)
	if errors.Is(err, pgx.ErrNoRows) {
		return Residence{}, problem.NotFound()
	}
	if err != nil {
		return Residence{}, fmt.Errorf("read residence %d: %w", id, err)
	}
	return found, nil
}

var selectResidences = `
SELECT ` + read + `, m.role FROM residence_member m JOIN residence_residence r ON r.id = m.residence_id
WHERE m.user_id = $1 AND m.residence_id > $2
ORDER BY m.residence_id LIMIT $3`

// residences returns at most n homes of person whose ids lie behind after.
func residences(ctx context.Context, q pg.Querier, person, after int64, n int) ([]Residence, error) {
	found, err := pg.All[Residence](ctx, q, selectResidences, person, after, n)
	if err != nil {
		return nil, fmt.Errorf("read residences: %w", err)
	}
	return found, nil
}

// Counts are how many tasks of a home stand in each column of its board.
type Counts struct {
	Overdue    int `json:"overdue" example:"1"`
	DueSoon    int `json:"due_soon" example:"4"`
	Upcoming   int `json:"upcoming" example:"9"`
	InProgress int `json:"in_progress" example:"1"`
	Completed  int `json:"completed" example:"12"`
}

type countedResidence struct {
	Residence
	Counts
	Members int
}

var selectCountedResidences = `
SELECT ` + read + `, m.role, s.*,
    (SELECT count(*) FROM residence_member o WHERE o.residence_id = r.id) AS members
FROM residence_member m
JOIN residence_residence r ON r.id = m.residence_id
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE place = 'overdue_tasks') AS overdue,
        count(*) FILTER (WHERE place = 'due_soon_tasks') AS due_soon,
        count(*) FILTER (WHERE place = 'upcoming_tasks') AS upcoming,
        count(*) FILTER (WHERE place = 'in_progress_tasks') AS in_progress,
        count(*) FILTER (WHERE place = 'completed_tasks') AS completed
    FROM (SELECT ` + board.SQL("t", "$4::date", "$5::integer") + ` AS place FROM task_task t WHERE t.residence_id = r.id) placed
) s
WHERE m.user_id = $1 AND m.residence_id > $2
ORDER BY m.residence_id LIMIT $3`

// countedResidences is residences with the summary of each on the person's date today.
func countedResidences(ctx context.Context, q pg.Querier, person, after int64, n int, today date.Date) ([]countedResidence, error) {
	found, err := pg.All[countedResidence](ctx, q, selectCountedResidences, person, after, n, today, board.DefaultThreshold)
	if err != nil {
		return nil, fmt.Errorf("read residences with summaries: %w", err)
	}
	return found, nil
}

const deleteResidence = `DELETE FROM residence_residence WHERE id = $1`
