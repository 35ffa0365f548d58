package main

import "github.com/honeydue/backend/events"

// subjects are kinds of rows that messages tell of.
type subjects uint

const (
	ofCodes subjects = 1 << iota
	ofChanges
	ofTasks
	ofCompletions
	ofDocuments
	ofHomes
	ofJoiners
	ofActors
	ofPhones
	ofAll subjects = 1<<iota - 1
)

// subjectsOf returns what the messages of events tell of, by their type: all that their refs can name.
func subjectsOf(typ string) subjects {
	switch typ {
	case typeVerification, typePasswordReset:
		return ofCodes
	case typeSecurity:
		return ofChanges
	case typeJoined:
		return ofHomes | ofJoiners | ofActors
	case typeAssigned:
		return ofTasks | ofHomes | ofActors
	case typeCompleted:
		return ofTasks | ofCompletions | ofHomes | ofActors
	default:
		return ofAll
	}
}

// join returns the join with rows of a kind, named so in the statement, or with the one row that an outer join gives that finds none.
func (s subjects) join(kind subjects, name, with, none string) string {
	if s&kind != 0 {
		return "LEFT JOIN " + with
	}
	return "CROSS JOIN (SELECT " + none + ") " + name
}

// phones returns the query for the devices of the people to whom pushes go.
func (s subjects) phones() string {
	if s&ofPhones != 0 {
		return phonesOfPeople
	}
	return "SELECT NULL::bigint AS message_id, NULL::jsonb AS to_devices, NULL::int AS badge WHERE false"
}

const phonesOfPeople = `
    SELECT due.id AS message_id,
        jsonb_agg(jsonb_build_object('id', d.id, 'platform', d.platform, 'token', d.token, 'registered_at', d.registered_at) ORDER BY d.id) AS to_devices,
        (SELECT count(*)::int FROM notification_message unread
            JOIN residence_member still ON still.residence_id = (unread.refs->>'residence_id')::bigint AND still.user_id = unread.user_id
            WHERE unread.user_id = due.user_id AND unread.channel = 'app' AND unread.read_at IS NULL
              AND (NOT unread.refs ? 'task_id' OR EXISTS (SELECT FROM task_task t WHERE t.id = (unread.refs->>'task_id')::bigint))
              AND (NOT unread.refs ? 'document_id' OR EXISTS (SELECT FROM upload_document d WHERE d.id = (unread.refs->>'document_id')::bigint))
              AND (NOT unread.refs ? 'completion_id' OR EXISTS (SELECT FROM task_taskcompletion e WHERE e.id = (unread.refs->>'completion_id')::bigint))
              AND (NOT unread.refs ? 'user_id' OR EXISTS (SELECT FROM residence_member o
                  WHERE o.residence_id = still.residence_id AND o.user_id = (unread.refs->>'user_id')::bigint))) AS badge
    FROM due
    JOIN auth_device d ON d.user_id = due.user_id AND d.id <> ALL (due.devices)
    JOIN auth_session session ON session.id = d.session_id AND session.expires_at > now()
    WHERE due.channel = 'push'
    GROUP BY due.id, due.user_id
`

// Claiming is one statement. It takes what is due, or else what was being sent when a process died, counts the attempt
// before any work, and buries what is no longer worth telling: nothing is sent that was true only once. It joins in steps, since
// PostgreSQL would spend longer on the order of so many joins than on the joins. Rows that no message of those types tells of are not
// looked for: PostgreSQL takes longer to read and plan the whole statement than to run it.
func claimStatement(of subjects) string {
	return `
WITH ` + events.NotingTick(6) + `, due AS (
    SELECT id, event_id, user_id, channel, type, refs, state, attempts, expires_at, created_at, occurrence_on, stage, devices
    FROM notification_message
    WHERE state IN ('pending', 'sending') AND next_at <= now()
      AND CASE WHEN $5::boolean THEN state = 'sending' AND lease_until < now() ELSE state = 'pending' END
      AND ($1::bigint[] IS NULL OR id = ANY ($1::bigint[]))
    ORDER BY next_at LIMIT $2::int FOR UPDATE SKIP LOCKED
), people AS MATERIALIZED (
    SELECT due.*, person.email, person.email_verified_at, coalesce(person.time_zone, '') AS zone,
        person.disabled_at IS NOT NULL AND due.type NOT IN ('password_reset', 'security') AS disabled,
        due.type || '.' || due.channel = ANY (person.muted) AS muted,
        to_char(person.quiet_from, 'HH24:MI') AS quiet_from, to_char(person.quiet_to, 'HH24:MI') AS quiet_to,
        code.id AS code_id, code.purpose, code.nonce, code.new_email,
        code.used_at IS NULL AND code.expires_at > now() AS code_valid,
        due.refs ? 'change_id' AS news_of_old, change.old_email,
        coalesce(change.changed_at, event.time, due.created_at) AS fact_at
    FROM due
    JOIN auth_user person ON person.id = due.user_id
    LEFT JOIN outbox_event event ON event.id = due.event_id
    ` + of.join(ofCodes, "code", `auth_code code ON code.id = (due.refs->>'code_id')::bigint AND code.user_id = due.user_id`,
		`NULL::bigint AS id, NULL::text AS purpose, NULL::bytea AS nonce, NULL::text AS new_email, NULL::timestamptz AS used_at, NULL::timestamptz AS expires_at`) + `
    ` + of.join(ofChanges, "change", `auth_email_change change ON change.id = (due.refs->>'change_id')::bigint AND change.user_id = due.user_id`,
		`NULL::text AS old_email, NULL::timestamptz AS changed_at`) + `
), things AS MATERIALIZED (
    SELECT people.*,
        task.id AS task_id, task.title AS task, task.next_due_on AS task_due_on, task.assigned_to_id,
        task.is_cancelled OR task.is_archived AS closed, task.in_progress, task.completion_count,
        done.id AS done_id, done.completed_on AS done_on, done.notes,
        document.id AS document_id, document.title AS document, document.warranty_expires_on,
        coalesce(task.residence_id, document.residence_id, (people.refs->>'residence_id')::bigint) AS place_id
    FROM people
    ` + of.join(ofTasks, "task", `task_task task ON task.id = (people.refs->>'task_id')::bigint`,
		`NULL::bigint AS id, NULL::text AS title, NULL::date AS next_due_on, NULL::bigint AS assigned_to_id, NULL::boolean AS is_cancelled,
			NULL::boolean AS is_archived, NULL::boolean AS in_progress, NULL::int AS completion_count, NULL::bigint AS residence_id`) + `
    ` + of.join(ofCompletions, "done", `task_taskcompletion done ON done.id = (people.refs->>'completion_id')::bigint AND done.task_id = task.id`,
		`NULL::bigint AS id, NULL::date AS completed_on, NULL::text AS notes`) + `
    ` + of.join(ofDocuments, "document", `upload_document document ON document.id = (people.refs->>'document_id')::bigint`,
		`NULL::bigint AS id, NULL::text AS title, NULL::date AS warranty_expires_on, NULL::bigint AS residence_id`) + `
), facts AS MATERIALIZED (
    SELECT things.*, home.id AS home_id, home.name AS home, self.user_id AS member, self.role, other.user_id AS joined,
        concat_ws(' ', nullif(actor.first_name, ''), nullif(actor.last_name, '')) AS actor
    FROM things
    ` + of.join(ofHomes, "home", `residence_residence home ON home.id = things.place_id`,
		`NULL::bigint AS id, NULL::text AS name`) + `
    ` + of.join(ofHomes, "self", `residence_member self ON self.residence_id = things.place_id AND self.user_id = things.user_id`,
		`NULL::bigint AS user_id, NULL::text AS role`) + `
    ` + of.join(ofJoiners, "other", `residence_member other ON other.residence_id = things.place_id AND other.user_id = (things.refs->>'user_id')::bigint`,
		`NULL::bigint AS user_id`) + `
    ` + of.join(ofActors, "actor", `auth_user actor ON actor.id = coalesce((things.refs->>'actor_id')::bigint, (things.refs->>'user_id')::bigint)`,
		`NULL::text AS first_name, NULL::text AS last_name`) + `
), devices AS MATERIALIZED (` + of.phones() + `), judged AS MATERIALIZED (
    SELECT facts.*, cardinality(facts.devices) > 0 AS reached, to_devices, badge, CASE
        WHEN expires_at <= now() THEN 'expired'
        WHEN attempts >= $4::int THEN 'attempts are used up'
        WHEN disabled THEN 'this account is disabled'
        WHEN muted THEN 'this person has switched it off'
        WHEN type IN ('email_verification', 'password_reset') AND code_valid IS NOT TRUE THEN 'the code is not valid any more'
        WHEN news_of_old AND old_email IS NULL THEN 'the former address is not known any more'
        WHEN channel = 'email' AND type NOT IN ('email_verification', 'password_reset', 'security') AND email_verified_at IS NULL
            THEN 'the address is not verified'
        WHEN channel = 'push' AND to_devices IS NULL THEN 'no device is left'
        WHEN type IN ('task_assigned', 'task_completed', 'task_due_soon', 'task_overdue') AND task_id IS NULL THEN 'the task is gone'
        WHEN type = 'task_assigned' AND assigned_to_id IS DISTINCT FROM user_id THEN 'the task is not assigned to this person any more'
        WHEN type IN ('task_assigned', 'task_due_soon', 'task_overdue') AND closed THEN 'the task is not open any more'
        WHEN type = 'task_completed' AND done_id IS NULL THEN 'the completion is gone'
        WHEN type = 'warranty_expiring' AND document_id IS NULL THEN 'the document is gone'
        WHEN type = 'warranty_expiring' AND warranty_expires_on IS DISTINCT FROM occurrence_on THEN 'the warranty ends another day'
        WHEN type NOT IN ('email_verification', 'password_reset', 'security', 'daily_digest') AND member IS NULL
            THEN 'this person is not a member any more'
        WHEN type = 'residence_joined' AND joined IS NULL THEN 'who joined is not a member any more'
        WHEN type IN ('task_due_soon', 'task_overdue') AND task_due_on IS DISTINCT FROM occurrence_on THEN 'the task is due another day'
        WHEN type IN ('task_due_soon', 'task_overdue') AND in_progress THEN 'somebody is at the task'
        WHEN type IN ('task_due_soon', 'task_overdue') AND assigned_to_id <> user_id THEN 'the task is assigned to somebody else'
        WHEN (type = 'warranty_expiring' OR type IN ('task_due_soon', 'task_overdue') AND assigned_to_id IS NULL) AND role = 'viewer'
            THEN 'this person only looks on'
        ELSE '' END AS reason
    FROM facts LEFT JOIN devices ON devices.message_id = facts.id
)
UPDATE notification_message m
SET state = CASE WHEN judged.reason = '' THEN 'sending' WHEN judged.reason = 'no device is left' AND judged.reached THEN 'sent' ELSE 'dead' END,
    attempts = m.attempts + CASE WHEN judged.reason = '' THEN 1 ELSE 0 END,
    lease_until = CASE WHEN judged.reason = '' THEN now() + make_interval(secs => $3::float8) END,
    claimed_at = CASE WHEN judged.reason = '' THEN now() ELSE m.claimed_at END,
    last_error = CASE WHEN judged.reason = '' THEN m.last_error ELSE judged.reason END
FROM judged, ` + events.Unhurried + ` WHERE m.id = judged.id
RETURNING m.id, m.event_id, m.user_id, m.channel, m.type, m.attempts, judged.reason, judged.state = 'sending' AS in_doubt,
    m.created_at AS at, judged.fact_at, judged.expires_at, judged.zone, judged.stage, judged.actor,
    coalesce(judged.home_id, 0) AS residence_id, coalesce(judged.task_id, 0) AS task_id,
    coalesce(judged.done_id, 0) AS completion_id, coalesce(judged.document_id, 0) AS document_id,
    coalesce(CASE WHEN judged.news_of_old THEN judged.old_email WHEN judged.purpose = 'change_email' THEN judged.new_email ELSE judged.email END, '') AS address,
    coalesce(judged.home, '') AS home, coalesce(judged.task, '') AS task, coalesce(judged.document, '') AS document,
    coalesce(judged.task_due_on, judged.warranty_expires_on, judged.occurrence_on) AS due_on, judged.done_on,
    coalesce(judged.notes, '') AS notes, coalesce(judged.code_id, 0) AS code_id,
    coalesce(judged.purpose, '') AS purpose, judged.nonce, judged.news_of_old,
    coalesce(judged.to_devices, '[]') AS devices, judged.reached, coalesce(judged.badge, 0) AS badge, judged.quiet_from, judged.quiet_to,
    coalesce(judged.in_progress, false) AS in_progress, coalesce(judged.completion_count, 0) AS completion_count`
}
