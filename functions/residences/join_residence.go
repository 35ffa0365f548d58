package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/idempotency"
	"github.com/honeydue/backend/shared/limit"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

type joinResidenceInput struct {
	idempotency.Header
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"64" example:"7KQ2-MWXA"`
	}
}

func (s *service) joinResidence(ctx context.Context, in *joinResidenceInput) (*idempotency.Answer[Residence], error) {
	me := authn.User(ctx).ID
	guard, err := idempotency.New(me, "/api/residences/join/", in.Header, in.Body)
	if err != nil {
		return nil, err
	}
	hash := hashCode(in.Body.Code)
	opens, err := s.tryCode(ctx, me, hash)
	if err != nil {
		return nil, err
	}
	joined, err := s.join(ctx, guard, me, hash, opens)
	if errors.Is(err, errNoCode) {
		// It may be this very request that used the code up, when it came before.
		err = s.joinedBefore(ctx, guard)
	}
	if err != nil {
		return nil, err
	}
	answer, err := idempotency.Reply(guard, joined)
	if err != nil {
		return nil, err
	}
	if guard.Replayed() {
		// Who left the home since, or was removed, may not see it.
		if _, err := home.Of(ctx, s.DB, me, answer.Body.ID); err != nil {
			return nil, err
		}
	}
	answer.Status = http.StatusOK
	return answer, nil
}

// tryCode looks up what a code opens: one home or none. It counts a try, whatever comes of it, so that nobody guesses codes.
func (s *service) tryCode(ctx context.Context, me int64, hash []byte) (opens []codeRow, err error) {
	byPerson := limit.Rule{Name: "join by person", Max: 10, Window: time.Hour}
	byAddress := limit.Rule{Name: "join by address", Max: 30, Window: time.Hour}
	batch := &pgx.Batch{}
	batch.Queue(selectCode, hash).Query(into(&opens, pgx.RowToStructByName[codeRow]))
	try, err := limit.TakeWith(ctx, s.DB, batch, byPerson.By(strconv.FormatInt(me, 10)), byAddress.By(api.Address(ctx)))
	if err != nil {
		return nil, err
	}
	if !try.Granted {
		return nil, problem.TooMany("Too many codes were tried within an hour.", try.After)
	}
	return opens, nil
}

// join lets the person into the home that the code opens. Whoever is in it already only gets the home. It looks again when
// the home's members have changed since opens was read.
func (s *service) join(ctx context.Context, guard *idempotency.Guard, me int64, hash []byte, opens []codeRow) (joined Residence, err error) {
	var id int64
	look := func(ctx context.Context) (int64, []int64, error) {
		if opens == nil {
			if opens, err = pg.All[codeRow](ctx, s.DB, selectCode, hash); err != nil {
				return 0, nil, fmt.Errorf("look up share code: %w", err)
			}
		}
		if len(opens) == 0 {
			return 0, nil, errNoCode
		}
		code := opens[0]
		id, opens = code.ResidenceID, nil
		return id, append(code.Members, me), nil
	}
	err = s.reshape(ctx, guard, look, func(tx *pg.Tx, all members) error {
		var err error
		if _, already := all.find(me); already {
			joined, err = residence(ctx, tx, me, id)
		} else if joined, err = redeem(ctx, tx, id, me, hash); err == nil {
			err = s.Outbox.Append(ctx, tx, events.MemberJoined{ResidenceID: id, UserID: me})
		}
		if err != nil {
			return err
		}
		return guard.Keep(tx, http.StatusOK, joined)
	})
	return joined, err
}

// joinedBefore finds the answer that an earlier request with the same key got; without one the code is none.
func (s *service) joinedBefore(ctx context.Context, guard *idempotency.Guard) error {
	err := pg.InTx(ctx, s.DB, func(tx *pg.Tx) error { return guard.Begin(ctx, tx) })
	if err == nil && !guard.Replayed() {
		return problem.NotFound()
	}
	return err
}
