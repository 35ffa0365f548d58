package events

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Times of a delivery row. A row is born with a lease, so that the relay leaves it alone while the function
// that wrote it publishes; it is due at once when that fails, and later each time that it succeeds.
const (
	birthLease     = 30 * time.Second
	firstRedeliver = 60 * time.Second
	lastRedeliver  = time.Hour
	publishTimeout = 10 * time.Second
	idleConns      = 16 // to the broker
	settleTimeout  = 4 * time.Second
)

// DB is what publishing needs of a connection pool, outside any transaction.
type DB interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Tx is the transaction that makes a fact true. Queue sends a statement with the commit, in one round trip;
// AfterCommit runs once the commit is known to have happened.
type Tx interface {
	Queue(sql string, args ...any)
	AfterCommit(func())
}

// Tasks runs work that outlives a request; its owner waits for it at shutdown.
type Tasks interface {
	Go(func(ctx context.Context))
}

// Publisher sends events to a broker over HTTP.
type Publisher struct {
	Sink   string // the broker's address, K_SINK
	Client *http.Client
}

// NewPublisher returns a publisher to the broker at sink, with connections of its own: as many stay open as events are usually under
// way. It goes through no proxy and follows no redirect.
func NewPublisher(sink string) Publisher {
	return Publisher{Sink: sink, Client: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: idleConns, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: publishTimeout},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Publish sends e and returns nil once the broker has taken it.
func (p Publisher) Publish(ctx context.Context, e Event) (err error) {
	defer func() {
		publications.Add(ctx, 1, metric.WithAttributes(byOutcome(err == nil, "taken", "failed")))
	}()
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	req, err := request(ctx, p.Sink, e)
	if err != nil {
		return err
	}
	return p.send(req)
}

// send returns nil once the broker has taken what req carries.
func (p Publisher) send(req *http.Request) error {
	// Sent again once when the broker had just closed the connection: consumers know an event that comes twice by its id. The
	// header says so to net/http and, being empty, to nobody else.
	req.Header["Idempotency-Key"] = []string{}
	res, err := p.Client.Do(req) //nolint:gosec // the broker's address is the operator's setting
	if err != nil {
		return fmt.Errorf("reach broker: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("broker answered %d", res.StatusCode)
	}
	return nil
}

// request writes e in the binary mode of the CloudEvents HTTP binding.
func request(ctx context.Context, sink string, e Event) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, sink, bytes.NewReader(e.Data))
	if err != nil {
		return nil, fmt.Errorf("address of the broker: %w", err)
	}
	req.Header = e.Header()
	return req, nil
}

// Outbox appends the events of one function and publishes them after their commit.
type Outbox struct {
	Function  string
	DB        DB
	Publisher Publisher
	Tasks     Tasks
	Log       *slog.Logger
	Now       func() time.Time
}

const insertEvent = `
INSERT INTO outbox_event (id, type, source, subject, time, data, traceparent)
VALUES ($1::uuid, $2, $3, $4, $5::timestamptz, $6::jsonb, $7)`

const insertDelivery = `
INSERT INTO outbox_delivery (event_id, consumer, next_at)
VALUES ($1::uuid, $2, now() + make_interval(secs => $3::float8))`

// Append writes the fact data in tx, with a delivery row for each consumer, and has it published once tx
// has committed. No answer waits for the publishing, and a request that ends does not cancel it.
func (o *Outbox) Append(ctx context.Context, tx Tx, data Data) error {
	e, err := New(o.Function, data, o.Now())
	if err != nil {
		return err
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	e.Traceparent = carrier.Get("traceparent")
	tx.Queue(insertEvent, e.ID.String(), e.Type, e.Source, e.Subject, e.Time, string(e.Data), e.Traceparent)
	entry, _ := Lookup(e.Type)
	for _, consumer := range entry.Consumers {
		tx.Queue(insertDelivery, e.ID.String(), consumer, birthLease.Seconds())
	}
	span := trace.SpanContextFromContext(ctx) // for lines of the log
	tx.AfterCommit(func() {
		o.Tasks.Go(func(ctx context.Context) { o.publish(trace.ContextWithSpanContext(ctx, span), e) })
	})
	return nil
}

// Replay makes e's delivery to that consumer pending again in tx, under the same id and with no attempts counted, and has e published
// once tx has committed, as [Outbox.Append] does. Only a delivery that is dead or done comes again: hold its row to know that it is.
func (o *Outbox) Replay(tx Tx, e Event, consumer string) {
	tx.Queue(replayDelivery, e.ID.String(), consumer)
	tx.AfterCommit(func() {
		o.Tasks.Go(func(ctx context.Context) { o.publish(ctx, e) })
	})
}

// publish sends e once. What goes wrong here is the relay's to mend, so it is said and not returned.
func (o *Outbox) publish(ctx context.Context, e Event) {
	err := o.Publisher.Publish(ctx, e)
	if err != nil {
		o.Log.WarnContext(ctx, "event not published; the outbox schedule will publish it", "event", e.ID, "type", e.Type, "error", err)
	}
	if err := settle(ctx, o.DB, e.ID, err == nil); err != nil {
		o.Log.WarnContext(ctx, "event's next publication not noted; its lease stands", "event", e.ID, "error", err)
	}
}

// Each success doubles the pause before the event is published again, while its consumer has not confirmed it.
const deliveryPublished = `
UPDATE outbox_delivery
SET publications = publications + 1,
    next_at = now() + make_interval(secs => least($2::float8 * power(2, least(publications, 10)), $3::float8))
WHERE event_id = $1::uuid AND state = 'pending'`

const deliveryUnpublished = `
UPDATE outbox_delivery SET next_at = now() WHERE event_id = $1::uuid AND state = 'pending'`

// settle notes the outcome of one publication.
func settle(ctx context.Context, db DB, id uuid.UUID, published bool) error {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	var err error
	if published {
		_, err = db.Exec(ctx, deliveryPublished, id.String(), firstRedeliver.Seconds(), lastRedeliver.Seconds())
	} else {
		_, err = db.Exec(ctx, deliveryUnpublished, id.String())
	}
	if err != nil {
		return fmt.Errorf("settle publication of event %s: %w", id, err)
	}
	return nil
}

func retryAfter(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) }
