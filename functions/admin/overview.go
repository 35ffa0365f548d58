package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
)

// overview looks at everything in one round trip.
func (s *service) overview(ctx context.Context) (overviewBody, error) {
	now := s.Now().UTC()
	firstDay := now.Truncate(24*time.Hour).AddDate(0, 0, 1-overviewDays)
	firstHour := now.Truncate(time.Hour).Add((1 - overviewHours) * time.Hour)
	var is standingRow
	var days []dayRow
	var hours []lagFigures
	var ticks []noted
	batch := &pgx.Batch{}
	batch.Queue(selectStanding, exactly+1, countedFailures).Query(oneInto(&is))
	batch.Queue(selectDays, firstDay).Query(into(&days))
	batch.Queue(selectHours, firstHour).Query(into(&hours))
	batch.Queue(selectSchedules).Query(into(&ticks))
	if err := s.DB.SendBatch(ctx, batch); err != nil {
		return overviewBody{}, fmt.Errorf("look at everything: %w", err)
	}
	body := overviewBody{
		At:        now,
		People:    totalOf(is.People, is.AboutPeople),
		Homes:     totalOf(is.Homes, is.AboutHomes),
		TasksDone: totalOf(is.TasksDone, is.AboutTasksDone),
		Failures: failures{
			OldestUndeliveredAt: is.OldestUndeliveredAt, DeadEvents: is.DeadEvents, DeadMessages: is.DeadMessages,
			FailedUploads: is.FailedUploads, LateSchedules: []string{},
		},
		Days: everyDay(firstDay, days), Hours: everyHour(firstHour, hours),
	}
	for _, k := range s.judge(ticks) {
		if k.State != onTime {
			body.Failures.LateSchedules = append(body.Failures.LateSchedules, k.Name)
		}
	}
	return body, nil
}

func totalOf(counted, about int64) total {
	if counted <= exactly {
		return total{Count: counted}
	}
	return total{Count: max(counted, about), Estimated: true}
}

// everyDay puts what was counted on each of the days, most of which a young system has nothing for.
func everyDay(first time.Time, rows []dayRow) []dayFigures {
	days := make([]dayFigures, overviewDays)
	for i := range days {
		days[i].On = first.AddDate(0, 0, i).Format(time.DateOnly)
	}
	for _, row := range rows {
		i := int(row.On.Sub(first) / (24 * time.Hour))
		if i < 0 || i >= len(days) {
			continue // made behind midnight, while this was asked
		}
		counts := map[string]*int64{
			"people": &days[i].People, "homes": &days[i].Homes, "tasks done": &days[i].TasksDone,
			"email": &days[i].Mails, "push": &days[i].Pushes, "dead": &days[i].DeadMessages,
		}
		if n := counts[row.Kind]; n != nil {
			*n = row.N
		}
	}
	return days
}

func everyHour(first time.Time, rows []lagFigures) []lagFigures {
	hours := make([]lagFigures, overviewHours)
	for i := range hours {
		hours[i].Hour = first.Add(time.Duration(i) * time.Hour)
	}
	for _, row := range rows {
		if i := int(row.Hour.Sub(first) / time.Hour); i >= 0 && i < len(hours) {
			row.Hour = hours[i].Hour
			hours[i] = row
		}
	}
	return hours
}

type overviewOutput struct{ Body overviewBody }

func (s *service) getOverview(ctx context.Context, _ *struct{}) (*overviewOutput, error) {
	body, err := s.overview(ctx)
	if err != nil {
		return nil, err
	}
	return &overviewOutput{body}, nil
}

func (s *service) showOverview(w http.ResponseWriter, r *http.Request) {
	body, err := s.overview(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, frame{Title: "Overview", Template: "overview.html", Data: overviewPageOf(body)})
}
