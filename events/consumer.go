package events

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/metric"
)

// maxAttempts is how often a consumer tries an event before its row is dead.
const maxAttempts = 12

type permanentError struct{ err error }

func (p *permanentError) Error() string { return p.err.Error() }
func (p *permanentError) Unwrap() error { return p.err }

// Permanent marks err as one that no retry mends: the delivery row is dead with its text as the reason,
// which therefore holds no value that a person submitted.
func Permanent(err error) error { return &permanentError{err} }

type laterError struct{ err error }

func (l *laterError) Error() string { return l.err.Error() }
func (l *laterError) Unwrap() error { return l.err }

// Later marks err as one that says nothing about the event, such as that of another server which is away: the delivery comes
// again, and its attempt does not count. It counts all the same once the time of the delivery is over, for that may be the
// event's doing.
func Later(err error) error { return &laterError{err} }

// Transactor runs fn in a transaction: committed when fn returns nil, rolled back otherwise.
type Transactor interface {
	DB
	Transact(ctx context.Context, fn func(tx pgx.Tx) error) error
}

// An Effect is what an event changes, made in the transaction that confirms its delivery. What it returns to run runs after
// the commit, within the delivery's request, and cannot fail it.
type Effect func(ctx context.Context, tx pgx.Tx) (after func(context.Context), err error)

// A Consumer is the HTTP handler of a function that events come to. It answers as brokers act: 204 when done, done
// before, unknown, or hopeless; 503 when it should come again. Nothing else is ever answered to a POST.
type Consumer struct {
	Name string // the function's name, as the catalogue has it
	DB   Transactor
	Log  *slog.Logger
	// Handle is the [Effect] of an event that needs nothing but the database. A function that only follows schedules has none.
	Handle func(ctx context.Context, tx pgx.Tx, e Event) (after func(context.Context), err error)
	// Work, in place of Handle, is for events that need more: it runs outside of any transaction, and what it returns is the
	// effect. Two deliveries at once may both work; one effect is made. attempt is how many deliveries began so far, this one
	// among them, without those that ended [Later]: what kills its process counts, and Work can be wary of it.
	Work func(ctx context.Context, e Event, attempt int) (Effect, error)
	// Schedules are sweeps by the name of their PingSource. A sweep is correct at any time and any number of times. That it ran is
	// for its first statement to note, with [NotingTick]; that it failed is noted here.
	Schedules map[string]func(context.Context) error
	Timeout   time.Duration // of one delivery; 0 means 50 s
}

// ServeHTTP takes one delivery in the binary mode of the CloudEvents HTTP binding.
func (c *Consumer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began, timeout := time.Now(), c.Timeout
	if timeout == 0 {
		timeout = 50 * time.Second
	}
	// A broker that hangs up does not stop work half-way: the effect is idempotent, the next delivery finds it done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), timeout)
	defer cancel()
	answered := false // a panic is put off as well
	defer func() { c.count(ctx, r.Header, began, answered) }()
	err := c.receive(ctx, r.Header)
	answered = err == nil
	if err != nil {
		c.Log.WarnContext(ctx, "event put off", "event", eventID(r.Header), "error", err)
		w.Header().Set("Retry-After", retryAfter(5*time.Second))
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// eventID returns the id of a delivery only if it has the form of ours, since anybody may have written it.
func eventID(h http.Header) string {
	id, err := uuid.Parse(h.Get("Ce-Id"))
	if err != nil {
		return ""
	}
	return id.String()
}

// receive returns an error only for what may work another time.
func (c *Consumer) receive(ctx context.Context, h http.Header) error {
	if h.Get("Ce-Type") == PingType {
		return c.tick(ctx, h.Get("Ce-Source"))
	}
	id, err := uuid.Parse(h.Get("Ce-Id"))
	if err != nil || c.Handle == nil && c.Work == nil {
		c.Log.InfoContext(ctx, "delivery ignored: not an event of ours")
		return nil
	}
	return c.consume(ctx, id)
}

// Unhurried is an item of a statement's FROM list, with which its commit does not wait for the disk. It is for what guards against
// the end of a process, such as counts and leases: that the database crashes as well, in the same moment, may undo it.
const Unhurried = `(SELECT set_config('synchronous_commit', 'off', true)) unhurried`

// The attempt is counted and committed before any work, so that an event that kills its consumer ends as well.
const countAttempt = `
UPDATE outbox_delivery d
SET attempts = least(d.attempts + 1, $3),
    state = CASE WHEN d.attempts >= $3 THEN 'dead' ELSE d.state END,
    reason = CASE WHEN d.attempts >= $3 THEN 'attempts are used up' ELSE d.reason END
FROM outbox_event e, ` + Unhurried + `
WHERE d.event_id = $1::uuid AND d.consumer = $2 AND d.state = 'pending' AND e.id = d.event_id
RETURNING d.state, d.attempts, e.id, e.type, e.source, e.subject, e.time, e.data, e.traceparent`

const giveAttemptBack = `
UPDATE outbox_delivery SET attempts = greatest(attempts - 1, 0) WHERE event_id = $1::uuid AND consumer = $2 AND state = 'pending'`

type attempt struct {
	State    string
	Attempts int
	Event
}

func (c *Consumer) consume(ctx context.Context, id uuid.UUID) error {
	rows, err := c.DB.Query(ctx, countAttempt, id.String(), c.Name, maxAttempts)
	if err != nil {
		return fmt.Errorf("count attempt: %w", err)
	}
	a, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[attempt])
	if errors.Is(err, pgx.ErrNoRows) {
		c.Log.InfoContext(ctx, "delivery ignored: done before, or unknown", "event", id)
		return nil
	}
	if err != nil {
		return fmt.Errorf("read event: %w", err)
	}
	if a.State != "pending" {
		c.Log.ErrorContext(ctx, "event is dead: its attempts are used up", "event", id, "type", a.Type)
		return nil
	}
	done, after, err := c.handle(ctx, a)
	var hopeless *permanentError
	var later *laterError
	switch {
	case errors.As(err, &hopeless):
		c.Log.ErrorContext(ctx, "event is dead", "event", id, "type", a.Type, "error", err)
		_, err = c.DB.Exec(ctx, markDead, id.String(), c.Name, hopeless.Error())
		if err != nil {
			return fmt.Errorf("bury %s: %w", a.Type, err)
		}
		return nil
	case errors.As(err, &later) && ctx.Err() == nil:
		_, uncounted := c.DB.Exec(ctx, giveAttemptBack, id.String(), c.Name)
		return fmt.Errorf("handle %s: %w", a.Type, errors.Join(err, uncounted))
	case err != nil:
		return fmt.Errorf("handle %s: %w", a.Type, err)
	}
	if !done {
		c.Log.InfoContext(ctx, "delivery ignored: somebody else ended it meanwhile", "event", id, "type", a.Type)
		return nil
	}
	c.Log.InfoContext(ctx, "event done", "event", id, "type", a.Type)
	lag.Record(ctx, time.Since(a.Time).Seconds(), metric.WithAttributes(byType(a.Type)))
	if after != nil {
		after(ctx)
	}
	return nil
}

const markDone = `
UPDATE outbox_delivery SET state = 'done', done_at = now() WHERE event_id = $1::uuid AND consumer = $2 AND state = 'pending'`

const markDead = `
UPDATE outbox_delivery SET state = 'dead', reason = $3 WHERE event_id = $1::uuid AND consumer = $2 AND state = 'pending'`

// handle confirms the delivery and makes the effect in one transaction, in this order: a second delivery at the same moment waits
// for the first, and finds it done. done is false when somebody else had ended it.
func (c *Consumer) handle(ctx context.Context, a attempt) (done bool, after func(context.Context), err error) {
	effect := func(ctx context.Context, tx pgx.Tx) (func(context.Context), error) { return c.Handle(ctx, tx, a.Event) }
	if c.Work != nil {
		if effect, err = c.Work(ctx, a.Event, a.Attempts); err != nil {
			return false, nil, err
		}
	}
	err = c.DB.Transact(ctx, func(tx pgx.Tx) error {
		marked, err := tx.Exec(ctx, markDone, a.ID.String(), c.Name)
		if err != nil {
			return fmt.Errorf("confirm delivery: %w", err)
		}
		if done = marked.RowsAffected() > 0; !done {
			return nil
		}
		after, err = effect(ctx, tx)
		return err
	})
	if err != nil {
		return false, nil, err
	}
	return done, after, nil
}
