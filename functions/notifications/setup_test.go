package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/run"
)

func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }

var testKey = bytes.Repeat([]byte("k"), 32)

// A bundle is the function beside those whose events it gets, each with the role that it has in production.
type bundle struct {
	*functiontest.Server // the function tasks
	auth, residences     *functiontest.Server

	service *service
	url     string
	mail    *mailbox
	log     *logbook

	anna, ben, cleo functiontest.Person // members of home
	home, task      int64
}

func setup(t *testing.T) *bundle {
	t.Helper()
	db := devtest.New(t)
	none := func(*function.Base) func(huma.API) { return func(huma.API) {} }
	b := &bundle{
		Server: functiontest.StartOn(t, db, "tasks", none), auth: functiontest.StartOn(t, db, "auth", none),
		residences: functiontest.StartOn(t, db, "residences", none), log: &logbook{},
	}
	var address string
	b.mail, address = newMailbox(t, nil, false)
	b.service = newTestService(t, b, "smtp://"+address, 10*time.Second)
	server := httptest.NewServer(b.service.handler())
	t.Cleanup(server.Close)
	b.url = server.URL
	b.anna, b.ben, b.cleo = b.Person(t, "Anna"), b.Person(t, "Ben"), b.Person(t, "Cleo")
	b.home = b.Home(t, b.anna)
	b.Join(t, b.home, b.ben, home.Member)
	b.Join(t, b.home, b.cleo, home.Viewer)
	b.Exec(t, `UPDATE residence_residence SET name = 'Lake house'`)
	b.task = functiontest.Value[int64](t, b.Server, `
		INSERT INTO task_task (residence_id, title, next_due_on, assigned_to_id) VALUES ($1, 'Clean the gutters', '2026-04-03', $2) RETURNING id`,
		b.home, b.ben.ID)
	return b
}

// newTestService opens the function on b's database. deadline is short where a test waits for it to pass.
func newTestService(t *testing.T, b *bundle, mailURL string, deadline time.Duration) *service {
	t.Helper()
	var mode pg.ExecMode
	require.NoError(t, mode.Decode(b.DB.ExecMode()))
	db, err := pg.Open(t.Context(), pg.Config{URL: b.DB.URL("honeydue_notifications"), ExecMode: mode, PoolSize: 4})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	cfg := config{
		PublicURL: "https://myhoneydue.com", APIURL: "https://api.myhoneydue.com", Sink: "http://127.0.0.1:1/", // where nobody listens
	}
	require.NoError(t, cfg.CodeKeys.Decode(string(testKey)))
	require.NoError(t, cfg.Mail.Server.Decode(mailURL))
	require.NoError(t, cfg.Mail.From.Decode("honeyDue <hello@myhoneydue.com>"))
	cfg.Mail.Deadline = deadline
	background := &run.Background{}
	t.Cleanup(func() { require.NoError(t, background.Wait(context.Background())) })
	s, err := newService(cfg, db, background, slog.New(slog.NewJSONHandler(b.log, nil)))
	require.NoError(t, err)
	t.Cleanup(s.close)
	return s
}

// happen has the function of base tell data, and returns the event's id. Its own publishing finds no broker.
func happen(t *testing.T, function *functiontest.Server, data events.Data) uuid.UUID {
	t.Helper()
	err := pg.InTx(t.Context(), function.Base.DB, func(tx *pg.Tx) error {
		return function.Base.Outbox.Append(t.Context(), tx, data)
	})
	require.NoError(t, err)
	return functiontest.Value[uuid.UUID](t, function, `SELECT id FROM outbox_event ORDER BY id DESC LIMIT 1`)
}

// completed has ben complete the task, and returns the event's id.
func (b *bundle) completed(t *testing.T) uuid.UUID {
	t.Helper()
	completion := functiontest.Value[int64](t, b.Server, `
		INSERT INTO task_taskcompletion (task_id, completed_by_id, completed_on, notes, before_in_progress)
		VALUES ($1, $2, '2026-04-02', 'Two nests, both empty.', false) RETURNING id`, b.task, b.ben.ID)
	return happen(t, b.Server, events.TaskCompleted{TaskID: b.task, CompletionID: completion, ResidenceID: b.home, ActorID: b.ben.ID})
}

// assigned has anna give ben the task, and returns the event's id. It plans one mail.
func (b *bundle) assigned(t *testing.T) uuid.UUID {
	t.Helper()
	return happen(t, b.Server, events.TaskAssigned{TaskID: b.task, ResidenceID: b.home, AssigneeID: b.ben.ID, ActorID: b.anna.ID})
}

// code makes a code of that purpose and returns its id and nonce.
func (b *bundle) code(t *testing.T, person functiontest.Person, purpose string, newEmail *string) (int64, []byte) {
	t.Helper()
	nonce := []byte("sixteen bytes ok")
	return functiontest.Value[int64](t, b.Server, `
		INSERT INTO auth_code (user_id, purpose, nonce, new_email, expires_at) VALUES ($1, $2, $3, $4, now() + interval '10 minutes') RETURNING id`,
		person.ID, purpose, nonce, newEmail), nonce
}

// deliver posts an event as a broker does and returns the answer's status.
func (b *bundle) deliver(t *testing.T, id, typ string) int {
	t.Helper()
	status, err := post(b.url, map[string]string{"Ce-Id": id, "Ce-Type": typ, "Ce-Source": "/functions/tasks", "Ce-Specversion": "1.0"})
	require.NoError(t, err)
	return status
}

// done posts an event whose delivery must be answered by 204.
func (b *bundle) done(t *testing.T, id uuid.UUID) {
	t.Helper()
	require.Equal(t, http.StatusNoContent, b.deliver(t, id.String(), "anything"))
}

// tick posts what the schedule deliveries sends.
func (b *bundle) tick(t *testing.T) {
	t.Helper()
	b.tickOf(t, "deliveries")
}

func (b *bundle) tickOf(t *testing.T, schedule string) {
	t.Helper()
	status, err := post(b.url, map[string]string{
		"Ce-Id": uuid.NewString(), "Ce-Type": events.PingType, "Ce-Specversion": "1.0",
		"Ce-Source": "/apis/v1/namespaces/honeydue/pingsources/" + schedule,
	})
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, status)
}

func post(url string, headers map[string]string) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		return 0, err
	}
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	res, err := devtest.Client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode == http.StatusNoContent && res.ContentLength > 0 {
		return 0, fmt.Errorf("an answer of %d bytes", res.ContentLength)
	}
	return res.StatusCode, nil
}

// state returns the state of an event's delivery, how often it was tried, and why it is dead.
func (b *bundle) state(t *testing.T, id uuid.UUID) string {
	t.Helper()
	return functiontest.Value[string](t, b.Server, `
		SELECT concat_ws(' ', state, attempts, reason) FROM outbox_delivery WHERE event_id = $1 AND consumer = 'notifications'`, id)
}

// row returns the state, attempts and last error of the only mail.
func (b *bundle) row(t *testing.T) string {
	t.Helper()
	return b.rowOf(t, channelEmail)
}

// rowOf is row for the only message of a channel.
func (b *bundle) rowOf(t *testing.T, channel string) string {
	t.Helper()
	return functiontest.Value[string](t, b.Server, `SELECT concat_ws(' ', state, attempts, last_error) FROM notification_message WHERE channel = $1`, channel)
}

// mailID returns the id of the only mail.
func (b *bundle) mailID(t *testing.T) int64 {
	t.Helper()
	return functiontest.Value[int64](t, b.Server, `SELECT id FROM notification_message WHERE channel = 'email'`)
}

// device registers a phone of p, in their session.
func (b *bundle) device(t *testing.T, p functiontest.Person) int64 {
	t.Helper()
	return functiontest.Value[int64](t, b.Server, `
		INSERT INTO auth_device (user_id, session_id, platform, token)
		SELECT s.user_id, s.id, 'ios', encode(sha256(s.token_hash), 'hex') FROM auth_session s WHERE s.user_id = $1 RETURNING id`, p.ID)
}

// due makes every message that waits due now.
func (b *bundle) due(t *testing.T) {
	t.Helper()
	b.Exec(t, `UPDATE notification_message SET next_at = now() - interval '1 second', lease_until = lease_until - interval '1 hour' WHERE channel <> 'app'`)
}

// A logbook keeps what is logged.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
