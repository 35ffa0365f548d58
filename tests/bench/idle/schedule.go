package main

import (
	"fmt"
	"strconv"
	"strings"

	manifests "github.com/honeydue/backend/knative"
	"github.com/honeydue/backend/knative/broker"
)

// schedulesOf returns those whose ticks a function takes.
func schedulesOf(m *manifests.Manifests, f manifests.Function) (found []manifests.PingSource) {
	for _, s := range m.Schedules {
		for _, t := range f.Triggers {
			if waitsFor(t.Spec.Filters, s.Name) {
				found = append(found, s)
			}
		}
	}
	return found
}

func waitsFor(filters []broker.Filter, schedule string) bool {
	for _, f := range filters {
		if f.Suffix["source"] == "/pingsources/"+schedule {
			return true
		}
	}
	return false
}

// minutesOf returns the minutes of each hour at which a schedule fires. One that does not fire each hour is an error: none does so yet.
func minutesOf(cron string) (minutes []int, err error) {
	minute, rest, _ := strings.Cut(cron, " ")
	if rest != "* * * *" {
		return nil, fmt.Errorf("read schedule %q: it does not fire each hour", cron)
	}
	every, repeated := strings.CutPrefix(minute, "*/")
	n, err := strconv.Atoi(every)
	if err != nil || n < 0 || n > 59 || repeated && n == 0 {
		return nil, fmt.Errorf("read schedule %q: %w", cron, strconv.ErrSyntax)
	}
	if !repeated {
		return []int{n}, nil
	}
	for at := 0; at < 60; at += n {
		minutes = append(minutes, at)
	}
	return minutes, nil
}
