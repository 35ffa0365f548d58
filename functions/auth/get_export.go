package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/limit"
	"github.com/honeydue/backend/shared/pg"
)

// An export is packed while the database gives it, and unpacked while the caller takes it: a slow caller holds no connection, and a
// failure half-way is an error and not half a document. Text like this packs to a tenth and less.
const (
	exportSeats    = 2
	exportPatience = time.Second
	exportTaking   = 30 * time.Second // for the caller to take it
	maxPacked      = 24 << 20         // bytes
)

type exportOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition" doc:"Suggests a file name"`
	Body        func(huma.Context)
}

func (s *service) getExport(ctx context.Context, _ *struct{}) (*exportOutput, error) {
	me := authn.User(ctx).ID
	try, err := s.allow(ctx, exportsOfPerson.By(strconv.FormatInt(me, 10)))
	if err != nil {
		return nil, err
	}
	leave, err := s.exports.enter(ctx, exportPatience, "Too many people are exporting at this moment.")
	if err != nil {
		return nil, errors.Join(err, limit.GiveBack(ctx, s.DB, try))
	}
	packed := &packed{}
	if err := s.export(ctx, me, packed); err != nil {
		leave()
		return nil, errors.Join(fmt.Errorf("export account: %w", err), limit.GiveBack(ctx, s.DB, try))
	}
	return &exportOutput{
		ContentType: "application/json",
		Disposition: `attachment; filename="honeydue-export.json"`,
		Body: func(answer huma.Context) {
			defer leave()
			answer.SetStatus(http.StatusOK)
			packed.unpack(answer.BodyWriter())
		},
	}, nil
}

// packed is a document that is kept small until it is sent.
type packed struct{ bytes bytes.Buffer }

// Write adds packed bytes, up to the limit.
func (p *packed) Write(more []byte) (int, error) {
	if p.bytes.Len()+len(more) > maxPacked {
		return 0, fmt.Errorf("an export of more than %d packed bytes", maxPacked)
	}
	return p.bytes.Write(more)
}

// unpack sends the document. Whoever does not take it in time gets a broken answer, as after any cut.
func (p *packed) unpack(to io.Writer) {
	if w, ok := to.(http.ResponseWriter); ok {
		control := http.NewResponseController(w)
		_ = control.SetWriteDeadline(time.Now().Add(exportTaking))
		defer func() { _ = control.SetWriteDeadline(time.Time{}) }()
	}
	document, err := gzip.NewReader(&p.bytes)
	if err != nil {
		return
	}
	_, _ = io.Copy(to, document) //nolint:gosec // packed here, a moment ago
}

// export writes all that is held of person, packed, as it is at one moment. pgx.ErrNoRows, told as 401, means that the account is gone.
func (s *service) export(ctx context.Context, person int64, to io.Writer) error {
	zip, err := gzip.NewWriterLevel(to, gzip.BestSpeed)
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	err = pg.InTx(ctx, s.DB, func(tx *pg.Tx) (err error) {
		batch := &pgx.Batch{}
		batch.Queue(`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY`)
		batch.Queue(`SET LOCAL TimeZone TO 'UTC'`)
		for _, part := range exportParts() {
			batch.Queue(`SELECT to_jsonb(part)::text FROM (`+part.sql+`) part`, person)
		}
		results := tx.SendBatch(ctx, batch)
		defer func() { err = errors.Join(err, results.Close()) }()
		for range 2 {
			if _, err := results.Exec(); err != nil {
				return fmt.Errorf("begin snapshot: %w", err)
			}
		}
		return writeExport(zip, results, s.Now())
	})
	if err != nil {
		return signedOut(err)
	}
	return zip.Close()
}

// writeExport writes the document of the parts that results brings, row by row.
func writeExport(to io.Writer, results pgx.BatchResults, now time.Time) error {
	began, err := json.Marshal(now.UTC())
	if err != nil {
		return fmt.Errorf("encode time: %w", err)
	}
	if _, err := fmt.Fprintf(to, "{\"exported_at\":%s", began); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	for _, part := range exportParts() {
		if _, err := fmt.Fprintf(to, ",\n%q:", part.name); err != nil {
			return fmt.Errorf("pack %s: %w", part.name, err)
		}
		if err := part.write(to, results); err != nil {
			return fmt.Errorf("export %s: %w", part.name, err)
		}
	}
	if _, err := io.WriteString(to, "}\n"); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	return nil
}

// write writes the next of results: an object for a part that is one, else a list with a row a line.
func (p exportPart) write(to io.Writer, results pgx.BatchResults) error {
	if p.single {
		var object string
		if err := results.QueryRow().Scan(&object); err != nil {
			return err
		}
		_, err := io.WriteString(to, object)
		return err
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	between := "[\n"
	for rows.Next() {
		// The bytes are the connection's own until the next row: nothing is kept of any.
		if _, err := fmt.Fprintf(to, "%s%s", between, rows.RawValues()[0]); err != nil {
			return err
		}
		between = ",\n"
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if between == "[\n" {
		between = "["
	} else {
		between = ""
	}
	_, err = io.WriteString(to, between+"]")
	return err
}
