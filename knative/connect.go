package knative

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/honeydue/backend/knative/broker"
)

// addRoute gives a function its public paths. The Middleware's Host must be the function's, or Knative's gateway
// would send the request elsewhere.
func (m *Manifests) addRoute(found object[ingressRoute], middlewares []object[middleware]) error {
	f := m.function(found.T.Name)
	if f == nil {
		return fmt.Errorf("metadata.name: there is no Service %s", found.T.Name)
	}
	for i, r := range found.T.Spec.Routes {
		field := fmt.Sprintf("spec.routes[%d]", i)
		path, err := r.path()
		if err != nil {
			return fmt.Errorf("%s.%w", field, err)
		}
		for _, other := range m.Functions {
			if slices.Contains(other.Paths, path) {
				return fmt.Errorf("%s.match: path %s leads to %s already", field, path, other.Name)
			}
		}
		if len(r.Middlewares) != 1 {
			return fmt.Errorf("%s.middlewares: has %d, not one", field, len(r.Middlewares))
		}
		name := r.Middlewares[0].Name
		j := slices.IndexFunc(middlewares, func(mw object[middleware]) bool { return mw.T.Name == name })
		if j < 0 {
			return fmt.Errorf("%s.middlewares[0].name: there is no Middleware %s", field, name)
		}
		if host := middlewares[j].T.Spec.Headers.CustomRequestHeaders["Host"]; host != f.Host {
			return fmt.Errorf("%s.middlewares[0].name: Middleware %s sets Host %q, not %q", field, name, host, f.Host)
		}
		f.Paths = append(f.Paths, path)
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
