package story

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"net/http"
	"time"
)

// A Photo is one that somebody has sent and attached.
type Photo struct {
	ID int64 // under /api/media/
	By *Person
}

// How large photos are as they are sent, lying on their side, and their thumbnails, which stand.
func shotSize() image.Point  { return image.Pt(960, 720) }
func thumbSize() image.Point { return image.Pt(384, 512) }

// Photo follows the main job: the member completes the task again with a photo of it, and the owner keeps a document with
// another. Both photos tell where the home is. They are cleaned after that.
func (d *Done) Photo(ctx context.Context) error {
	shot, err := Shot(shotSize().X, shotSize().Y)
	if err != nil {
		return err
	}
	var completed struct{ Completion struct{ Images []attached } }
	of, err := d.Member.Send(ctx, Picture("completion_image", shot))
	if err != nil {
		return fmt.Errorf("photo of the task: %w", err)
	}
	err = d.Member.Create(ctx, "/api/task-completions/", http.StatusCreated, map[string]any{"task_id": d.Task, "upload_ids": []int64{of}}, &completed)
	if err != nil {
		return err
	}
	var kept struct{ Files []attached }
	to, err := d.Owner.Send(ctx, Picture("document_image", shot))
	if err != nil {
		return fmt.Errorf("photo of the document: %w", err)
	}
	err = d.Owner.Create(ctx, "/api/documents/", http.StatusCreated, map[string]any{
		"residence_id": d.Residence, "title": "Gutter guard", "document_type": "warranty", "task_id": d.Task,
		"warranty_expires_on": Day(3650), "upload_ids": []int64{to},
	}, &kept)
	if err != nil {
		return err
	}
	for id, files := range map[int64][]attached{of: completed.Completion.Images, to: kept.Files} {
		if len(files) != 1 || files[0].ID != id {
			return fmt.Errorf("photo %d is attached as %v", id, files)
		}
	}
	d.Photos = append(d.Photos, Photo{of, d.Member}, Photo{to, d.Owner})
	return nil
}

// Picture is a JPEG to send.
func Picture(category string, content []byte) File {
	return File{Category: category, Type: "image/jpeg", Name: "IMG_0001.jpg", Content: content}
}

type attached struct {
	ID    int64
	State string
}

// Look waits until the photos are ready and has everybody of the home look at them, large and small. Nothing that they get
// tells where it was taken, and to a stranger there is nothing.
func (d *Done) Look(ctx context.Context, stranger *Person) error {
	for _, photo := range d.Photos {
		if err := photo.Ready(ctx); err != nil {
			return err
		}
		media := fmt.Sprintf("/api/media/%d/", photo.ID)
		for _, p := range []*Person{d.Owner, d.Member} {
			for path, size := range map[string]image.Point{media: shotSize(), media + "?size=thumb": thumbSize()} {
				if err := p.look(ctx, path, size); err != nil {
					return err
				}
			}
		}
		for _, path := range []string{media, media + "?size=thumb", photo.upload()} {
			if err := stranger.must(ctx, http.MethodGet, path, nil, http.StatusNotFound, nil); err != nil {
				return fmt.Errorf("a stranger: %w", err)
			}
		}
	}
	return nil
}

func (p Photo) upload() string { return fmt.Sprintf("/api/uploads/%d/", p.ID) }

// Ready asks, as an app does, until the photo is cleaned.
func (p Photo) Ready(ctx context.Context) error {
	const pause = 100 * time.Millisecond
	for {
		var upload attached
		if err := p.By.Read(ctx, p.upload(), &upload); err != nil {
			return err
		}
		if upload.State == "ready" {
			return nil
		}
		if upload.State != "cleaning" {
			return fmt.Errorf("photo %d is %s", p.ID, upload.State)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("photo %d is still being cleaned: %w", p.ID, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// look fetches a picture of that size, which must not tell where it was taken.
func (p *Person) look(ctx context.Context, path string, size image.Point) error {
	file, err := p.Fetch(ctx, path)
	if err != nil {
		return err
	}
	picture, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return fmt.Errorf("decode %s: %w", path, err)
	}
	if got := picture.Bounds().Size(); got != size {
		return fmt.Errorf("%s has %v pixels, not %v", path, got, size)
	}
	for _, place := range places() {
		if bytes.Contains(file, []byte(place)) {
			return errors.New(path + " tells where it was taken")
		}
	}
	return nil
}
