package broker

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
)

// Eventing keeps this much of an answer, base64 encoded, for the dead letter sink.
const maxErrorData = 1024

// delivery is one event on its way to one consumer; a single goroutine runs it.
type delivery struct {
	broker   *Broker
	parcel   *parcel
	consumer *consumer
	attempts int
}

// outcome is what one attempt came to; it went well when err is nil.
type outcome struct {
	err        error
	final      bool // no later attempt would help
	status     int  // 0 when there was no answer
	retryAfter time.Duration
	address    string
	header     http.Header
	body       []byte
	reply      *event.Event
}

func (d *delivery) run() {
	defer d.broker.release(d.parcel)
	ctx := d.broker.ctx
	out := d.persist(ctx, d.ask)
	if out.err == nil && out.reply != nil {
		asked := out
		out = d.persist(ctx, func(context.Context) outcome { return d.passOn(asked) })
	}
	if out.err == nil {
		d.observe(Delivered, out)
		return
	}
	if d.consumer.policy.deadLetter != nil {
		buried := d.persist(ctx, func(ctx context.Context) outcome { return d.bury(ctx, out) })
		if buried.err == nil {
			d.observe(Dead, out)
			d.log(ctx, "event went to the dead letter sink", out)
			return
		}
		out.err = fmt.Errorf("%w; dead letter sink: %w", out.err, buried.err)
	}
	d.observe(Failed, out)
	d.log(ctx, "event dropped", out)
}

// persist repeats try until it succeeds or the policy allows no more. Once the Broker closes, one more
// attempt follows without a wait, and it is the last.
func (d *delivery) persist(ctx context.Context, try func(context.Context) outcome) outcome {
	last := false
	for n := 0; ; n++ {
		out := try(ctx)
		if out.err == nil || out.final || last || n >= d.consumer.policy.retries || ctx.Err() != nil {
			return out
		}
		d.observe(Retrying, out)
		select {
		case <-d.broker.options.After(d.consumer.policy.backoff(n, out.retryAfter)):
		case <-d.broker.closing:
			last = true
		}
	}
}

// ask makes one attempt at the subscriber and judges its answer.
func (d *delivery) ask(ctx context.Context) outcome {
	header := d.parcel.header.Clone()
	header.Set("Prefer", "reply")
	out := d.post(ctx, d.consumer.Subscriber, d.parcel.event, header, func() {
		d.attempts++
		d.observe(Delivering, outcome{})
	})
	if out.err != nil {
		return out
	}
	reply, err := readEvent(ctx, out.header, out.body)
	switch {
	case err == nil:
		out.reply = &reply
	case errors.Is(err, errNoEvent) && len(out.body) == 0:
	default:
		out.err = fmt.Errorf("consumer answered with a body that is no event: %w", err)
	}
	return out
}

// passOn brings a consumer's reply into the Broker, as long-lived as the event that it answers.
func (d *delivery) passOn(asked outcome) outcome {
	reply := asked.reply.Clone()
	reply.SetExtension(ttlAttribute, d.parcel.ttl)
	out := asked
	if refused := d.broker.take(reply, asked.header, true); refused != nil {
		out.err = fmt.Errorf("pass on reply: %w", refused)
		out.status, out.final = refused.status, !retryable(refused.status)
	}
	return out
}

// bury makes one attempt at the dead letter sink, telling it what went wrong as Eventing does.
func (d *delivery) bury(ctx context.Context, failed outcome) outcome {
	status, data := failed.status, failed.body
	switch {
	case status == 0:
		status, data = http.StatusInternalServerError, []byte("dispatch error: "+failed.err.Error())
	case status < http.StatusMultipleChoices:
		status = http.StatusBadGateway
	}
	encoded := base64.StdEncoding.EncodeToString(data)
	e := d.parcel.event.Clone()
	e.SetExtension(errorDestAttribute, failed.address)
	e.SetExtension(errorCodeAttribute, status)
	e.SetExtension(errorDataAttribute, encoded[:min(len(encoded), maxErrorData)])
	return d.post(ctx, *d.consumer.policy.deadLetter, e, d.parcel.header.Clone(), func() {})
}

// post sends the event once, when it is this delivery's turn; begun is called right before.
func (d *delivery) post(ctx context.Context, to Destination, e event.Event, header http.Header, begun func()) outcome {
	select {
	case d.consumer.slots <- struct{}{}:
		defer func() { <-d.consumer.slots }()
	case <-ctx.Done():
		return outcome{err: ctx.Err()}
	}
	begun()
	ctx, cancel := context.WithTimeout(ctx, d.consumer.policy.timeout)
	defer cancel()
	namespace := d.broker.options.Namespace
	address, err := to.Resolve(ctx, d.broker.options.Resolve, namespace)
	if err != nil {
		return outcome{err: err}
	}
	header.Set("Kn-Namespace", namespace)
	req, err := newRequest(ctx, address, e, header)
	if err != nil {
		return outcome{err: err, address: address}
	}
	resp, err := d.broker.client.Do(req)
	if err != nil {
		// Only the cause: the client's own text has the address, which may hold a password.
		if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return outcome{err: fmt.Errorf("reach consumer: %w", err), address: address}
	}
	defer func() { _ = resp.Body.Close() }()
	out := outcome{status: resp.StatusCode, header: resp.Header, address: address}
	out.retryAfter = retryAfter(resp.StatusCode, resp.Header, d.broker.options.Now())
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxEventBytes+1))
	out.body = body
	switch {
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		out.err = fmt.Errorf("consumer answered %d", resp.StatusCode)
		out.final = !retryable(resp.StatusCode)
	case err != nil:
		out.err = fmt.Errorf("read answer: %w", err)
	case len(body) > maxEventBytes:
		out.err = errors.New("consumer answered with more than 1 MiB")
	}
	return out
}

func (d *delivery) log(ctx context.Context, message string, last outcome) {
	d.broker.options.Log.LogAttrs(ctx, slog.LevelWarn, message, //nolint:sloglint // the callers' are constants
		slog.String("event_id", d.parcel.event.ID()), slog.String("event_type", d.parcel.event.Type()),
		slog.String("trigger", d.consumer.Name), slog.Int("attempts", d.attempts),
		slog.Int("status", last.status), slog.String("error", last.err.Error()))
}
