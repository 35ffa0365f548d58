package knative

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/honeydue/backend/knative/broker"
)

// addRoute gives a function its public paths, and a host.
func (m *Manifests) addRoute(found object[ingressRoute], middlewares []object[middleware]) error {
	f := m.function(found.T.Name)
	if f == nil {
		return fmt.Errorf("metadata.name: there is no Service %s", found.T.Name)
	}
	for i, r := range found.T.Spec.Routes {
		field := fmt.Sprintf("spec.routes[%d]", i)
		host, path, err := r.target(f.Name)
		if err != nil {
			return fmt.Errorf("%s.%w", field, err)
		}
		for _, other := range m.Functions {
			if slices.Contains(other.Paths, path) || path == "" && slices.Contains(other.Hosts, host) {
				return fmt.Errorf("%s.match: %s leads to %s already", field, cmp.Or(path, host), other.Name)
			}
		}
		if err := f.checkMiddlewares(r.Middlewares, middlewares); err != nil {
			return fmt.Errorf("%s.%w", field, err)
		}
		if path == "" {
			f.Hosts = append(f.Hosts, host)
		} else {
			f.Paths = append(f.Paths, path)
		}
	}
	return nil
}

// checkMiddlewares makes sure that all are there and that the last one sets the function's Host, or Knative's
// gateway would send the request elsewhere. No other may set one.
func (f *Function) checkMiddlewares(named []reference, known []object[middleware]) error {
	if len(named) == 0 {
		return errors.New("middlewares: has none that sets the Host")
	}
	for i, ref := range named {
		field := fmt.Sprintf("middlewares[%d].name", i)
		j := slices.IndexFunc(known, func(mw object[middleware]) bool { return mw.T.Name == ref.Name })
		if j < 0 {
			return fmt.Errorf("%s: there is no Middleware %s", field, ref.Name)
		}
		want := ""
		if i == len(named)-1 {
			want = f.Host
		}
		if host := known[j].T.Spec.Headers.CustomRequestHeaders["Host"]; host != want {
			return fmt.Errorf("%s: Middleware %s sets Host %q, not %q", field, ref.Name, host, want)
		}
	}
	return nil
}

func (m *Manifests) addSchedule(s *PingSource) error {
	if s.Spec.Timezone == "" {
		return errors.New("spec.timezone: is missing")
	}
	if _, err := time.LoadLocation(s.Spec.Timezone); err != nil {
		return fmt.Errorf("spec.timezone: %w", err)
	}
	if _, err := cron.ParseStandard(s.Spec.Schedule); err != nil {
		return fmt.Errorf("spec.schedule: %w", err)
	}
	want := broker.Ref{APIVersion: m.Broker.APIVersion, Kind: "Broker", Name: m.Broker.Name, Namespace: m.Namespace}
	if s.Spec.Sink.Ref == nil || *s.Spec.Sink.Ref != want || s.Spec.Sink.URI != "" {
		return fmt.Errorf("spec.sink.ref: is not Broker %s in namespace %s", want.Name, want.Namespace)
	}
	m.Schedules = append(m.Schedules, *s)
	return nil
}

func (m *Manifests) addTrigger(t *Trigger) error {
	if t.Spec.Broker != m.Broker.Name {
		return fmt.Errorf("trigger %s: spec.broker: there is no Broker %s", t.Name, t.Spec.Broker)
	}
	f, err := m.subscriber(t.Spec.Subscriber)
	if err != nil {
		return fmt.Errorf("trigger %s: spec.subscriber: %w", t.Name, err)
	}
	for i, filter := range t.Spec.Filters {
		if err := filter.Validate(fmt.Sprintf("filters[%d]", i)); err != nil {
			return fmt.Errorf("trigger %s: spec.%w", t.Name, err)
		}
		if err := m.checkSchedules(filter); err != nil {
			return fmt.Errorf("trigger %s: spec.filters[%d]: %w", t.Name, i, err)
		}
	}
	if t.Spec.Delivery != nil {
		if err := t.Spec.Delivery.Validate(); err != nil {
			return fmt.Errorf("trigger %s: spec.delivery.%w", t.Name, err)
		}
	}
	f.Triggers = append(f.Triggers, *t)
	return nil
}

func (m *Manifests) subscriber(d broker.Destination) (*Function, error) {
	if d.Ref == nil || d.URI != "" {
		return nil, errors.New("wants ref and nothing else")
	}
	f := m.function(d.Ref.Name)
	if f == nil || d.Ref.Kind != "Service" || d.Ref.APIVersion != f.Service.APIVersion || d.Ref.Namespace != m.Namespace {
		return nil, fmt.Errorf("ref: there is no %s %s %s in namespace %q",
			d.Ref.APIVersion, d.Ref.Kind, d.Ref.Name, d.Ref.Namespace)
	}
	return f, nil
}

// checkSchedules makes sure that a schedule that a filter waits for exists.
func (m *Manifests) checkSchedules(f broker.Filter) error {
	const pings = "/pingsources/"
	if name, ok := strings.CutPrefix(f.Suffix["source"], pings); ok &&
		!slices.ContainsFunc(m.Schedules, func(s PingSource) bool { return s.Name == name }) {
		return fmt.Errorf("suffix.source: there is no PingSource %s", name)
	}
	nested := slices.Concat(f.All, f.Any)
	if f.Not != nil {
		nested = append(nested, *f.Not)
	}
	for _, n := range nested {
		if err := m.checkSchedules(n); err != nil {
			return err
		}
	}
	return nil
}
