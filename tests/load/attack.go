package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
	"github.com/tsenart/vegeta/v12/lib/plot"
)

// A result is what an attack came to.
type result struct {
	all     vegeta.Metrics
	byCall  map[string]*vegeta.Metrics
	wrong   map[string]int // by what was wrong
	used    usage
	seeded  time.Duration
	settled time.Duration
	lost    error // what was acknowledged and had no effect
	plot    string
}

// crowd is how many requests may wait for their answers at a rate: so many that a function which stalls for a moment is sent the
// next ones all the same.
const crowd = 1024

// attack sends what next says and reads every answer. At a rate an answer's time counts from when its request was due, so that one
// that went out late, since too many waited, is late as well.
func attack(ctx context.Context, at *Site, o options, next func() Call) (*result, error) {
	if err := warm(ctx, at, next); err != nil {
		return nil, err
	}
	var sent calls
	profiled, err := at.profiling(ctx, o.profiles, o.duration)
	if err != nil {
		return nil, err
	}
	meter, err := at.meter()
	if err != nil {
		return nil, err
	}
	atOnce := o.clients
	if o.rate > 0 {
		atOnce = crowd
	}
	attacker := vegeta.NewAttacker(vegeta.Workers(o.clients), vegeta.MaxWorkers(atOnce), vegeta.Client(at.client))
	r := &result{byCall: map[string]*vegeta.Metrics{}, wrong: map[string]int{}}
	var name string // of the call whose answer is being drawn
	drawn := plot.New(plot.Title("honeyDue: "+at.function), plot.Label(func(*vegeta.Result) string { return name }))
	defer drawn.Close()
	pace := vegeta.ConstantPacer{Freq: o.rate, Per: time.Second}
	stopping := context.AfterFunc(ctx, func() { attacker.Stop() })
	defer stopping()
	began := time.Now()
	answers := attacker.Attack(sent.targeter(at, next), pace, o.duration, "")
	defer func() {
		attacker.Stop()
		for range answers { // those who still send wait for somebody who takes what they got
			continue
		}
	}()
	for res := range answers {
		call := sent.take(res.URL)
		if call == nil {
			return nil, fmt.Errorf("attack: %s", res.Error)
		}
		res.Latency += overdue(began, o.rate, res)
		name = call.Name
		r.add(call, res)
		if err := drawn.Add(res); err != nil {
			return nil, fmt.Errorf("draw plot: %w", err)
		}
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("attack: %w", ctx.Err())
	}
	if r.used, err = meter.read(); err != nil {
		return nil, err
	}
	if err := profiled(); err != nil {
		return nil, err
	}
	r.all.Close()
	for _, m := range r.byCall {
		m.Close()
	}
	r.plot, err = draw(drawn, o.plot, at)
	return r, err
}

// overdue is how long a request waited until it was sent, at a rate since the beginning: vegeta's first is due after one interval.
// As fast as answers come none waits.
func overdue(began time.Time, rate int, res *vegeta.Result) time.Duration {
	if rate == 0 {
		return 0
	}
	due := began.Add(time.Duration(float64(res.Seq+1) / float64(rate) * float64(time.Second)))
	return max(0, res.Timestamp.Sub(due))
}

// add counts one answer.
func (r *result) add(call *Call, res *vegeta.Result) {
	err := call.check(int(res.Code), res.Headers, res.Body)
	if res.Code == 0 {
		err = fmt.Errorf("%s: no answer: %s", call.Name, reason(res.Error))
	}
	if err != nil {
		r.wrong[err.Error()]++
	}
	if err == nil {
		res.Error = ""
	}
	r.all.Add(res)
	if r.byCall[call.Name] == nil {
		r.byCall[call.Name] = &vegeta.Metrics{}
	}
	r.byCall[call.Name].Add(res)
}

// reason is the end of what went wrong on the network. What comes before names addresses, which are others each time.
func reason(text string) string {
	if i := strings.LastIndex(text, ": "); i >= 0 {
		text = text[i+len(": "):]
	}
	return text
}

// warming is how many requests go before those that are measured.
const warming = 30

// warm sends a few requests before anything is measured, so that the function runs and knows its people.
func warm(ctx context.Context, at *Site, next func() Call) error {
	var sent calls
	targeter := sent.targeter(at, next)
	for range warming {
		var target vegeta.Target
		if err := targeter(&target); err != nil {
			return err
		}
		call := sent.take(target.URL)
		req, err := target.Request()
		if err != nil {
			return fmt.Errorf("warm up: %w", err)
		}
		answer, err := Fetch(at.client, req.WithContext(ctx))
		if err != nil {
			return fmt.Errorf("warm up: %w", err)
		}
		if err := call.check(answer.Status, answer.Header, answer.Body); err != nil {
			return fmt.Errorf("warm up: %w", err)
		}
	}
	return nil
}

// calls are those that are under way. Vegeta hands an answer back with the address that was asked, whose fragment, which nobody
// sends, is the number of the call.
type calls struct {
	numbered sync.Map
	last     atomic.Int64
}

func (c *calls) targeter(at *Site, next func() Call) vegeta.Targeter {
	return func(target *vegeta.Target) error {
		call := next()
		body, err := call.encoded()
		if err != nil {
			return err
		}
		number := strconv.FormatInt(c.last.Add(1), 10)
		c.numbered.Store(number, &call)
		url := call.URL
		if strings.HasPrefix(url, "/") {
			url = at.URL + url
		}
		header := http.Header{}
		if call.As != nil {
			header.Set("X-Forwarded-For", call.As.Address)
			if call.As.Token != "" {
				header.Set("Authorization", "Token "+call.As.Token)
			}
		}
		if body != nil {
			header.Set("Content-Type", "application/json")
		}
		for name, values := range call.Header {
			header[name] = values
		}
		*target = vegeta.Target{Method: call.Method, URL: url + "#" + number, Body: body, Header: header}
		return nil
	}
}

// take returns the call of an address, once.
func (c *calls) take(url string) *Call {
	_, number, _ := strings.Cut(url, "#")
	call, ok := c.numbered.LoadAndDelete(number)
	if !ok {
		return nil
	}
	return call.(*Call)
}

// draw writes the plot and returns where it is.
func draw(drawn *plot.Plot, path string, at *Site) (_ string, err error) {
	if path == "" {
		path = filepath.Join(at.dir, at.function+".html")
	}
	file, err := os.Create(path)
	if err != nil {
		return "", fmt.Errorf("write plot: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := drawn.WriteTo(file); err != nil {
		return "", fmt.Errorf("write plot: %w", err)
	}
	return path, nil
}
