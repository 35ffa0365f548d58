package main

import (
	"context"
	"fmt"
)

// How far a digest looks ahead, in days: today and the six that follow, a month for warranties.
const (
	digestWeek  = 6
	digestMonth = 30
)

// digestTasks and digestWarranties say from where a digest tells, in SQL: what is in the homes that the person does not only look at,
// on that day of theirs.
func digestTasks(person, day string) string {
	return fmt.Sprintf(`FROM residence_member m JOIN task_task t ON t.residence_id = m.residence_id
    WHERE m.user_id = %s AND m.role <> 'viewer' AND %s AND t.next_due_on IS NOT NULL AND t.next_due_on <= %s + %d`,
		person, isReminded, day, digestWeek)
}

func digestWarranties(person, day string) string {
	return fmt.Sprintf(`FROM residence_member m JOIN upload_document d ON d.residence_id = m.residence_id
    WHERE m.user_id = %[1]s AND m.role <> 'viewer' AND d.warranty_expires_on IS NOT NULL
        AND d.warranty_expires_on BETWEEN %[2]s AND %[2]s + %[3]d`,
		person, day, digestMonth)
}

// A digest is its person's, on the day itself. One task or document is reason enough.
var selectDigests = peopleOf(digestHour) + `
SELECT p.id AS user_id, p.at, CASE WHEN found THEN p.id END AS subject_id, NULL::bigint AS residence_id, $6::date + ($7::int[])[1] AS due_on,
    NULL::int AS every, NULL::text AS unit, NULL::jsonb AS recurrence
FROM people p LEFT JOIN LATERAL (
    (SELECT true AS found ` + digestTasks("p.id", "$6::date") + ` LIMIT 1)
    UNION ALL (SELECT true ` + digestWarranties("p.id", "$6::date") + ` LIMIT 1)
    LIMIT 1
) told ON p.had_account
ORDER BY p.id`

var digestPairs = selectPairs(digestHour)

// planDigests plans what the schedule digests asks for by now, as [service.planTick] says. Who has nothing to be told gets none.
func (s *service) planDigests(ctx context.Context) (planned int, whole bool, err error) {
	return s.planTick(ctx, "digests", digestPairs, []reminding{{
		typ: typeDigest, hours: digestHour, channels: []string{channelEmail, channelPush},
		candidates: selectDigests, stages: []int{0}, tells: whenFound,
	}})
}
