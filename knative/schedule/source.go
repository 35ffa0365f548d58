package schedule

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/robfig/cron/v3"

	"github.com/honeydue/backend/knative/broker"
)

// Type is the type of every event that a schedule sends.
const Type = "dev.knative.sources.ping"

// Source is a PingSource.
type Source struct {
	Namespace, Name string
	// Schedule is a cron line of five fields, or of six with seconds first, or a descriptor such as @hourly.
	// Empty is every minute. @every is refused, as Eventing refuses it.
	Schedule string
	// Timezone is an IANA zone; empty is UTC. Where its clock is put forward the hour that is left out does not
	// fire; where it is put back, the hour that comes twice fires twice.
	Timezone string
	// Data, or DataBase64 in base64, is the event's data, of type ContentType.
	ContentType, Data, DataBase64 string
	// Extensions are added to the event: `ceOverrides.extensions`.
	Extensions map[string]string
	Sink       broker.Destination
}

// EventSource is the source attribute of the events of a PingSource.
func EventSource(namespace, name string) string {
	return "/apis/v1/namespaces/" + namespace + "/pingsources/" + name
}

// Validate says what is wrong with the source, naming the field.
func (s Source) Validate() error {
	_, err := s.read()
	return err
}

func (s Source) read() (*entry, error) {
	if s.Namespace == "" || s.Name == "" {
		return nil, errors.New("wants a namespace and a name")
	}
	ticks, err := s.ticks()
	if err != nil {
		return nil, err
	}
	if err := s.Sink.Validate(); err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	e := event.New()
	e.SetType(Type)
	e.SetSource(EventSource(s.Namespace, s.Name))
	for name, value := range s.Extensions {
		if err := e.Context.SetExtension(name, value); err != nil {
			return nil, fmt.Errorf("ceOverrides.extensions: %w", err)
		}
	}
	data, err := s.data()
	if err != nil {
		return nil, err
	}
	if data != nil {
		if err := e.SetData(s.ContentType, data); err != nil {
			return nil, fmt.Errorf("data: %w", err)
		}
	}
	return &entry{Source: s, ticks: ticks, event: e}, nil
}

func (s Source) ticks() (cron.Schedule, error) {
	line, zone := s.Schedule, s.Timezone
	if line == "" {
		line = "* * * * *"
	}
	if zone == "" {
		zone = "UTC"
	}
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" {
		return nil, fmt.Errorf("timezone: %q is no IANA zone", zone)
	}
	if strings.Contains(line, "@every") {
		return nil, errors.New("schedule: @every is not supported")
	}
	parser := cron.NewParser(
		cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)
	ticks, err := parser.Parse("CRON_TZ=" + zone + " " + line)
	if err != nil {
		return nil, fmt.Errorf("schedule: %w", err)
	}
	return ticks, nil
}

func (s Source) data() ([]byte, error) {
	switch {
	case s.Data != "" && s.DataBase64 != "":
		return nil, errors.New("data, dataBase64: want one of the two")
	case s.Data != "":
		return []byte(s.Data), nil
	case s.DataBase64 != "":
		data, err := base64.StdEncoding.DecodeString(s.DataBase64)
		if err != nil {
			return nil, fmt.Errorf("dataBase64: %w", err)
		}
		return data, nil
	}
	return nil, nil
}
