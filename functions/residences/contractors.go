package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
	"github.com/honeydue/backend/shared/search"
)

// Columns of residence_contractor under the alias c, and the specialties that go with a row of it.
const (
	contractorColumns = `c.id, c.residence_id, c.name, c.company, c.phone, c.email, c.website, c.notes, c.rating, c.is_favorite,
    c.created_by_id, c.created_at, c.updated_at`
	specialties = `ARRAY(SELECT s.specialty_id FROM residence_contractor_specialty s WHERE s.contractor_id = c.id ORDER BY s.specialty_id) AS specialty_ids`
)

const selectContractor = `
SELECT ` + contractorColumns + `, ` + specialties + `
FROM residence_contractor c JOIN residence_member m ON m.residence_id = c.residence_id
WHERE c.id = $1 AND m.user_id = $2`

// contractor returns a contractor of a home that person belongs to.
func contractor(ctx context.Context, q pg.Querier, person, id int64) (Contractor, error) {
	found, err := pg.One[Contractor](ctx, q, selectContractor, id, person)
	if errors.Is(err, pgx.ErrNoRows) {
		return Contractor{}, problem.NotFound()
	}
	if err != nil {
		return Contractor{}, fmt.Errorf("read contractor %d: %w", id, err)
	}
	return found, nil
}

// Each home gives as many as the page holds, in the order of its index, however many contractors there are.
var selectContractors = `
SELECT ` + contractorColumns + `, ` + specialties + `
FROM residence_member m CROSS JOIN LATERAL (
    SELECT ` + contractorColumns + `
    FROM residence_contractor c
    WHERE c.residence_id = m.residence_id AND c.id > $2
        AND ($4::bigint = 0 OR EXISTS (SELECT FROM residence_contractor_specialty s WHERE s.contractor_id = c.id AND s.specialty_id = $4::bigint))
        AND ($5::text = '' OR c.is_favorite = ($5::text = 'true'))
        AND ` + search.Match("$6", "c.name", "c.company", "c.notes", "c.email") + `
    ORDER BY c.id LIMIT $7::integer
) c
WHERE m.user_id = $1 AND ($3::bigint = 0 OR m.residence_id = $3::bigint)
ORDER BY c.id LIMIT $7::integer`

// A choice is which contractors to list; what is zero chooses nothing.
type choice struct {
	residence, specialty int64
	favorite             string   // true or false
	patterns             []string // of ILIKE
}

// contractors returns at most n contractors of person's homes whose ids lie behind after.
func contractors(ctx context.Context, q pg.Querier, person, after int64, n int, of choice) ([]Contractor, error) {
	found, err := pg.All[Contractor](ctx, q, selectContractors, person, after, of.residence, of.specialty, of.favorite, of.patterns, n)
	if err != nil {
		return nil, fmt.Errorf("read contractors: %w", err)
	}
	return found, nil
}

const insertContractor = `
WITH c AS (
    INSERT INTO residence_contractor AS c (residence_id, name, company, phone, email, website, notes, rating, is_favorite, created_by_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8::smallint, $9, $10)
    RETURNING ` + contractorColumns + `
), chosen AS (
    INSERT INTO residence_contractor_specialty (contractor_id, specialty_id) SELECT c.id, unnest($11::bigint[]) FROM c
)
SELECT ` + contractorColumns + `, $11::bigint[] AS specialty_ids FROM c`

func addContractor(ctx context.Context, tx *pg.Tx, person int64, n NewContractor) (Contractor, error) {
	made, err := pg.One[Contractor](ctx, tx, insertContractor, n.ResidenceID, n.Name, n.Company, n.Phone, n.Email, n.Website,
		n.Notes, n.Rating, n.IsFavorite, person, n.SpecialtyIDs)
	if err != nil {
		return Contractor{}, refusedSpecialty(err)
	}
	return made, nil
}

const updateContractor = `
WITH dropped AS (
    DELETE FROM residence_contractor_specialty WHERE contractor_id = $1 AND specialty_id <> ALL ($10::bigint[])
), chosen AS (
    INSERT INTO residence_contractor_specialty (contractor_id, specialty_id) SELECT $1::bigint, unnest($10::bigint[]) ON CONFLICT DO NOTHING
)
UPDATE residence_contractor c SET name = $2, company = $3, phone = $4, email = $5, website = $6, notes = $7, rating = $8::smallint,
    is_favorite = $9, updated_at = now()
WHERE c.id = $1
RETURNING ` + contractorColumns + `, $10::bigint[] AS specialty_ids`

// saveContractor writes the fields of c, which tx holds.
func saveContractor(ctx context.Context, tx *pg.Tx, c Contractor) (Contractor, error) {
	saved, err := pg.One[Contractor](ctx, tx, updateContractor, c.ID, c.Name, c.Company, c.Phone, c.Email, c.Website, c.Notes,
		c.Rating, c.IsFavorite, c.SpecialtyIDs)
	if err != nil {
		return Contractor{}, refusedSpecialty(err)
	}
	return saved, nil
}

// refusedSpecialty turns PostgreSQL's refusal of a specialty that does not exist into the field that named it.
func refusedSpecialty(err error) error {
	if pg.Violates(err, "residence_contractor_specialty_specialty_id_fkey") {
		return problem.Invalid("body.specialty_ids", "expected ids of the list of specialties")
	}
	return fmt.Errorf("write contractor: %w", err)
}

// deleteContractor leaves the tasks that named the contractor without one, by their foreign key.
const deleteContractor = `DELETE FROM residence_contractor WHERE id = $1`

var selectContractorAccess = `
SELECT m.residence_id, m.user_id, m.role, ` + home.MembersOf("m.residence_id") + ` AS members
FROM residence_contractor c JOIN residence_member m ON m.residence_id = c.residence_id
WHERE c.id = $1 AND m.user_id = $2`

// contractorAccess returns person's access to the home of a contractor, and refuses who may not work there.
func contractorAccess(ctx context.Context, q pg.Querier, person, id int64) (home.Access, error) {
	access, err := pg.One[home.Access](ctx, q, selectContractorAccess, id, person)
	if errors.Is(err, pgx.ErrNoRows) {
		return home.Access{}, problem.NotFound()
	}
	if err != nil {
		return home.Access{}, fmt.Errorf("look up access to contractor %d: %w", id, err)
	}
	return access, access.MayWork()
}

// heldContractor is a contractor whose row nobody else changes until the transaction ends. It is read by a statement of
// its own, since only one that begins behind the lock sees the specialties that stand then.
type heldContractor struct{ Contractor }

const (
	lockContractor       = `SELECT id FROM residence_contractor WHERE id = $1 FOR UPDATE`
	selectHeldContractor = `SELECT ` + contractorColumns + `, ` + specialties + ` FROM residence_contractor c WHERE c.id = $1`
)

// Queue asks for the lock and the row of the contractor whose ID is set.
func (h *heldContractor) Queue(batch *pgx.Batch) {
	batch.Queue(lockContractor, h.ID)
	batch.Queue(selectHeldContractor, h.ID)
}

// Read fills h. A contractor that went meanwhile is not found.
func (h *heldContractor) Read(results pgx.BatchResults) error {
	if _, err := results.Exec(); err != nil {
		return fmt.Errorf("lock contractor %d: %w", h.ID, err)
	}
	rows, err := results.Query()
	if err != nil {
		return fmt.Errorf("ask for contractor %d: %w", h.ID, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Contractor])
	if err != nil {
		return fmt.Errorf("read contractor %d: %w", h.ID, err)
	}
	if len(found) == 0 {
		return problem.NotFound()
	}
	h.Contractor = found[0]
	return nil
}
