package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/encoding"
	"github.com/honeydue/backend/shared/limit"
	"github.com/honeydue/backend/shared/pg"
)

// An export is packed while the database gives it, and sent while the caller takes it: a slow caller holds no connection, and a
// failure half-way is an error and not half a document.
const (
	exportSeats    = 2
	exportPatience = time.Second
	exportTaking   = 30 * time.Second // for the caller to take it
)

type exportInput struct {
	AcceptEncoding string `header:"Accept-Encoding" hidden:"true"`
}

type exportOutput struct {
	ContentType     string `header:"Content-Type"`
	ContentEncoding string `header:"Content-Encoding"`
	Vary            string `header:"Vary"`
	Disposition     string `header:"Content-Disposition" doc:"Suggests a file name"`
	Body            func(huma.Context)
}

// getExport gives a try back only while nothing was read for it: one that fails later has cost as much as one that does not.
func (s *service) getExport(ctx context.Context, in *exportInput) (*exportOutput, error) {
	me := authn.User(ctx).ID
	try, err := s.allow(ctx, exportsOfPerson.By(strconv.FormatInt(me, 10)))
	if err != nil {
		return nil, err
	}
	leave, err := s.exports.Enter(ctx, exportPatience, "Too many people are exporting at this moment.")
	if err != nil {
		return nil, errors.Join(err, limit.GiveBack(ctx, s.DB, try))
	}
	document := &packed{}
	if err := s.export(ctx, me, document); err != nil {
		leave()
		return nil, fmt.Errorf("export account: %w", err)
	}
	out := &exportOutput{
		ContentType: "application/json",
		Vary:        "Accept-Encoding",
		Disposition: `attachment; filename="honeydue-export.json"`,
	}
	send := document.unpack
	if encoding.TakesGzip(in.AcceptEncoding) {
		out.ContentEncoding, send = "gzip", document.send
	}
	out.Body = func(answer huma.Context) {
		defer leave()
		answer.SetStatus(http.StatusOK)
		if sent, err := s.hand(answer.BodyWriter(), send); err != nil {
			api.Log(ctx, slog.Int64("cut_after", sent)) // the error has the caller's address
		}
	}
	return out, nil
}

// hand has send write to a caller. Whoever does not take it in time gets a broken answer, as after any cut.
func (s *service) hand(to io.Writer, send func(io.Writer) (int64, error)) (int64, error) {
	if w, ok := to.(http.ResponseWriter); ok {
		control := http.NewResponseController(w)
		_ = control.SetWriteDeadline(time.Now().Add(s.exportTaking))
		defer func() { _ = control.SetWriteDeadline(time.Time{}) }()
	}
	return send(to)
}

// export writes all that is held of person, packed, as it is at one moment. No account is a problem 401, one that exceeds
// what an export may hold 409.
func (s *service) export(ctx context.Context, person int64, to io.Writer) error {
	zip, err := gzip.NewWriterLevel(&bounded{to, maxPacked}, gzip.BestSpeed)
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	err = pg.InTx(ctx, s.DB, func(tx *pg.Tx) (err error) {
		batch := &pgx.Batch{}
		batch.Queue(`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY`)
		batch.Queue(`SET LOCAL TimeZone TO 'UTC'`)
		// Time that goes by while we pack what a statement gave counts as the statement's.
		batch.Queue(`SET LOCAL statement_timeout TO '20s'`)
		for _, part := range exportParts() {
			batch.Queue(`SELECT to_jsonb(part)::text FROM (`+part.sql+`) part`, person)
		}
		results := tx.SendBatch(ctx, batch)
		defer func() { err = errors.Join(err, results.Close()) }()
		for range 3 {
			if _, err := results.Exec(); err != nil {
				return fmt.Errorf("begin snapshot: %w", err)
			}
		}
		return writeExport(&bounded{zip, maxUnpacked}, results, s.Now())
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
