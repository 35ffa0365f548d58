package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"text/tabwriter"
	"time"

	"github.com/honeydue/backend/tests/bench/report"
	"github.com/honeydue/backend/tests/story"
)

// maxAttach is how long the median completion with a photo may take.
const maxAttach = 25 * time.Millisecond

const (
	completions = 200
	rhythmDaily = 2 // of the frequencies

	// between two calls the function tells of the first one and the disk comes to rest, as it does between a phone's.
	between = 20 * time.Millisecond
)

// A worker has a task, in a home of their own, that is due again and again.
type worker struct{ person, task int64 }

const insertTask = `
WITH home AS (
    INSERT INTO residence_residence (name, created_by_id) VALUES ('Home', $1::bigint) RETURNING id
), owner AS (
    INSERT INTO residence_member (residence_id, user_id, role) SELECT id, $1::bigint, 'owner' FROM home
)
INSERT INTO task_task (residence_id, title, frequency_id, due_on, next_due_on, created_by_id)
SELECT id, 'Water the plants', $2::bigint, current_date, current_date, $1::bigint FROM home RETURNING id`

// A kind of completion is with one photo, or without any, and how long each took.
type kind struct {
	name  string
	photo []byte
	times []time.Duration
}

// benchAttach prints how long completions take with a photo and without, taken in turns, and returns whether the target is met.
func benchAttach(ctx context.Context, out io.Writer, s *stage) (met bool, err error) {
	people, err := s.People(ctx, 1)
	if err != nil {
		return false, err
	}
	by := worker{person: people[0]}
	if err := s.DB.QueryRow(ctx, insertTask, by.person, rhythmDaily).Scan(&by.task); err != nil {
		return false, fmt.Errorf("insert task: %w", err)
	}
	kinds := []kind{{name: "no photo"}}
	for _, width := range []int{1280, 4000} {
		photo, err := story.Grainy(width, width*3/4)
		if err != nil {
			return false, err
		}
		kinds = append(kinds, kind{name: fmt.Sprintf("photo of %d KiB", len(photo)>>10), photo: photo})
	}
	if err := measureAttach(ctx, s, by, kinds); err != nil {
		return false, err
	}
	_, _ = fmt.Fprintf(out, "\nCompletions with a photo attached, on versitygw: %d of each kind, in turns, one after the other\n\n", completions)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "completion\tp50\ttarget\tp95\tmore than without\ttimes\t\t")
	met = true
	without := percentile(kinds[0].times, 50)
	for _, k := range kinds {
		p50 := percentile(k.times, 50)
		ok := p50 <= maxAttach
		met = met && ok
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%.2f\t%s\t\n", k.name, report.MS(p50), report.MS(maxAttach), report.MS(percentile(k.times, 95)),
			report.MS(p50-without), float64(p50)/float64(without), report.Verdict(ok))
	}
	return met, table.Flush()
}

// measureAttach fills in the times of all kinds. The first call of each, when connections are made, is none of them.
func measureAttach(ctx context.Context, s *stage, by worker, kinds []kind) (err error) {
	p, err := s.start(ctx, "tasks")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for round := range completions + 1 {
		for i := range kinds {
			k := &kinds[i]
			body := fmt.Sprintf(`{"task_id": %d}`, by.task)
			if k.photo != nil {
				id, err := s.send(ctx, by.person, k.photo)
				if err != nil {
					return err
				}
				body = fmt.Sprintf(`{"task_id": %d, "upload_ids": [%d]}`, by.task, id)
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(between):
			}
			took, err := post(ctx, client, p.URL+"/api/task-completions/", by.person, rand.Text(), body)
			if err != nil {
				return fmt.Errorf("%s: %w", k.name, err)
			}
			if round > 0 {
				k.times = append(k.times, took)
			}
		}
	}
	return nil
}

const insertUpload = `
INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, expires_at)
VALUES ($1, 'completion_image', 'image/jpeg', $2, 256, $3, now() + interval '15 minutes') RETURNING id`

// send puts a photo where and how a phone does, and returns the upload's id.
func (s *stage) send(ctx context.Context, person int64, photo []byte) (id int64, err error) {
	key := "uploads/" + rand.Text()
	if err := s.DB.QueryRow(ctx, insertUpload, person, len(photo), key).Scan(&id); err != nil {
		return 0, fmt.Errorf("insert upload: %w", err)
	}
	address, err := s.client.PresignedPutObject(ctx, bucket, key, time.Minute)
	if err != nil {
		return 0, fmt.Errorf("sign address: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, address.String(), bytes.NewReader(photo))
	if err != nil {
		return 0, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", "image/jpeg")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("send photo: %w", err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK {
		return 0, errors.Join(err, fmt.Errorf("send photo: answered %d", res.StatusCode))
	}
	return id, nil
}
