package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/cache"
	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/idempotency"
	"github.com/honeydue/backend/shared/pg"
)

// A life is what one person did everywhere, in words that nobody else uses: each is in a name, an address or an account's text of theirs.
type life struct {
	words        []string
	token        string
	second       string // a token that was opened last
	id           int64
	shared, bobs int64
}

// other is what another function does with its own role.
func (b *bundle) other(t *testing.T, name string) *function.Base {
	t.Helper()
	return functiontest.StartOn(t, b.DB, name, func(*function.Base) func(huma.API) { return func(huma.API) {} }).Base
}

// live has zyxwilda use everything that there is: what auth offers over HTTP, the rest as its function writes it.
func (b *bundle) live(t *testing.T) life {
	t.Helper()
	ctx := context.Background()
	const first, second, third = "zyxwilda@quorndyke.example", "zyxwilda@vashtique.example", "blixomar@vashtique.example"
	l := life{words: []string{"zyxwilda", "quorndyke", "vashtique", "blixomar"}}
	made := functiontest.Read[signedIn](t, b.post(t, "register/", "", object{
		"email": first, "password": passphrase, "first_name": "Zyxwilda", "last_name": "Quorndyke", "time_zone": "Europe/Berlin", "device_name": "Zyxwilda's phone",
	}), 201)
	l.token, l.id = made.Token, made.User.ID
	require.Equal(t, 200, b.verify(t, l.token, b.digits(t, l.id, code.ForVerifyEmail)).Status)
	require.Equal(t, 202, b.changeEmail(t, l.token, second, passphrase).Status)
	require.Equal(t, 200, b.verify(t, l.token, b.digits(t, l.id, code.ForChangeEmail)).Status)
	require.Equal(t, 202, b.changeEmail(t, l.token, third, passphrase).Status)
	require.Equal(t, 202, b.post(t, "resend-verification/", l.token, nil).Status)
	require.Equal(t, 202, b.forgot(t, second).Status)
	functiontest.Refused(t, b.login(t, second, "a wrong password"), 401)
	functiontest.Refused(t, b.reset(t, second, other(b.digits(t, l.id, code.ForResetPassword)), newPassword), 400)
	functiontest.Read[user](t, b.Call(t, "PATCH", "/api/auth/me/", l.token, object{"last_name": "Quorndyke-Vashtique", "time_zone": "Asia/Tokyo"}), 200)
	require.Equal(t, 204, b.post(t, "change-password/", l.token, object{"current_password": passphrase, "new_password": newPassword}).Status)
	require.Equal(t, 204, b.post(t, "change-password/", l.token, object{"current_password": newPassword, "new_password": passphrase}).Status)
	l.second = functiontest.Read[signedIn](t, b.post(t, "login/", "", object{"email": second, "password": passphrase, "device_name": "Quorndyke tablet"}), 200).Token
	functiontest.Read[map[string]any](t, b.get(t, "export/", l.token), 200)
	b.device(t, l.second, object{"platform": "ios", "token": apple(1), "name": "Quorndyke phone", "app_version": "2.4.1"})
	b.prefer(t, l.token, `{"types": {"task_overdue": {"push": false}}, "quiet_from": "22:00", "quiet_to": "07:00", "task_overdue_hour": 7}`)

	me := functiontest.Person{ID: l.id, Email: second, Token: l.token}
	bob := b.person(t, "bob")
	own := b.Home(t, me)
	l.shared, l.bobs = b.Home(t, me), b.Home(t, bob)
	b.Join(t, l.shared, bob, home.Member)
	b.Join(t, l.bobs, me, home.Member)
	b.Exec(t, `UPDATE residence_residence SET name = 'Zyxwilda''s', street_address = '1 Quorndyke Way', description = 'Write to zyxwilda@quorndyke.example', purchase_price = 315000 WHERE id = $1`, own)
	b.Exec(t, `INSERT INTO residence_share_code (residence_id, code_hash, created_by_id, expires_at) VALUES ($1, 'hash', $2, now())`, own, l.id)
	for _, h := range []int64{own, l.shared, l.bobs} {
		what := "Sweep"
		if h == own {
			what = "Sweep as Zyxwilda"
		}
		b.Exec(t, `WITH c AS (INSERT INTO residence_contractor (residence_id, name, email, created_by_id) VALUES ($1, $2, 'pat@example.com', $3) RETURNING id)
			INSERT INTO residence_contractor_specialty (contractor_id, specialty_id) SELECT id, 14 FROM c`, h, what, l.id)
		task := b.task(t, h, me, &l.id)
		b.Exec(t, `UPDATE task_task SET title = $2, estimated_cost = 129.90, description = $2, contractor_id = (SELECT id FROM residence_contractor WHERE residence_id = $3) WHERE id = $1`, task, what, h)
		b.Exec(t, `INSERT INTO task_taskcompletion (task_id, completed_by_id, completed_on, before_in_progress, notes, actual_cost, before) VALUES ($1, $2, '2026-11-01', false, $3, 140, '{"due_on": "2026-11-01"}')`, task, l.id, what)
		b.Exec(t, `WITH d AS (INSERT INTO upload_document (residence_id, title, document_type, vendor, created_by_id) VALUES ($1, $2, 'manual', $2, $3) RETURNING id)
			INSERT INTO upload_media (id, residence_id, document_id, created_by_id, content_type, filename, object_key, state)
			SELECT id, $1, id, $3, 'image/png', $2, 'media/' || id, 'ready' FROM d`, h, what, l.id)
		b.Exec(t, `INSERT INTO notification_message (event_id, user_id, channel, type, refs, expires_at, last_error)
			SELECT gen_random_uuid(), p, 'email', 'task_completed', jsonb_build_object('task_id', $1::bigint, 'actor_id', $2::bigint, 'residence_id', $3::bigint), now(), 'the server answered 550' FROM unnest($4::bigint[]) p`,
			task, l.id, h, []int64{l.id, bob.ID})
	}
	b.Exec(t, `INSERT INTO notification_message (user_id, channel, type, refs, subject_id, occurrence_on, stage, state, expires_at, devices)
		VALUES ($1, 'push', 'daily_digest', '{}', $1, '2026-11-30', 0, 'sent', now(), '{1}')`, l.id)
	b.Exec(t, `INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, filename, object_key, expires_at)
		VALUES ($1, 'document_image', 'image/png', 1, 0, 'Quorndyke Way', 'uploads/1', now())`, l.id)
	for name, facts := range map[string][]events.Data{
		"residences": {events.MemberJoined{ResidenceID: l.bobs, UserID: l.id}, events.MemberRemoved{ResidenceID: l.bobs, UserID: l.id, ActorID: bob.ID}},
		"tasks":      {events.TaskAssigned{TaskID: 1, ResidenceID: own, AssigneeID: l.id, ActorID: l.id}, events.TaskCompleted{TaskID: 1, CompletionID: 1, ResidenceID: own, ActorID: l.id}},
	} {
		as := b.other(t, name)
		guard, err := idempotency.New(l.id, "/api/"+name+"/", idempotency.Header{Key: "zyxwilda's key"}, nil)
		require.NoError(t, err)
		require.NoError(t, pg.InTx(ctx, as.DB, func(tx *pg.Tx) error {
			for _, fact := range facts {
				if err := as.Outbox.Append(ctx, tx, fact); err != nil {
					return err
				}
			}
			return guard.Keep(tx, 201, object{"name": "Zyxwilda's", "street_address": "1 Quorndyke Way"})
		}))
	}
	return l
}

// Nothing of someone who is gone is left: no name and no address, in any table, in the outbox, in messages or in the cache.
func TestNothingIsLeftOfAnAccount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	l := b.live(t)
	require.Equal(t, []string{"auth_code", "auth_email_change", "auth_session", "auth_user", "residence_contractor", "residence_residence", "shared_idempotency", "task_task", "task_taskcompletion", "upload_document", "upload_media"},
		b.mentions(t, "Zyxwilda"), "what is looked for is not found where it must be")
	require.Equal(t, []string{"auth_device", "auth_email_change", "auth_session", "auth_user", "pending_uploads", "residence_residence", "shared_idempotency"}, b.mentions(t, "quorndyke"))
	require.Equal(t, []string{"auth_code", "auth_user"}, b.mentions(t, "vashtique"))
	require.Eventually(t, func() bool {
		b.alive(t, l.second, true)
		return len(b.inRedis(t, "Asia/Tokyo")) == 1 // in a token's look-up
	}, 10*time.Second, 10*time.Millisecond)

	require.Equal(t, 202, b.deleteAccount(t, l.token, passphrase).Status)
	for _, word := range l.words {
		require.Empty(t, b.mentions(t, word), word)
		require.Empty(t, b.inRedis(t, word), word)
	}
	require.Empty(t, b.inRedis(t, "Asia/Tokyo"))
	require.Len(t, b.roles(t, l.shared), 1)
	require.Len(t, b.roles(t, l.bobs), 1)
	// Facts that were told, and messages to others, have the number, which is never given again.
	for name := range decided() {
		table, column, _ := strings.Cut(name, ".")
		require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM `+table+` WHERE `+column+` = $1`, l.id), name)
	}
	require.Positive(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM outbox_event`))

	again := functiontest.Read[signedIn](t, b.post(t, "register/", "", object{"email": "zyxwilda@vashtique.example", "password": passphrase}), 201)
	require.Greater(t, again.User.ID, l.id)
	functiontest.Read[signedIn](t, b.post(t, "register/", "", object{"email": "zyxwilda@quorndyke.example", "password": passphrase}), 201)
}

// inRedis returns the keys that hold text in their name or in their value, in whatever case.
func (b *bundle) inRedis(t *testing.T, text string) []string {
	t.Helper()
	ctx := t.Context()
	options, err := redis.ParseURL(b.DB.RedisURL())
	require.NoError(t, err)
	client := redis.NewClient(options)
	defer func() { require.NoError(t, client.Close()) }()
	keys, err := client.Keys(ctx, "*").Result()
	require.NoError(t, err)
	var found []string
	for _, key := range keys {
		var value any
		switch typ := client.Type(ctx, key).Val(); typ {
		case "string":
			value, err = client.Get(ctx, key).Result()
		case "hash":
			value, err = client.HGetAll(ctx, key).Result()
		case "none": // it has just ended
		default:
			require.Fail(t, "a kind of value that is not looked into", "%s is a %s", key, typ)
		}
		require.NoError(t, err)
		if strings.Contains(strings.ToLower(fmt.Sprint(key, value)), strings.ToLower(text)) {
			found = append(found, key)
		}
	}
	return found
}

// A board may hold what its person wrote until it ends by itself; nobody can read it any more.
func TestBoardOfADeletedAccountIsOutOfReach(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann := b.person(t, "ann")
	b.Home(t, ann)
	kept := b.KeepBoards(t, ann)
	b.gone(t, ann)
	require.False(t, kept(ann))
	require.Len(t, b.inRedis(t, fmt.Sprintf("tasks:user:%d:", ann.ID)), 2, "the generation, and a board of another one")
	board, _ := b.Base.Cache.Board(t.Context(), cache.View{User: ann.ID, Name: "test"})
	require.Empty(t, board)
	found, _ := b.Base.Cache.Token(t.Context(), authn.Hash(ann.Token))
	require.Empty(t, found)
}
