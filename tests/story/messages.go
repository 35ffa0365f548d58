package story

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/honeydue/backend/knative/local/mailbox"
	"github.com/honeydue/backend/shared/devserver/push"
)

// Overslept is SQL after which the last tick of reminders lies two hours back, and everybody's account before that.
const Overslept = `
WITH older AS (UPDATE auth_user SET created_at = created_at - interval '3 hours')
UPDATE notification_schedule SET planned_until = now() - interval '2 hours' WHERE name = 'reminders'`

// A World is what a story needs beside the API: where mails and pushes end up, and the clock's part.
type World struct {
	Phone func() *Phone
	Mail  *mailbox.Mailbox
	Push  *push.Double
	Tick  func(ctx context.Context, schedule string) error
	// Oversleep makes the schedule reminders forget its ticks of the last two hours, so that the next one plans what they would have.
	Oversleep func(ctx context.Context) error
}

// A listener is somebody whose phone and mailbox are watched.
type listener struct {
	*World

	who    *Person // hears
	worker *Person // of the same home, does what there is to hear of
	home   int64
	device string
	zone   *time.Location
	task   int64
	title  string // of the task, like no other
}

// Messages has somebody prove their address, register a phone and say what they want to hear, and then hear of what happens in their
// home and of what is due: each once, by the channels that they left on. It returns an error about the first thing that is not as
// they expect.
func Messages(ctx context.Context, w World) error {
	l := &listener{World: &w}
	for _, step := range []struct {
		name string
		do   func(ctx context.Context) error
	}{
		{"set up a phone", l.setUp},
		{"hear who joined", l.hearWhoJoined},
		{"be given a task", l.beGiven},
		{"read the list", l.readList},
		{"hear what is done", l.hearDone},
		{"unsubscribe", l.unsubscribe},
		{"be reminded", l.beReminded},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

// setUp takes a zone whose hours do not begin with those of others, and switches pushes off for one type.
func (l *listener) setUp(ctx context.Context) (err error) {
	if l.zone, err = time.LoadLocation("Asia/Kathmandu"); err != nil {
		return fmt.Errorf("find zone: %w", err)
	}
	for name, p := range map[string]**Person{"Lena": &l.who, "Max": &l.worker} {
		if *p, err = Register(ctx, l.Phone(), name); err != nil {
			return err
		}
	}
	if err := l.who.Prove(ctx, l.Mail); err != nil {
		return err
	}
	var token [32]byte
	_, _ = rand.Read(token[:]) // never fails
	l.device = hex.EncodeToString(token[:])
	err = l.who.Create(ctx, "/api/notifications/devices/", http.StatusCreated, map[string]any{"platform": push.IOS, "token": l.device}, nil)
	if err != nil {
		return err
	}
	return l.prefer(ctx, map[string]any{
		"types": map[string]any{"residence_joined": map[string]any{"push": false}}, "time_zone": l.zone.String(),
	})
}

func (l *listener) prefer(ctx context.Context, change map[string]any) error {
	return l.who.must(ctx, http.MethodPatch, "/api/notifications/preferences/", change, http.StatusOK, nil)
}

// hearWhoJoined gets a mail about it and no push.
func (l *listener) hearWhoJoined(ctx context.Context) (err error) {
	if l.home, err = Share(ctx, l.who, l.worker); err != nil {
		return err
	}
	_, err = l.mail(ctx, "Max joined")
	return err
}

// beGiven gets a mail and a push with what can be done about the task.
func (l *listener) beGiven(ctx context.Context) (err error) {
	l.title = "Oil the hinges " + rand.Text()[:8]
	if l.task, err = l.give(ctx, l.title, map[string]any{"due_date": Day(9), "frequency_id": 3}); err != nil {
		return err
	}
	if _, err := l.mail(ctx, "For you: "+l.title); err != nil {
		return err
	}
	p, err := l.push(ctx, "For you: "+l.title)
	if err != nil {
		return err
	}
	if buttons, ok := p.Data["button_types"].([]any); !ok || len(buttons) == 0 || p.Data["task_id"] != float64(l.task) {
		return fmt.Errorf("the push is not one that a task can be acted on with: %v", p.Data)
	}
	return nil
}

// give has the worker make a task for the listener.
func (l *listener) give(ctx context.Context, title string, more map[string]any) (int64, error) {
	more["residence_id"], more["title"], more["assigned_to_id"] = l.home, title, l.who.ID
	var made struct{ ID int64 }
	return made.ID, l.worker.Create(ctx, "/api/tasks/", http.StatusCreated, more, &made)
}

// complete has the worker complete a task.
func (l *listener) complete(ctx context.Context, task int64) error {
	return l.worker.Create(ctx, "/api/task-completions/", http.StatusCreated, map[string]any{"task_id": task}, nil)
}

// hearDone gets a mail and a push.
func (l *listener) hearDone(ctx context.Context) error {
	if err := l.complete(ctx, l.task); err != nil {
		return err
	}
	_, err := l.push(ctx, "Done: "+l.title)
	return err
}

// unsubscribe ends the mails about what is done from within one; pushes go on.
func (l *listener) unsubscribe(ctx context.Context) error {
	mail, err := l.mail(ctx, "Done: "+l.title)
	if err != nil {
		return err
	}
	if err := l.who.OneClick(ctx, mail); err != nil {
		return err
	}
	if err := l.complete(ctx, l.task); err != nil {
		return err
	}
	return l.await(ctx, "two pushes about what is done", func() bool { return l.pushes("Done: "+l.title) == 2 })
}

// beReminded is told on the day itself, in the hour that it is, once, however often the schedule fires; and hears that the task is done
// by push alone.
func (l *listener) beReminded(ctx context.Context) error {
	now := time.Now().In(l.zone)
	title := "Water the fern " + rand.Text()[:8]
	if err := l.prefer(ctx, map[string]any{"task_due_soon_hour": now.Hour()}); err != nil {
		return err
	}
	task, err := l.give(ctx, title, map[string]any{"due_date": now.Format(time.DateOnly)})
	if err != nil {
		return err
	}
	if _, err := l.push(ctx, "For you: "+title); err != nil {
		return err
	}
	if err := l.Oversleep(ctx); err != nil {
		return err
	}
	for range 2 {
		if err := l.Tick(ctx, "reminders"); err != nil {
			return err
		}
	}
	if _, err := l.mail(ctx, "Due today: "+title); err != nil {
		return err
	}
	if _, err := l.push(ctx, title); err != nil {
		return err
	}
	if err := l.complete(ctx, task); err != nil {
		return err
	}
	if _, err := l.push(ctx, "Done: "+title); err != nil {
		return err
	}
	return l.once(ctx, title)
}
