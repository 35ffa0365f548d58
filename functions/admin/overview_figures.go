package main

import "time"

// What the overview looks back on.
const (
	overviewDays  = 30
	overviewHours = 24
)

// exactly is how many of a table are counted one by one; of more, the overview says what PostgreSQL estimates. countedFailures is where
// counting what went wrong ends.
const (
	exactly         = 10_000
	countedFailures = 1000
)

// An overviewBody is how honeyDue is.
type overviewBody struct {
	At        time.Time    `json:"at" doc:"When this was" example:"2026-06-01T08:00:00Z"`
	People    total        `json:"people" doc:"Accounts"`
	Homes     total        `json:"homes"`
	TasksDone total        `json:"tasks_done" doc:"Entries of tasks' histories"`
	Failures  failures     `json:"failures" doc:"What waits for somebody"`
	Days      []dayFigures `json:"days" doc:"The last 30 days in UTC, oldest first; the last one is today"`
	Hours     []lagFigures `json:"hours" doc:"The last 24 hours, oldest first; the last one is this hour"`
}

type total struct {
	Count     int64 `json:"count" example:"100000"`
	Estimated bool  `json:"estimated" doc:"true for more than 10,000, which nobody counts one by one" example:"true"`
}

type failures struct {
	OldestUndeliveredAt *time.Time `json:"oldest_undelivered_at" doc:"When the oldest event happened that a function has not confirmed; null when there is none" example:"2026-06-01T07:59:00Z"`
	DeadEvents          int64      `json:"dead_events" doc:"Here and below: at most 1000 are counted" example:"0"`
	DeadMessages        int64      `json:"dead_messages" example:"0"`
	FailedUploads       int64      `json:"failed_uploads" doc:"Photos that could not be cleaned" example:"0"`
	LateSchedules       []string   `json:"late_schedules" doc:"Those whose tick has not come, or never came" example:"[\"outbox\"]"`
}

type dayFigures struct {
	On           string `json:"on" format:"date" example:"2026-06-01"`
	People       int64  `json:"people" doc:"New accounts" example:"12"`
	Homes        int64  `json:"homes" doc:"New homes" example:"8"`
	TasksDone    int64  `json:"tasks_done" example:"240"`
	Mails        int64  `json:"mails" doc:"Made that day, and sent" example:"90"`
	Pushes       int64  `json:"pushes" doc:"Made that day, and sent" example:"120"`
	DeadMessages int64  `json:"dead_messages" doc:"Made that day, and dead" example:"0"`
}

type lagFigures struct {
	Hour       time.Time `json:"hour" doc:"When it began" example:"2026-06-01T08:00:00Z"`
	Events     int64     `json:"events" doc:"Of those that happened in this hour, how often one was confirmed by a function" example:"240"`
	P50Seconds float64   `json:"p50_seconds" doc:"From the event to its confirmation: half took no longer" example:"0.2"`
	P95Seconds float64   `json:"p95_seconds" doc:"95 of 100 took no longer" example:"1.5"`
}

// A standingRow is what stands now, in one row. Less than nothing is what PostgreSQL estimates of a table that it never looked at.
type standingRow struct {
	People, Homes, TasksDone                int64
	AboutPeople, AboutHomes, AboutTasksDone int64
	OldestUndeliveredAt                     *time.Time
	DeadEvents, DeadMessages, FailedUploads int64
}

const selectStanding = `
SELECT (SELECT count(*) FROM (SELECT FROM auth_user LIMIT $1::int) t) AS people,
    (SELECT count(*) FROM (SELECT FROM residence_residence LIMIT $1::int) t) AS homes,
    (SELECT count(*) FROM (SELECT FROM task_taskcompletion LIMIT $1::int) t) AS tasks_done,
    (SELECT reltuples::bigint FROM pg_class WHERE oid = 'auth_user'::regclass) AS about_people,
    (SELECT reltuples::bigint FROM pg_class WHERE oid = 'residence_residence'::regclass) AS about_homes,
    (SELECT reltuples::bigint FROM pg_class WHERE oid = 'task_taskcompletion'::regclass) AS about_tasks_done,
    (SELECT min(e.time) FROM outbox_delivery d JOIN outbox_event e ON e.id = d.event_id WHERE d.state = 'pending') AS oldest_undelivered_at,
    (SELECT count(*) FROM (SELECT FROM outbox_delivery WHERE state = 'dead' LIMIT $2::int) t) AS dead_events,
    (SELECT count(*) FROM (SELECT FROM notification_message WHERE state = 'dead' LIMIT $2::int) t) AS dead_messages,
    (SELECT count(*) FROM (SELECT FROM upload_media WHERE state = 'failed' LIMIT $2::int) t) AS failed_uploads`

// A dayRow counts one kind of thing on one day.
type dayRow struct {
	On   time.Time
	Kind string
	N    int64
}

const selectDays = `
SELECT date_bin('1 day', created_at, $1::timestamptz) AS "on", 'people' AS kind, count(*) AS n
FROM auth_user WHERE created_at >= $1::timestamptz GROUP BY 1
UNION ALL
SELECT date_bin('1 day', created_at, $1::timestamptz), 'homes', count(*)
FROM residence_residence WHERE created_at >= $1::timestamptz GROUP BY 1
UNION ALL
SELECT date_bin('1 day', created_at, $1::timestamptz), 'tasks done', count(*)
FROM task_taskcompletion WHERE created_at >= $1::timestamptz AND kind = 'completed' GROUP BY 1
UNION ALL
SELECT date_bin('1 day', created_at, $1::timestamptz), CASE WHEN state = 'dead' THEN 'dead' ELSE channel END, count(*)
FROM notification_message WHERE created_at >= $1::timestamptz AND (state = 'dead' OR state = 'sent' AND channel <> 'app') GROUP BY 1, 2`

// OFFSET 0 has PostgreSQL look up the deliveries of each event: a day's are few of all.
const selectHours = `
SELECT date_bin('1 hour', e.time, $1::timestamptz) AS hour, count(*) AS events,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM d.done_at - e.time)::float8) AS p50_seconds,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM d.done_at - e.time)::float8) AS p95_seconds
FROM outbox_event e CROSS JOIN LATERAL (
    SELECT done_at FROM outbox_delivery WHERE event_id = e.id AND done_at IS NOT NULL OFFSET 0
) d
WHERE e.time >= $1::timestamptz
GROUP BY 1`
