package main

import (
	"context"
	"encoding/csv"
	"net/http"
	"strings"
	"time"

	"github.com/honeydue/backend/shared/api"
)

// exportTaking is how long a file may take: more than an answer, less than Knative gives a request.
const exportTaking = 50 * time.Second

// exportRows are read at once.
const exportRows = 1000

// showCSV sends all that a query finds, page after page, as RFC 4180 writes it. A file that had to end early says so in its last line.
func (s *service) showCSV(res resource) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q, err := res.listing.read(values(r))
		if err != nil {
			s.fail(w, r, err)
			return
		}
		q.Limit = exportRows
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), exportTaking)
		defer cancel()
		t, err := res.listing.table(ctx, q)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="`+res.listing.name()+`.csv"`)
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(exportTaking))
		file := csv.NewWriter(w)
		_ = file.Write(t.Titles)
		for {
			for _, row := range t.Rows {
				line := make([]string, len(row))
				for i, c := range row {
					line[i] = harmless(c.Value())
				}
				_ = file.Write(line)
			}
			file.Flush()
			if t.Next == "" || file.Error() != nil {
				return
			}
			q.After, err = readMark(t.Next)
			if err == nil {
				t, err = res.listing.table(ctx, q)
			}
			if err != nil { // the status is sent already
				_ = api.Problem(ctx, err) // it goes into the log
				_ = file.Write([]string{"This file is incomplete: something went wrong on the way. Download it again."})
				file.Flush()
				return
			}
		}
	}
}

// harmless keeps a spreadsheet from running what a person typed: OWASP's rule against CSV injection.
func harmless(value string) string {
	if value != "" && strings.ContainsRune("=+-@\t\r", rune(value[0])) {
		return "'" + value
	}
	return value
}
