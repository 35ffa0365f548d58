package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/problem"
)

type exported map[string]json.RawMessage

func (b *bundle) export(t *testing.T, token string) exported {
	t.Helper()
	r := b.get(t, "export/", token)
	require.Equal(t, "application/json", r.Header.Get("Content-Type"))
	return functiontest.Read[exported](t, r, 200)
}

// rows returns the rows of a part.
func (e exported) rows(t *testing.T, part string) []object {
	t.Helper()
	if part == "account" {
		var row object
		require.NoError(t, json.Unmarshal(e[part], &row))
		return []object{row}
	}
	var rows []object
	require.NoError(t, json.Unmarshal(e[part], &rows), part)
	return rows
}

// ids returns the ids of a part's rows.
func (e exported) ids(t *testing.T, part string) []int64 {
	t.Helper()
	ids := []int64{}
	for _, row := range e.rows(t, part) {
		id, ok := row["id"].(float64)
		require.True(t, ok)
		ids = append(ids, int64(id))
	}
	return ids
}

func TestExport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	l := b.live(t)
	r := b.get(t, "export/", l.token)
	require.Equal(t, `attachment; filename="honeydue-export.json"`, r.Header.Get("Content-Disposition"))
	require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
	e := functiontest.Read[exported](t, r, 200)
	names := []string{"exported_at"}
	for _, part := range exportParts() {
		names = append(names, part.name)
		if part.name != "left_behind" {
			require.NotEmpty(t, e.rows(t, part.name), part.name)
		}
	}
	require.ElementsMatch(t, names, slices.Collect(maps.Keys(e)))
	var at time.Time
	require.NoError(t, json.Unmarshal(e["exported_at"], &at))
	require.WithinDuration(t, time.Now(), at, time.Minute)

	account := e.rows(t, "account")[0]
	require.Equal(t, "zyxwilda@vashtique.example", account["email"])
	require.Equal(t, "Zyxwilda", account["first_name"])
	require.Equal(t, true, account["has_password"])
	require.Len(t, e.rows(t, "sessions"), 2)
	require.Equal(t, []any{"daily_digest.push", "task_overdue.push"}, account["muted"])
	require.Equal(t, "22:00:00", account["quiet_from"])
	require.Equal(t, "Quorndyke phone", e.rows(t, "devices")[0]["name"])
	require.NotContains(t, string(r.Body), apple(1), "a secret")
	require.Equal(t, "zyxwilda@quorndyke.example", e.rows(t, "email_changes")[0]["old_email"])
	require.Len(t, e.rows(t, "residences"), 3)
	residence := e.rows(t, "residences")[0]
	require.Equal(t, "1 Quorndyke Way", residence["street_address"])
	require.Equal(t, "315000.00", residence["purchase_price"], "money is text")
	require.Equal(t, "129.90", e.rows(t, "tasks")[0]["estimated_cost"])
	require.Equal(t, "140.00", e.rows(t, "completions")[0]["actual_cost"])
	require.Equal(t, "2026-11-30", e.rows(t, "tasks")[0]["next_due_date"])
	require.Equal(t, []any{14.0}, e.rows(t, "contractors")[0]["specialty_ids"])
	require.Regexp(t, `^\d{4}-\d\d-\d\dT.*\+00:00$`, account["created_at"], "an instant, in UTC")
	require.Len(t, e.rows(t, "messages"), 4)
	require.Equal(t, "2026-11-30", e.rows(t, "messages")[3]["occurrence_on"])
	require.Len(t, e.rows(t, "stored_answers"), 2)

	require.NotContains(t, string(r.Body), "bob", "someone else's name or address")
	require.NotContains(t, string(r.Body), "argon2id")
	require.NotContains(t, string(r.Body), "hash\"")
	hashes := functiontest.Value[[]string](t, b.Server, `
		SELECT array_agg(encode(h, 'hex')) FROM (SELECT token_hash FROM auth_session UNION SELECT nonce FROM auth_code UNION SELECT key_hash FROM shared_idempotency) s (h)`)
	for _, hash := range hashes {
		require.NotContains(t, string(r.Body), hash)
	}
}

// Of a home that the person works in they get what is theirs, of one that they own everything, of one that they left no more than that
// something there names them.
func TestExportKeepsToWhatIsTheirs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann, bob := b.person(t, "ann"), b.person(t, "bob")
	owned, joined, left, foreign := b.Home(t, ann), b.Home(t, bob), b.Home(t, bob), b.Home(t, bob)
	b.Join(t, owned, bob, home.Member)
	b.Join(t, joined, ann, home.Viewer)
	b.Exec(t, `UPDATE residence_residence SET name = 'foreign ' || id WHERE id IN ($1, $2)`, left, foreign)
	contractor := func(h int64, by functiontest.Person) int64 {
		return functiontest.Value[int64](t, b.Server, `INSERT INTO residence_contractor (residence_id, name, created_by_id) VALUES ($1, 'Pat', $2) RETURNING id`, h, by.ID)
	}
	entry := func(task int64, by, about *int64) int64 {
		return functiontest.Value[int64](t, b.Server, `INSERT INTO task_taskcompletion (task_id, completed_by_id, unassigned_id, completed_on, before_in_progress, notes) VALUES ($1, $2, $3, now(), false, 'foreign') RETURNING id`, task, by, about)
	}
	var tasks, entries, contractors []int64
	tasks = append(tasks, b.task(t, owned, bob, nil), b.task(t, joined, bob, &ann.ID), b.task(t, joined, ann, nil))
	his := b.task(t, joined, bob, &bob.ID)
	lost := b.task(t, left, ann, nil)
	b.task(t, foreign, bob, nil)
	entries = append(entries, entry(tasks[0], &bob.ID, nil), entry(his, &ann.ID, nil), entry(his, &bob.ID, &ann.ID))
	entry(his, &bob.ID, nil)
	told := entry(lost, &bob.ID, &ann.ID)
	contractors = append(contractors, contractor(owned, bob), contractor(joined, ann))
	contractor(joined, bob)
	called := contractor(left, ann)
	document := func(h int64, by functiontest.Person) int64 {
		return functiontest.Value[int64](t, b.Server, `INSERT INTO upload_document (residence_id, title, document_type, created_by_id) VALUES ($1, 'x', 'manual', $2) RETURNING id`, h, by.ID)
	}
	photo := func(h int64, by functiontest.Person) int64 {
		return functiontest.Value[int64](t, b.Server, `INSERT INTO upload_media (id, residence_id, created_by_id, content_type, object_key, state)
			SELECT count(*) + 1, $1, $2, 'image/png', 'media/' || count(*), 'ready' FROM upload_media RETURNING id`, h, by.ID)
	}
	documents := []int64{document(owned, bob), document(joined, ann)}
	document(joined, bob)
	filed := document(left, ann)
	media := []int64{photo(owned, bob), photo(joined, ann)}
	photo(joined, bob)
	shot := photo(left, ann)

	e := b.export(t, ann.Token)
	require.Equal(t, []int64{owned, joined}, e.ids(t, "residences"))
	require.Equal(t, tasks, e.ids(t, "tasks"))
	require.Equal(t, entries, e.ids(t, "completions"))
	require.Equal(t, contractors, e.ids(t, "contractors"))
	require.Equal(t, documents, e.ids(t, "documents"))
	require.Equal(t, media, e.ids(t, "media"))
	kinds := map[string]float64{}
	for _, row := range e.rows(t, "left_behind") {
		require.ElementsMatch(t, []string{"kind", "id", "residence_id", "created_at"}, slices.Collect(maps.Keys(row)))
		require.InDelta(t, left, row["residence_id"], 0)
		kinds[row["kind"].(string)] = row["id"].(float64)
	}
	require.Equal(t, map[string]float64{"task": float64(lost), "completion": float64(told), "contractor": float64(called), "document": float64(filed), "media": float64(shot)}, kinds)
	require.NotContains(t, string(b.get(t, "export/", ann.Token).Body), `"name": "foreign`)

	nobody := b.person(t, "nobody")
	e = b.export(t, nobody.Token)
	require.Empty(t, e.rows(t, "tasks"))
	require.JSONEq(t, `[]`, string(e["residences"]))
}

// Every column of every table is exported, or it is decided here that it is not.
func TestEveryColumnIsExportedOrDecided(t *testing.T) {
	t.Parallel()
	b := setup(t)
	l := b.live(t)
	e := b.export(t, l.token)
	parts := map[string]string{
		"auth_user": "account", "auth_session": "sessions", "auth_device": "devices", "auth_code": "codes", "auth_email_change": "email_changes",
		"residence_member": "memberships", "residence_residence": "residences", "residence_share_code": "share_codes",
		"residence_contractor": "contractors", "residence_contractor_specialty": "contractors", "task_task": "tasks",
		"task_taskcompletion": "completions", "notification_message": "messages", "shared_idempotency": "stored_answers",
		"pending_uploads": "uploads", "upload_document": "documents", "upload_media": "media",
	}
	nobodys := []string{
		"goose_db_version", "task_category", "task_frequency", "task_priority", "task_specialty", "task_template",
		"notification_schedule", "shared_schedule",
		"admin_account", "admin_recovery_code", "admin_session", "admin_audit", // operators', and numbers alone of others
		"upload_sweep", "upload_tombstone", // random keys
		"outbox_delivery", "outbox_event", // numbers alone, for 30 days
		"shared_limit", // hashes, for an hour
	}
	renamed := map[string]string{
		"auth_user.password_hash": "has_password", "task_task.due_on": "due_date", "task_task.next_due_on": "next_due_date",
		"task_taskcompletion.occurrence_on": "occurrence", "residence_contractor_specialty.specialty_id": "specialty_ids",
		"residence_contractor_specialty.contractor_id": "id",
	}
	without := map[string]string{
		"auth_session.token_hash": "a secret", "auth_device.token": "a secret", "auth_code.nonce": "a secret", "residence_share_code.code_hash": "a secret",
		"shared_idempotency.key_hash": "the client's", "shared_idempotency.body_hash": "the client's",
		"shared_idempotency.residence_id": "the home that the answer is of",
		"shared_idempotency.answer":       "was given before, and may be of a home that they left",
		"notification_message.event_id":   "how it is sent",
		"notification_message.refs":       "how it is sent",
		"notification_message.next_at":    "how it is sent",
		"notification_message.devices":    "how it is sent", "notification_message.claimed_at": "how it is sent",
		"notification_message.last_error": "how it is sent", "notification_message.lease_until": "how it is sent",
		"residence_share_code.created_by_id": "the person",
		"pending_uploads.object_key":         "a secret", "upload_media.object_key": "a secret",
		"pending_uploads.slack": "how it is sent", "upload_media.reason": "how it was cleaned", "upload_media.has_thumbnail": "how it was cleaned",
	}
	for name := range read(t, b, `SELECT table_name || '.' || column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'`) {
		table, column, _ := strings.Cut(name, ".")
		if slices.Contains(nobodys, table) || without[name] != "" || column == "user_id" {
			continue
		}
		require.NotEmpty(t, parts[table], "%s is neither exported nor nobody's", table)
		key := column
		if renamed[name] != "" {
			key = renamed[name]
		}
		require.Contains(t, e.rows(t, parts[table])[0], key, "%s is neither exported nor decided against", name)
	}
}

func TestExportIsLimited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann, bob := b.person(t, "ann"), b.person(t, "bob")
	for range exportSeats {
		b.service.exports <- struct{}{}
	}
	retryAfter(t, b.get(t, "export/", ann.Token))
	for range exportSeats {
		<-b.service.exports
	}
	for range exportsOfPerson.Max {
		b.export(t, ann.Token)
	}
	retryAfter(t, b.get(t, "export/", ann.Token))
	b.export(t, bob.Token)
	require.Empty(t, b.service.exports, "every seat is free again")
}

// A token that outlives its account for a moment exports nothing.
func TestExportOfNobody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann := b.person(t, "ann")
	b.alive(t, ann.Token, true)
	b.Exec(t, `DELETE FROM auth_user WHERE id = $1`, ann.ID)
	functiontest.Refused(t, b.get(t, "export/", ann.Token), 401)
	require.Empty(t, b.service.exports)
}

// An account of many years is exported as it was at one moment, and packed on the way.
func TestExportOfMuch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann := b.person(t, "ann")
	owned := b.Home(t, ann)
	const many = 6_000
	b.Exec(t, `INSERT INTO task_task (residence_id, title, description) SELECT $1, 'Sweep ' || g, repeat('all of it ', 50) FROM generate_series(1, $2) g`, owned, many)
	document := &packed{}
	require.NoError(t, b.service.export(t.Context(), ann.ID, document))
	require.Less(t, document.size(), 1<<20)
	e := b.export(t, ann.Token)
	require.Greater(t, len(e["tasks"]), 4<<20)
	require.Len(t, e.rows(t, "tasks"), many)
}

// Whoever can unpack gets what is kept, as it is.
func TestExportIsSentPacked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann := b.person(t, "ann")
	b.Exec(t, `INSERT INTO task_task (residence_id, title) SELECT $1, 'Sweep ' || g FROM generate_series(1, 12000) g`, b.Home(t, ann))
	take := func(accepted string) functiontest.Response {
		r := b.Call(t, "GET", "/api/auth/export/", ann.Token, nil, functiontest.Header{Name: "Accept-Encoding", Value: accepted})
		require.Equal(t, 200, r.Status, string(r.Body))
		require.Equal(t, "Accept-Encoding", r.Header.Get("Vary"))
		return r
	}
	whole, small := take("identity"), take("gzip")
	require.Empty(t, whole.Header.Get("Content-Encoding"))
	require.Equal(t, "gzip", small.Header.Get("Content-Encoding"))
	require.Greater(t, len(small.Body), packedBlock, "more than one block")
	document := &packed{}
	for _, one := range small.Body { // no block is left early or filled too far
		_, err := document.Write([]byte{one})
		require.NoError(t, err)
	}
	require.Equal(t, len(small.Body), document.size())
	require.Len(t, document.blocks, (len(small.Body)+packedBlock-1)/packedBlock)
	var unpacked bytes.Buffer
	_, err := document.unpack(&unpacked)
	require.NoError(t, err)
	_, same, found := strings.Cut(unpacked.String(), `"memberships"`) // behind the times of this call and of the session's use
	require.True(t, found)
	require.Contains(t, string(whole.Body), same)
}

// What packs small may still be too much for whoever unpacks it, and what does not pack too much to hold. Either counts as an export.
func TestExportOfTooMuch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, text := range map[string]struct {
		mebibytes int
		sql       string
	}{
		"unpacked": {65, `SELECT repeat('x', 1 << 20)`},
		"packed":   {24, `SELECT string_agg(md5(g.g::text || n), '') FROM generate_series(1, 1 << 15) n`},
	} {
		ann := b.person(t, "ann")
		b.Exec(t, `INSERT INTO task_task (residence_id, title, description) SELECT $1, $2, (`+text.sql+`) FROM generate_series(1, $3) g`, b.Home(t, ann), name, text.mebibytes)
		err := b.service.export(t.Context(), ann.ID, &packed{})
		var refused *problem.Problem
		require.ErrorAs(t, err, &refused, name)
		require.Equal(t, 409, refused.Status, name)
	}
	ann := b.person(t, "ann")
	b.Exec(t, `INSERT INTO task_task (residence_id, title, description) SELECT $1, 'Sweep', repeat('x', $2)`, b.Home(t, ann), maxUnpacked)
	functiontest.Refused(t, b.get(t, "export/", ann.Token), 409)
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT sum(cardinality(hits)) FROM shared_limit`))
	require.Empty(t, b.service.exports, "the seat is free again")
}

// A caller who asks and does not read gets a broken answer and gives the seat up.
func TestExportThatNobodyReads(t *testing.T) {
	t.Parallel()
	logged := &lines{}
	b := &bundle{}
	b.Server = functiontest.Start(t, "auth", func(base *function.Base) func(huma.API) {
		base.Log = slog.New(slog.NewJSONHandler(logged, nil))
		return b.routes(base)
	})
	b.service.exportTaking = 200 * time.Millisecond
	ann := b.person(t, "ann")
	// More than what the kernel keeps for both ends of a connection, and little enough to be read in time by a busy machine.
	b.Exec(t, `INSERT INTO task_task (residence_id, title, description) SELECT $1, 'Sweep', repeat('x', 1 << 20) FROM generate_series(1, 16) g`, b.Home(t, ann))
	ask, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.URL+"/api/auth/export/", http.NoBody)
	require.NoError(t, err)
	ask.Header.Set("Authorization", "Token "+ann.Token)
	ask.Header.Set("Accept-Encoding", "identity")
	answer, err := devtest.Client.Do(ask)
	require.NoError(t, err)
	defer func() { require.NoError(t, answer.Body.Close()) }()
	require.Equal(t, 200, answer.StatusCode)
	require.Eventually(t, func() bool { return len(b.service.exports) == 0 }, 10*time.Second, 5*time.Millisecond)
	_, err = io.Copy(io.Discard, answer.Body)
	require.Error(t, err, "a cut answer looks whole")
	require.Eventually(t, func() bool { return strings.Contains(logged.String(), `"cut_after":`) }, 10*time.Second, 5*time.Millisecond)
	require.NotContains(t, logged.String(), "127.0.0.1")
}

// What is committed between two parts is in neither: a task comes with its home or not at all.
func TestExportIsOfOneMoment(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann := b.person(t, "ann")
	b.Exec(t, `INSERT INTO residence_contractor (residence_id, name, created_by_id) VALUES ($1, 'Pat', $2)`, b.Home(t, ann), ann.ID)
	b.Exec(t, `CREATE FUNCTION linger() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN true; END $$`)
	b.Exec(t, `ALTER TABLE residence_contractor ENABLE ROW LEVEL SECURITY`)
	b.Exec(t, `CREATE POLICY linger ON residence_contractor USING (linger())`)
	lingering := b.holds(t, `SELECT pg_advisory_xact_lock(7)`)
	var r functiontest.Response
	done := make(chan error, 1)
	go func() {
		var err error
		r, err = b.Try("GET", "/api/auth/export/", ann.Token, nil)
		done <- err
	}()
	b.waits(t) // homes are read, tasks are not
	b.task(t, b.Home(t, ann), ann, nil)
	require.NoError(t, lingering.Commit(t.Context()))
	require.NoError(t, <-done)
	e := functiontest.Read[exported](t, r, 200)
	require.Len(t, e.rows(t, "residences"), 1)
	require.Len(t, e.rows(t, "contractors"), 1)
	require.Empty(t, e.rows(t, "tasks"))
}

// Instants are in UTC, whatever the database is set to.
func TestExportIsInUTC(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone TO %L', current_database(), 'Asia/Tokyo'); END $$`)
	elsewhere := &bundle{}
	elsewhere.Server = functiontest.StartOn(t, b.DB, "auth", elsewhere.routes)
	ann := b.person(t, "ann")
	require.Equal(t, "Asia/Tokyo", functiontest.Value[string](t, elsewhere.Server, `SHOW timezone`))
	require.Regexp(t, `\+00:00$`, elsewhere.export(t, ann.Token).rows(t, "account")[0]["created_at"])
}
