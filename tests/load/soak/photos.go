package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/honeydue/backend/tests/load"
	"github.com/honeydue/backend/tests/story"
)

// photosOfPerson is how many somebody sends at most: of 50 addresses that they may ask for in an hour, some are lost with a process.
const photosOfPerson = 40

// A photo that somebody sent and attached to a completion or a document.
type photo struct {
	story.Photo

	seen bool // it was ready once
}

// photo sends a picture and completes a task with it, or keeps it as a document.
func (h *household) photo(ctx context.Context, p *person) error {
	if p.sent >= photosOfPerson {
		return h.look(ctx, p)
	}
	p.sent++
	if p.sent%2 == 0 {
		return h.completeWithPhoto(ctx, p)
	}
	id, err := h.send(ctx, p, "document_image")
	if err != nil {
		return err
	}
	var kept struct{ ID int64 }
	made := &paper{list: documents, field: "title", text: words("Gutter guard")}
	body := map[string]any{"residence_id": h.id, "title": made.text, "document_type": "photo", "upload_ids": []int64{id}}
	if err := h.book.ask(ctx, p.Phone, post(documents, http.StatusCreated, body, &kept)); err != nil {
		return err
	}
	made.id = kept.ID
	// It is kept to the end, and its photo with it.
	h.kept = append(h.kept, made)
	h.photos = append(h.photos, &photo{Photo: story.Photo{ID: id, By: p.Person}})
	return nil
}

// completeWithPhoto takes the home's own task for photos, which nobody deletes.
func (h *household) completeWithPhoto(ctx context.Context, p *person) error {
	id, err := h.send(ctx, p, "completion_image")
	if err != nil {
		return err
	}
	var done struct {
		Completion struct {
			ID     int64
			Images []struct{ ID int64 }
		}
	}
	body := map[string]any{"task_id": h.album.id, "upload_ids": []int64{id}}
	if err := h.book.ask(ctx, p.Phone, post("/api/task-completions/", http.StatusCreated, body, &done)); err != nil {
		return err
	}
	h.album.entries = append(h.album.entries, &entry{done.Completion.ID, p})
	h.photos = append(h.photos, &photo{Photo: story.Photo{ID: id, By: p.Person}})
	if len(done.Completion.Images) != 1 || done.Completion.Images[0].ID != id {
		return errors.New("the photo is not the one that was sent")
	}
	return nil
}

// send sends the picture. The bucket takes it without any function.
func (h *household) send(ctx context.Context, p *person, category string) (int64, error) {
	file := story.Picture(category, h.picture)
	var to story.Address
	err := h.book.ask(ctx, p.Phone, post("/api/uploads/presign/", http.StatusCreated, map[string]any{
		"category": file.Category, "content_type": file.Type, "content_length": len(file.Content), "filename": file.Name,
	}, &to))
	if err != nil {
		return 0, err
	}
	return to.UploadID, to.Take(ctx, file.Content)
}

// look looks at a photo, as large as it is or small. One that is being cleaned is not there yet, and one that was seen stays.
func (h *household) look(ctx context.Context, p *person) error {
	if len(h.photos) == 0 {
		return h.board(ctx, p)
	}
	one := load.OneOf(h.photos)
	path := fmt.Sprintf("/api/media/%d/", one.ID)
	if len(h.photos)%2 == 0 {
		path += "?size=thumb"
	}
	if !one.seen {
		var upload struct{ State string }
		if err := h.book.ask(ctx, one.By.Phone, get(fmt.Sprintf("/api/uploads/%d/", one.ID), &upload)); err != nil {
			return err
		}
		if upload.State == "cleaning" {
			return nil
		}
		if upload.State != "ready" {
			return fmt.Errorf("the photo is %s", upload.State)
		}
		one.seen = true
	}
	content, err := p.Fetch(ctx, path)
	if err == nil && len(content) == 0 {
		err = errors.New("the photo is empty")
	}
	return err
}
