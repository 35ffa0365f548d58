package story

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Password is every person's of the story.
const Password = "ladder-gutter-november"

// A Person of the story, on a phone of their own.
type Person struct {
	*Phone
	ID    int64
	Email string
}

type signedIn struct {
	Token string
	User  struct{ ID int64 }
}

// Register makes an account with a fresh address and signs it in on a phone. An answer that was lost on the way is
// found out by signing in.
func Register(ctx context.Context, phone *Phone, firstName string) (*Person, error) {
	p := &Person{Phone: phone, Email: strings.ToLower(firstName + "." + rand.Text() + "@example.com")}
	answer, err := p.sure(ctx, http.MethodPost, "/api/auth/register/", map[string]any{
		"email": p.Email, "password": Password, "first_name": firstName, "device_name": firstName + "'s phone",
	}, "")
	if err != nil {
		return nil, err
	}
	var in signedIn
	if answer.Status == http.StatusConflict {
		return p, p.SignIn(ctx)
	}
	if err := answer.Decode(http.StatusCreated, &in); err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	p.Token, p.ID = in.Token, in.User.ID
	return p, nil
}

// SignIn gets a new token.
func (p *Person) SignIn(ctx context.Context) error {
	answer, err := p.sure(ctx, http.MethodPost, "/api/auth/login/", map[string]any{"email": p.Email, "password": Password}, "")
	if err != nil {
		return err
	}
	var in signedIn
	if err := answer.Decode(http.StatusOK, &in); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	p.Token, p.ID = in.Token, in.User.ID
	return nil
}

// Verify proves the person's address with the code from a mail.
func (p *Person) Verify(ctx context.Context, code string) error {
	answer, err := p.sure(ctx, http.MethodPost, "/api/auth/verify-email/", map[string]any{"code": code}, "")
	if err != nil {
		return err
	}
	if err := answer.Decode(http.StatusOK, nil); err != nil {
		return fmt.Errorf("verify email: %w", err)
	}
	return nil
}

// Done is what the main job left behind: everything in it was acknowledged.
type Done struct {
	Owner, Member *Person
	Residence     int64
	Task          int64
	Completion    int64
	Title         string
	Photos        []Photo // once there are any
}

// MainJob has two people register, each on a phone of their own, share a home, and one complete a task in it.
func MainJob(ctx context.Context, phone func() *Phone) (*Done, error) {
	done, err := Meet(ctx, phone)
	if err != nil {
		return nil, err
	}
	return done, done.Live(ctx)
}

// Meet is where the main job begins: two people register. Nobody mails them news before they have proved their addresses.
func Meet(ctx context.Context, phone func() *Phone) (*Done, error) {
	owner, err := Register(ctx, phone(), "Olive")
	if err != nil {
		return nil, fmt.Errorf("owner: %w", err)
	}
	member, err := Register(ctx, phone(), "Max")
	if err != nil {
		return nil, fmt.Errorf("member: %w", err)
	}
	return &Done{Owner: owner, Member: member}, nil
}

// Live is the rest of the main job.
func (d *Done) Live(ctx context.Context) (err error) {
	if d.Residence, err = Share(ctx, d.Owner, d.Member); err != nil {
		return err
	}
	return d.work(ctx)
}

// Share has owner make a home and let members in, and returns its id.
func Share(ctx context.Context, owner *Person, members ...*Person) (int64, error) {
	var home struct{ ID int64 }
	if err := owner.Create(ctx, "/api/residences/", http.StatusCreated, map[string]any{"name": "Lake house", "residence_type": "house"}, &home); err != nil {
		return 0, err
	}
	return home.ID, Admit(ctx, owner, home.ID, members...)
}

// Admit has owner let members into a home.
func Admit(ctx context.Context, owner *Person, home int64, members ...*Person) error {
	for _, member := range members {
		// A code is a secret and takes no Idempotency-Key; asking again ends the one before.
		answer, err := owner.sure(ctx, http.MethodPost, fmt.Sprintf("/api/residences/%d/share/", home), map[string]any{}, "")
		if err != nil {
			return err
		}
		var share struct{ Code string }
		if err := answer.Decode(http.StatusCreated, &share); err != nil {
			return fmt.Errorf("share: %w", err)
		}
		if err := member.Create(ctx, "/api/residences/join/", http.StatusOK, map[string]any{"code": share.Code}, nil); err != nil {
			return err
		}
	}
	return nil
}

// Day returns the date that lies that many days ahead, as the API writes it.
func Day(ahead int) string { return time.Now().UTC().AddDate(0, 0, ahead).Format(time.DateOnly) }

// work has the owner create a quarterly task and the member complete it before it is due.
func (d *Done) work(ctx context.Context) error {
	today := time.Now().UTC()
	// Every month has a first, so that a quarter after it needs no rule.
	due := time.Date(today.Year(), today.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	first, next := due.Format(time.DateOnly), due.AddDate(0, 3, 0).Format(time.DateOnly)
	d.Title = "Clean the gutters " + rand.Text()[:8]
	var task struct{ ID int64 }
	err := d.Owner.Create(ctx, "/api/tasks/", http.StatusCreated, map[string]any{
		"residence_id": d.Residence, "title": d.Title, "due_date": first, "frequency_id": 6, "assigned_to_id": d.Member.ID,
	}, &task)
	if err != nil {
		return err
	}
	d.Task = task.ID
	var completed struct {
		Completion struct{ ID int64 }
		Task       struct {
			NextDueDate string `json:"next_due_date"`
		}
	}
	err = d.Member.Create(ctx, "/api/task-completions/", http.StatusCreated, map[string]any{
		"task_id": d.Task, "occurrence": first, "notes": "Both sides, and the downpipe", "actual_cost": "12.50",
	}, &completed)
	if err != nil {
		return err
	}
	d.Completion = completed.Completion.ID
	if completed.Task.NextDueDate != next {
		return errors.New("the quarterly task of " + first + " is next due on " + completed.Task.NextDueDate)
	}
	return nil
}

// A Board as the API answers it.
type Board struct {
	Columns []struct {
		Name  string
		Count int
		Tasks []struct {
			ID           int64
			Title        string
			KanbanColumn string `json:"kanban_column"`
		}
	}
}

// Column returns the column in which the board shows the task, or nothing.
func (b Board) Column(task int64) string {
	for _, column := range b.Columns {
		for _, t := range column.Tasks {
			if t.ID == task {
				return column.Name
			}
		}
	}
	return ""
}
