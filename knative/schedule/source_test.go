package schedule_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/broker"
	"github.com/honeydue/backend/knative/schedule"
)

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	good := schedule.Source{Namespace: "honeydue", Name: "outbox", Sink: broker.Destination{URI: "http://127.0.0.1:1"}}
	for want, edit := range map[string]func(*schedule.Source){
		"wants a namespace and a name":              func(s *schedule.Source) { s.Namespace = "" },
		"schedule: expected 5 to 6 fields, found 2": func(s *schedule.Source) { s.Schedule = "* *" },
		"schedule: end of range (61)":               func(s *schedule.Source) { s.Schedule = "0-61 * * * *" },
		"schedule: @every is not supported":         func(s *schedule.Source) { s.Schedule = "@every 1h" },
		"schedule: expected 5 to 6 fields":          func(s *schedule.Source) { s.Schedule = "TZ=0" },
		`timezone: "Mars/Olympus" is no IANA`:       func(s *schedule.Source) { s.Timezone = "Mars/Olympus" },
		`timezone: "Local" is no IANA zone`:         func(s *schedule.Source) { s.Timezone = "Local" },
		`timezone: "UTC 1" is no IANA zone`:         func(s *schedule.Source) { s.Timezone = "UTC 1" },
		"sink: wants ref or uri":                    func(s *schedule.Source) { s.Sink = broker.Destination{} },
		"data, dataBase64: want one of the two":     func(s *schedule.Source) { s.Data, s.DataBase64 = "a", "YQ==" },
		"dataBase64: illegal base64":                func(s *schedule.Source) { s.DataBase64 = "?" },
		"ceOverrides.extensions: bad key":           func(s *schedule.Source) { s.Extensions = map[string]string{"my-ext": "a"} },
	} {
		source := good
		edit(&source)
		require.ErrorContains(t, source.Validate(), want, want)
		_, err := schedule.New(schedule.Options{Sources: []schedule.Source{source}})
		require.ErrorContains(t, err, "schedule outbox: "+want)
	}
	require.NoError(t, good.Validate())
	_, err := schedule.New(schedule.Options{Sources: []schedule.Source{good, good}})
	require.ErrorContains(t, err, "schedule outbox: there are two")
}

func FuzzSource(f *testing.F) {
	f.Add("*/5 * * * *", "UTC", "")
	f.Add("TZ=0", "Europe/Berlin", "YQ==")
	f.Add("CRON_TZ= * * * * *", "", "?")
	f.Add("@daily", "America/New_York", "")
	f.Fuzz(func(_ *testing.T, line, zone, data string) {
		source := schedule.Source{
			Namespace: "honeydue", Name: "outbox", Schedule: line, Timezone: zone, DataBase64: data,
			Sink: broker.Destination{URI: "http://127.0.0.1:1"},
		}
		_ = source.Validate()
	})
}
