package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/notice"
)

// pushOf returns the push of a type, as people read it.
func pushOf(typ string, f notice.Facts) notification {
	f.Type = typ
	n := notification{
		MessageID: 7, Type: typ, Words: notice.Of(f), Badge: 3, Thread: "residence-5", Collapse: "message-7",
		ExpiresAt: time.Date(2026, 4, 3, 9, 0, 0, 0, time.UTC), ResidenceID: 5,
	}
	switch typ {
	case notice.TaskAssigned, notice.TaskCompleted, notice.TaskDueSoon, notice.TaskOverdue:
		n.TaskID, n.Buttons = 11, []string{"edit", "complete", "cancel", "mark_in_progress"}
	case notice.WarrantyExpiring:
		n.DocumentID = 13
	case notice.DailyDigest:
		n.ResidenceID, n.Thread = 0, "digest"
	}
	return n
}

func daysOf(typ string) int {
	return map[string]int{notice.TaskDueSoon: 1, notice.TaskOverdue: -6, notice.WarrantyExpiring: 30}[typ]
}

func TestPushOfEachType(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 4, 2, 9, 0, 0, 0, time.UTC)
	for _, typ := range notice.Switchable() {
		t.Run(typ, func(t *testing.T) {
			t.Parallel()
			n := pushOf(typ, notice.Facts{
				Actor: "Ben Tester", Home: "Lake house", Task: "Clean the gutters", Document: "Boiler", Days: daysOf(typ),
				Overdue: 2, DueThisWeek: 3, Warranties: 1,
			})
			golden(t, "push/"+typ+".ios.json", indented(t, apnsPayloadOf(n)))
			golden(t, "push/"+typ+".android.json", indented(t, fcmPayloadOf(n, pixel, now)))
		})
	}
}

func indented(t *testing.T, payload any) string {
	t.Helper()
	text, err := json.Marshal(payload)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, json.Indent(&out, text, "", "  "))
	return out.String() + "\n"
}

// However much people type, and whatever its JSON needs, both providers take it.
func TestLongestPush(t *testing.T) {
	t.Parallel()
	double := newDouble(t)
	p := newTestPusher(t, double)
	long := device{ID: 6, Platform: platformAndroid, Token: strings.Repeat("t", 200), RegisteredAt: registered}
	for _, typed := range []string{"<", `"`, "👩", "\u2028", "é"} {
		typed = strings.Repeat(typed, 1000)
		for _, typ := range notice.Switchable() {
			n := pushOf(typ, notice.Facts{Actor: typed, Home: typed, Task: typed, Document: typed, Days: -999})
			n.MessageID, n.TaskID, n.ResidenceID, n.DocumentID = 1<<62, 1<<62, 1<<62, 1<<62
			n.Thread, n.Collapse, n.ExpiresAt = strings.Repeat("t", 64), strings.Repeat("c", 64), time.Now().Add(time.Hour)
			require.Equal(t, pushed{took: []int64{3, 6}}, p.push(t.Context(), n, []device{iphone, long}), typ)
		}
	}
	longest := 0
	for _, got := range double.Pushes() {
		longest = max(longest, len(got.Payload))
	}
	require.Greater(t, longest, 3000, "the worst case is one")
}
