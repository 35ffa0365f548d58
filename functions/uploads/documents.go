package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/attach"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
	"github.com/honeydue/backend/shared/search"
)

// documentColumns reads a row of upload_document under the alias d. Money travels as text, so that no float touches it.
const documentColumns = `d.id, d.residence_id, d.title, d.document_type, d.description, d.task_id, d.contractor_id, d.vendor, d.serial_number,
    d.model_number, d.purchase_date, d.purchase_price::text AS purchase_price, d.warranty_expires_on, d.created_by_id, d.created_at, d.updated_at`

// filesOf are those of that row.
var filesOf = attach.Of("f.document_id = d.id") + ` AS files`

var selectDocument = `
SELECT ` + documentColumns + `, ` + filesOf + `
FROM upload_document d JOIN residence_member m ON m.residence_id = d.residence_id
WHERE d.id = $1 AND m.user_id = $2`

// document returns a document of a home that person belongs to.
func document(ctx context.Context, q pg.Querier, person, id int64) (Document, error) {
	found, err := pg.One[Document](ctx, q, selectDocument, id, person)
	if errors.Is(err, pgx.ErrNoRows) {
		return Document{}, problem.NotFound()
	}
	if err != nil {
		return Document{}, fmt.Errorf("read document %d: %w", id, err)
	}
	return found, nil
}

// A choice is which documents to list; what is zero chooses nothing.
type choice struct {
	residence, task, contractor int64
	kind                        DocumentType
	from, until                 *date.Date // of the last day of the warranty
	patterns                    []string   // of ILIKE
}

// Each home gives as many as the page holds, in the order of its index, however many documents there are.
var selectDocuments = `
SELECT ` + documentColumns + `, ` + filesOf + `
FROM residence_member m CROSS JOIN LATERAL (
    SELECT ` + documentColumns + `
    FROM upload_document d
    WHERE d.residence_id = m.residence_id AND ($2::bigint = 0 OR d.id < $2::bigint)
        AND ($4::bigint = 0 OR d.task_id = $4::bigint) AND ($5::bigint = 0 OR d.contractor_id = $5::bigint)
        AND ($6::text = '' OR d.document_type = $6::text)
        AND ($7::date IS NULL OR d.warranty_expires_on BETWEEN $7::date AND $8::date)
        AND ` + search.Match("$9", "d.title", "d.description", "d.vendor", "d.serial_number", "d.model_number") + `
    ORDER BY d.id DESC LIMIT $10::integer
) d
WHERE m.user_id = $1 AND ($3::bigint = 0 OR m.residence_id = $3::bigint)
ORDER BY d.id DESC LIMIT $10::integer`

// documents returns at most n documents of person's homes, newest first, whose ids lie before the one given, or any for 0.
func documents(ctx context.Context, q pg.Querier, person, before int64, n int, of choice) ([]Document, error) {
	found, err := pg.All[Document](ctx, q, selectDocuments, person, before, of.residence, of.task, of.contractor, of.kind, of.from, of.until, of.patterns, n)
	if err != nil {
		return nil, fmt.Errorf("read documents: %w", err)
	}
	return found, nil
}

const insertDocument = `
INSERT INTO upload_document AS d (residence_id, title, document_type, description, task_id, contractor_id, vendor, serial_number, model_number,
    purchase_date, purchase_price, warranty_expires_on, created_by_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::date, $11::numeric, $12::date, $13)
RETURNING ` + documentColumns + `, '[]'::jsonb AS files`

func addDocument(ctx context.Context, tx *pg.Tx, person int64, n NewDocument) (Document, error) {
	made, err := pg.One[Document](ctx, tx, insertDocument, n.ResidenceID, n.Title, n.DocumentType, n.Description, n.TaskID, n.ContractorID,
		n.Vendor, n.SerialNumber, n.ModelNumber, n.PurchaseDate, n.PurchasePrice, n.WarrantyExpiresOn, person)
	if err != nil {
		return Document{}, refusedReference(err)
	}
	return made, nil
}

var updateDocument = `
UPDATE upload_document d SET title = $2, document_type = $3, description = $4, task_id = $5, contractor_id = $6, vendor = $7, serial_number = $8,
    model_number = $9, purchase_date = $10::date, purchase_price = $11::numeric, warranty_expires_on = $12::date, updated_at = now()
WHERE d.id = $1
RETURNING ` + documentColumns + `, ` + filesOf

// saveDocument writes the fields of d, which tx holds.
func saveDocument(ctx context.Context, tx *pg.Tx, d Document) (Document, error) {
	saved, err := pg.One[Document](ctx, tx, updateDocument, d.ID, d.Title, d.DocumentType, d.Description, d.TaskID, d.ContractorID,
		d.Vendor, d.SerialNumber, d.ModelNumber, d.PurchaseDate, d.PurchasePrice, d.WarrantyExpiresOn)
	if err != nil {
		return Document{}, refusedReference(err)
	}
	return saved, nil
}

// refusedReference turns PostgreSQL's refusal of what is not of the same home into the field that named it.
func refusedReference(err error) error {
	switch {
	case pg.Violates(err, "upload_document_task_id_fkey"):
		return problem.Invalid("body.task_id", "expected a task of the home")
	case pg.Violates(err, "upload_document_contractor_id_fkey"):
		return problem.Invalid("body.contractor_id", "expected a contractor of the home")
	}
	return fmt.Errorf("write document: %w", err)
}

// deleteDocument takes the files along, by their foreign key.
const deleteDocument = `DELETE FROM upload_document WHERE id = $1`

var selectDocumentAccess = `
SELECT m.residence_id, m.user_id, m.role, ` + home.MembersOf("m.residence_id") + ` AS members
FROM upload_document d JOIN residence_member m ON m.residence_id = d.residence_id
WHERE d.id = $1 AND m.user_id = $2`

// heldDocument is a document whose row nobody else changes until the transaction ends. It is read by a statement of its own,
// since only one that begins behind the lock sees the files that are there then.
type heldDocument struct{ Document }

const lockDocument = `SELECT id FROM upload_document WHERE id = $1 FOR UPDATE`

var selectHeldDocument = `SELECT ` + documentColumns + `, ` + filesOf + ` FROM upload_document d WHERE d.id = $1`

// Queue asks for the lock and the row of the document whose ID is set.
func (h *heldDocument) Queue(batch *pgx.Batch) {
	batch.Queue(lockDocument, h.ID)
	batch.Queue(selectHeldDocument, h.ID)
}

// Read fills h. A document that went meanwhile is not found.
func (h *heldDocument) Read(results pgx.BatchResults) error {
	if _, err := results.Exec(); err != nil {
		return fmt.Errorf("lock document %d: %w", h.ID, err)
	}
	rows, err := results.Query()
	if err != nil {
		return fmt.Errorf("ask for document %d: %w", h.ID, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Document])
	if err != nil {
		return fmt.Errorf("read document %d: %w", h.ID, err)
	}
	if len(found) == 0 {
		return problem.NotFound()
	}
	h.Document = found[0]
	return nil
}
