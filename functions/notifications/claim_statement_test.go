package main

import (
	"cmp"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// What is left out of the statement for messages of a type is nothing that they tell, or that decides whether they are sent.
func TestAMessageIsTheSameHoweverItIsClaimed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.device(t, b.ben)
	b.device(t, b.cleo)
	code, _ := b.code(t, b.ben, "reset_password", nil)
	proof, _ := b.code(t, b.ben, "verify_email", nil)
	elsewhere := "new@example.com"
	move, _ := b.code(t, b.ben, "change_email", &elsewhere)
	change := functiontest.Value[int64](t, b.Server,
		`INSERT INTO auth_email_change (user_id, old_email) VALUES ($1, 'old@example.com') RETURNING id`, b.ben.ID)
	told := map[uuid.UUID]string{
		b.completed(t): typeCompleted,
		b.assigned(t):  typeAssigned,
		happen(t, b.residences, events.MemberJoined{ResidenceID: b.home, UserID: b.anna.ID}): typeJoined,
		happen(t, b.auth, events.UserPasswordResetRequested{UserID: b.ben.ID, CodeID: code}): typePasswordReset,
		happen(t, b.auth, events.UserVerificationRequested{UserID: b.ben.ID, CodeID: proof}): typeVerification,
		happen(t, b.auth, events.UserVerificationRequested{UserID: b.ben.ID, CodeID: move}):  typeVerification,
		happen(t, b.auth, events.UserPasswordChanged{UserID: b.ben.ID}):                      typeSecurity,
		happen(t, b.auth, events.UserEmailChanged{UserID: b.ben.ID, ChangeID: change}):       typeSecurity,
	}
	for id := range told {
		b.done(t, id)
	}
	for _, change := range []string{
		`SELECT`,
		`UPDATE task_task SET assigned_to_id = NULL, is_archived = true`,
		`DELETE FROM residence_member WHERE user_id <> (SELECT id FROM auth_user WHERE first_name = 'Cleo')`,
		`DELETE FROM task_task`,
		`UPDATE auth_code SET used_at = now()`,
		`DELETE FROM auth_email_change`,
	} {
		b.Exec(t, change)
		for id, typ := range told {
			require.Equal(t, b.claimedAgain(t, id, ofAll), b.claimedAgain(t, id, subjectsOf(typ)|ofPhones), "%s after %s", typ, change)
		}
	}
}

// claimedAgain returns an event's messages as a statement of these subjects claims them.
func (b *bundle) claimedAgain(t *testing.T, event uuid.UUID, of subjects) []message {
	t.Helper()
	b.Exec(t, `UPDATE notification_message SET state = 'pending', attempts = 0, last_error = NULL WHERE channel <> 'app'`)
	claimed, err := b.service.claimThose(t.Context(), of, b.planned(t, event), 10, false)
	require.NoError(t, err)
	require.NotEmpty(t, claimed)
	for i, m := range claimed {
		if m.Type == typeSecurity || m.Type == typePasswordReset || m.Type == typeVerification {
			claimed[i].Actor = "" // such a mail names nobody
		}
	}
	slices.SortFunc(claimed, func(a, b message) int { return cmp.Compare(a.ID, b.ID) })
	return claimed
}

// planned returns the ids of an event's messages, but those in the app's list.
func (b *bundle) planned(t *testing.T, event uuid.UUID) []int64 {
	t.Helper()
	return functiontest.Value[[]int64](t, b.Server,
		`SELECT array_agg(id ORDER BY id) FROM notification_message WHERE event_id = $1 AND channel <> 'app'`, event)
}

// What a claim guards against is the end of a process, for which the disk need not have it.
func TestAClaimDoesNotWaitForTheDisk(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.assigned(t)
	b.done(t, id)
	b.Exec(t, `UPDATE notification_message SET state = 'pending'`)
	require.NoError(t, b.service.db.Transact(t.Context(), func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `SET LOCAL synchronous_commit = on`); err != nil {
			return err
		}
		tag, err := tx.Exec(t.Context(), claimStatement(ofAll), b.planned(t, id), 1, 1.0, maxAttempts, false, nil)
		if err != nil {
			return err
		}
		require.EqualValues(t, 1, tag.RowsAffected())
		var waits string
		err = tx.QueryRow(t.Context(), `SHOW synchronous_commit`).Scan(&waits)
		require.Equal(t, "off", waits)
		return err
	}))
}
