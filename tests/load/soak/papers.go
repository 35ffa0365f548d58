package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/honeydue/backend/tests/load"
)

// A paper is what a home writes down and keeps: whom to call, and what a document says.
type paper struct {
	list  string // where it is kept
	id    int64
	field string // that it is known by
	text  string
}

func (p *paper) path() string { return fmt.Sprintf("%s%d/", p.list, p.id) }

const (
	contractors = "/api/contractors/"
	documents   = "/api/documents/"
	papersAHome = 8
)

// turnPaper writes something down where there is little, and drops the oldest where there is much.
func (h *household) turnPaper(ctx context.Context, p *person) error {
	if len(h.papers) >= papersAHome {
		oldest := h.papers[0]
		if err := h.book.ask(ctx, p.Phone, remove(oldest.path())); err != nil {
			return err
		}
		h.papers, h.dropped = h.papers[1:], append(h.dropped, oldest)
		return nil
	}
	made := &paper{list: contractors, field: "name", text: words("Joan Marsh, plumber")}
	body := map[string]any{"residence_id": h.id, "phone": "+1 512 555 0134", "specialty_ids": []int{1}, "rating": 4}
	if h.written++; h.written%2 == 0 {
		made = &paper{list: documents, field: "title", text: words("Water heater")}
		body = map[string]any{"residence_id": h.id, "document_type": "warranty", "warranty_expires_on": "2040-01-31"}
	}
	body[made.field] = made.text
	var shown struct{ ID int64 }
	if err := h.book.ask(ctx, p.Phone, post(made.list, http.StatusCreated, body, &shown)); err != nil {
		return err
	}
	made.id = shown.ID
	h.papers = append(h.papers, made)
	return nil
}

// changePaper corrects one and reads it again.
func (h *household) changePaper(ctx context.Context, p *person) error {
	if len(h.papers) == 0 {
		return h.turnPaper(ctx, p)
	}
	one := load.OneOf(h.papers)
	text := words("Corrected")
	if err := h.book.ask(ctx, p.Phone, patch(one.path(), map[string]any{one.field: text}, nil)); err != nil {
		return err
	}
	one.text = text
	return h.readPaper(ctx, p, one)
}

func (h *household) readPaper(ctx context.Context, p *person, one *paper) error {
	var shown map[string]any
	if err := h.book.ask(ctx, p.Phone, get(one.path(), &shown)); err != nil {
		return err
	}
	if shown[one.field] != one.text || shown["residence_id"] != float64(h.id) {
		return errors.New("the paper does not say what was written")
	}
	return nil
}
