package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/limit"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

func (s *service) actsOnPeople() []act {
	return []act{
		{
			Name: "disable", Title: "Disable the account",
			Asks: "Whoever has this account is signed out everywhere at once and cannot sign in, and nothing but mails about their password goes to them. Nothing is deleted.",
			Do:   s.disable,
		},
		{
			Name: "enable", Title: "Enable the account",
			Asks: "Whoever has this account can sign in again. It signs nobody in, and takes back a deletion that has not happened yet.",
			Do:   s.enable,
		},
		{
			Name: "end-sessions", Title: "End all sessions",
			Asks: "Whoever has this account is signed out everywhere at once, and signs in again with their password.",
			Do:   s.endSessionsOfPerson,
		},
		{
			Name: "send-reset", Title: "Send a code for a new password",
			Asks: "A mail with a code for a new password goes to the account's address. The code lives for ten minutes; neither you nor this panel sees it.",
			Do:   s.sendReset,
		},
		{
			Name: "verify-email", Title: "Take the address as proved",
			Asks: "The address counts as proved from now on, as if its code had been typed in: mails about homes and tasks go there. Be sure that it is theirs.",
			Do:   s.verifyEmail,
		},
		{
			Name: "change-role", Title: "Change the role in a home",
			Asks:    "A viewer looks at a home, a member works there. Who owns a home is for its owner to say.",
			Choices: []choice{{Name: "role", Label: "Role", Options: []string{"member", "viewer"}}, {Name: "home", Label: "Id of the home"}},
			Do:      s.changeRole,
		},
		{
			Name: "delete", Title: "Delete the account", Danger: true,
			Asks: "The account and everything that only it has goes, for good. Homes with other members pass to whoever of them is there longest; homes without go with all that is in them. It is signed out at once, and deleted within moments; until then, enabling it takes this back.",
			Do:   s.deletePerson,
		},
	}
}

// offered names the acts that make sense for p. A role is changed from the list of homes.
func (p person) offered() []string {
	if p.DisabledAt != nil {
		return []string{"enable", "delete"}
	}
	acts := []string{"end-sessions", "send-reset"}
	if p.EmailVerifiedAt == nil {
		acts = append(acts, "verify-email")
	}
	return append(acts, "disable", "delete")
}

// A standing is whether an account works, before and after an act.
type standing struct {
	DisabledAt      *time.Time `json:"disabled_at"`
	EmailVerifiedAt *time.Time `json:"email_verified_at"`
}

// Locking the person first keeps a sign-in from opening a session behind the look at their tokens.
const lockPerson = `SELECT disabled_at, email_verified_at FROM auth_user WHERE id = $1 FOR NO KEY UPDATE`

const (
	selectTokens = `SELECT token_hash FROM auth_session WHERE user_id = $1`
	endPerson    = `DELETE FROM auth_session WHERE user_id = $1`
	setDisabled  = `UPDATE auth_user SET disabled_at = $2::timestamptz, updated_at = now() WHERE id = $1`
	setVerified  = `UPDATE auth_user SET email_verified_at = $2::timestamptz, updated_at = now() WHERE id = $1`
)

// locked runs do in a transaction that holds a person's row.
func (s *service) locked(ctx context.Context, text string, do func(tx *pg.Tx, id int64, was standing) (entry, error)) (entry, error) {
	id, err := idOf(text)
	if err != nil {
		return entry{}, err
	}
	var done entry
	err = pg.InTx(ctx, s.DB, func(tx *pg.Tx) error {
		was, err := pg.One[standing](ctx, tx, lockPerson, id)
		if errors.Is(err, pgx.ErrNoRows) {
			return problem.NotFound()
		}
		if err != nil {
			return fmt.Errorf("lock person: %w", err)
		}
		if done, err = do(tx, id, was); err != nil {
			return err
		}
		return s.record(ctx, tx, operatorOf(ctx).ID, done)
	})
	if err != nil {
		return entry{}, fmt.Errorf("act on person %d: %w", id, err)
	}
	return done, nil
}

// endSessionsOf signs the person out everywhere: in the database with tx, and in the cache before and after its commit.
func (s *service) endSessionsOf(ctx context.Context, tx *pg.Tx, id int64) (ended int, err error) {
	rows, err := tx.Query(ctx, selectTokens, id)
	if err != nil {
		return 0, fmt.Errorf("look up sessions: %w", err)
	}
	hashes, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return 0, fmt.Errorf("read sessions: %w", err)
	}
	tx.Queue(endPerson, id)
	s.Cache.Revoke(ctx, hashes...)
	tx.AfterCommit(func() { s.Cache.Revoke(ctx, slices.Clone(hashes)...) })
	return len(hashes), nil
}

// moment is now as PostgreSQL keeps it.
func (s *service) moment() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

func (s *service) disable(ctx context.Context, in acting) (entry, error) {
	return s.locked(ctx, in.ID, func(tx *pg.Tx, id int64, was standing) (entry, error) {
		if was.DisabledAt != nil {
			return entry{}, problem.Conflict("This account is disabled already.", nil)
		}
		is := was
		is.DisabledAt = new(s.moment())
		tx.Queue(setDisabled, id, is.DisabledAt)
		if _, err := s.endSessionsOf(ctx, tx, id); err != nil {
			return entry{}, err
		}
		return entry{"disable", subject(people, id), was, is}, nil
	})
}

func (s *service) enable(ctx context.Context, in acting) (entry, error) {
	return s.locked(ctx, in.ID, func(tx *pg.Tx, id int64, was standing) (entry, error) {
		if was.DisabledAt == nil {
			return entry{}, problem.Conflict("This account works already.", nil)
		}
		is := was
		is.DisabledAt = nil
		tx.Queue(setDisabled, id, nil)
		return entry{"enable", subject(people, id), was, is}, nil
	})
}

func (s *service) endSessionsOfPerson(ctx context.Context, in acting) (entry, error) {
	return s.locked(ctx, in.ID, func(tx *pg.Tx, id int64, _ standing) (entry, error) {
		ended, err := s.endSessionsOf(ctx, tx, id)
		if err != nil {
			return entry{}, err
		}
		if ended == 0 {
			return entry{}, problem.Conflict("Nobody is signed in with this account.", nil)
		}
		return entry{"end-sessions", subject(people, id), counted{ended}, counted{0}}, nil
	})
}

// counted is how many sessions an account has.
type counted struct {
	Sessions int `json:"sessions"`
}

// resetsOfPerson keeps an operator's token that fell into wrong hands from filling a person's mailbox.
var resetsOfPerson = limit.Rule{Name: "admin.reset.person", Max: 5, Window: time.Hour}

func (s *service) sendReset(ctx context.Context, in acting) (entry, error) {
	try, err := limit.Take(ctx, s.DB, resetsOfPerson.By(in.ID))
	if err != nil {
		return entry{}, fmt.Errorf("count resets: %w", err)
	}
	if !try.Granted {
		return entry{}, problem.TooMany("This person was sent five codes within an hour. Wait before the next one.", try.After)
	}
	return s.locked(ctx, in.ID, func(tx *pg.Tx, id int64, was standing) (entry, error) {
		if was.DisabledAt != nil {
			return entry{}, problem.Conflict("This account is disabled: a new password would open nothing.", nil)
		}
		issued, err := code.Issue(ctx, tx, id, code.ForResetPassword, nil)
		if err != nil {
			return entry{}, err
		}
		if err := s.Outbox.Append(ctx, tx, events.UserPasswordResetRequested{UserID: id, CodeID: issued}); err != nil {
			return entry{}, fmt.Errorf("append event: %w", err)
		}
		return entry{Act: "send-reset", Subject: subject(people, id), After: map[string]int64{"code_id": issued}}, nil
	})
}

func (s *service) verifyEmail(ctx context.Context, in acting) (entry, error) {
	return s.locked(ctx, in.ID, func(tx *pg.Tx, id int64, was standing) (entry, error) {
		if was.EmailVerifiedAt != nil {
			return entry{}, problem.Conflict("This address is proved already.", nil)
		}
		is := was
		is.EmailVerifiedAt = new(s.moment())
		tx.Queue(setVerified, id, is.EmailVerifiedAt)
		return entry{"verify-email", subject(people, id), was, is}, nil
	})
}

// deletePerson has auth delete the account: what goes with it, and in which order that is locked, is known there. Meanwhile nobody is
// signed in with it.
func (s *service) deletePerson(ctx context.Context, in acting) (entry, error) {
	return s.locked(ctx, in.ID, func(tx *pg.Tx, id int64, was standing) (entry, error) {
		is, now := was, s.moment()
		if was.DisabledAt == nil || was.DisabledAt.After(now) { // another pod's clock: auth asks that it was disabled before the event
			is.DisabledAt = &now
			tx.Queue(setDisabled, id, is.DisabledAt)
		}
		if _, err := s.endSessionsOf(ctx, tx, id); err != nil {
			return entry{}, err
		}
		if err := s.Outbox.Append(ctx, tx, events.UserDeletionRequested{UserID: id}); err != nil {
			return entry{}, fmt.Errorf("append event: %w", err)
		}
		return entry{"delete", subject(people, id), was, is}, nil
	})
}
