package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
)

func TestLookups(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.Call(t, http.MethodGet, "/api/lookups/", "", nil)
	lists := functiontest.Read[lookups](t, r, 200)
	require.Equal(t, "application/json", r.Header.Get("Content-Type"))
	require.Equal(t, "public, max-age=3600", r.Header.Get("Cache-Control"))
	require.Equal(t, category{1, "Appliances", "oven", "#8E8E93"}, lists.Categories[0])
	require.Equal(t, priority{4, "Urgent", 4, "#FF3B30"}, lists.Priorities[3])
	require.Equal(t, []frequency{
		{1, "Once", nil, nil}, {2, "Daily", new(1), new("day")}, {3, "Weekly", new(1), new("week")}, {4, "Every 2 weeks", new(2), new("week")},
		{5, "Monthly", new(1), new("month")}, {6, "Quarterly", new(3), new("month")}, {7, "Every 6 months", new(6), new("month")}, {8, "Yearly", new(1), new("year")},
	}, lists.Frequencies)
	require.Len(t, lists.Specialties, 16)
	require.Contains(t, lists.DocumentTypes, choice{"floor_plan", "Floor plan"})
	for _, residenceType := range lists.ResidenceTypes {
		b.Exec(t, `INSERT INTO residence_residence (name, residence_type) VALUES ('x', $1)`, residenceType.Value)
	}

	etag := r.Header.Get("ETag")
	require.Regexp(t, `^"[\w-]{22}"$`, etag)
	for given, status := range map[string]int{etag: 304, `"x", W/` + etag: 304, "*": 304, `"x"`: 200, "": 200} {
		again := b.Call(t, http.MethodGet, "/api/lookups/", "", nil, functiontest.Header{Name: "If-None-Match", Value: given})
		require.Equal(t, status, again.Status, given)
		require.Equal(t, etag, again.Header.Get("ETag"))
		require.Equal(t, "public, max-age=3600", again.Header.Get("Cache-Control"))
		if status == 304 {
			require.Empty(t, again.Body)
		} else {
			require.Equal(t, r.Body, again.Body)
		}
	}
}
