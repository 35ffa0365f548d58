package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/honeydue/backend/tests/bench/report"
	"github.com/honeydue/backend/tests/load"
)

// reckon looks, once all that was on its way has arrived, for everything that was acknowledged, and prints what is lost and what was
// wrong meanwhile. It returns whether there is neither.
func reckon(ctx context.Context, t *town, out io.Writer) (bool, error) {
	if err := t.settleDown(ctx); err != nil {
		return false, err
	}
	var found findings
	group, looking := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, h := range t.homes {
		group.Go(func() error {
			h.lookAround(looking, &found)
			return looking.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return false, fmt.Errorf("reckon: %w", err)
	}
	mails := t.countMails(&found)
	t.book.explainTrouble()
	said, err := report.Reached(report.Goal{
		What: "soak: acknowledged writes", Beside: "what is there in the end", Measured: fmt.Sprintf("%d lost of %d", len(found.lost), found.looked),
		Target: "0 lost", Met: len(found.lost) == 0,
	})
	if err != nil {
		return false, err
	}
	_, _ = fmt.Fprintf(out, "\nLooked for %d things that were acknowledged: %d lost, target 0: %s\n%s\n", found.looked, len(found.lost), said, mails)
	const shown = 50
	for _, what := range found.lost[:min(shown, len(found.lost))] {
		_, _ = fmt.Fprintf(out, "  lost: %s\n", what)
	}
	wrong := t.book.wrong
	_, err = fmt.Fprintf(out, "Otherwise wrong: %d kinds of things, target 0: %s\n", len(wrong), report.Verdict(len(wrong) == 0))
	for _, what := range slices.Sorted(maps.Keys(wrong)) {
		_, _ = fmt.Fprintf(out, "  %d times %s\n", wrong[what], what)
	}
	return len(found.lost) == 0 && len(wrong) == 0, err
}

const (
	hurryDeliveries = `UPDATE outbox_delivery SET next_at = now() WHERE state = 'pending'`
	hurryMessages   = `UPDATE notification_message SET next_at = now() WHERE state = 'pending'`

	countOnTheWay = `
SELECT (SELECT count(*) FROM outbox_delivery WHERE state = 'pending') + (SELECT count(*) FROM upload_media WHERE state = 'cleaning')
    + (SELECT count(*) FROM notification_message WHERE state IN ('pending', 'sending'))`

	countDead = `SELECT count(*) FROM outbox_delivery WHERE state = 'dead'`
)

// settleDown fires schedules until nothing is on its way. What a killed function left leased would be due within minutes; nobody waits
// for the clock.
func (t *town) settleDown(ctx context.Context) error {
	const longest = 3 * time.Minute
	settling, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	err := load.Eventually(settling, func(ctx context.Context) error {
		for _, hurry := range []string{hurryDeliveries, hurryMessages} {
			if _, err := t.at.DB.Exec(ctx, hurry); err != nil {
				return fmt.Errorf("hurry: %w", err)
			}
		}
		for _, schedule := range []string{"outbox", "deliveries"} {
			if err := t.at.Local.Fire(ctx, schedule); err != nil {
				return fmt.Errorf("fire %s: %w", schedule, err)
			}
		}
		var left int
		if err := t.at.DB.QueryRow(ctx, countOnTheWay).Scan(&left); err != nil {
			return fmt.Errorf("count what is on its way: %w", err)
		}
		if left > 0 {
			return fmt.Errorf("%d events, photos and messages are on their way", left)
		}
		return nil
	})
	if ctx.Err() != nil {
		return fmt.Errorf("settle down: %w", ctx.Err())
	}
	t.book.expect("settle down", err)
	var dead int
	if err := t.at.DB.QueryRow(ctx, countDead).Scan(&dead); err != nil {
		return fmt.Errorf("count dead deliveries: %w", err)
	}
	if dead > 0 {
		t.book.expect("settle down", fmt.Errorf("%d deliveries are dead", dead))
	}
	return nil
}

// lookAround looks for all that the household has, and for nothing that it gave up.
func (h *household) lookAround(ctx context.Context, found *findings) {
	owner := h.people[0]
	for _, t := range h.tasks {
		found.look(fmt.Sprintf("task %d", t.id), h.readOf(ctx, owner, t))
	}
	for _, t := range h.gone {
		found.look(fmt.Sprintf("the end of task %d", t.id), h.book.ask(ctx, owner.Phone, missing(t.path())))
	}
	h.lookBack(ctx, found)
	for _, one := range slices.Concat(h.papers, h.kept) {
		found.look(one.path(), h.readPaper(ctx, owner, one))
	}
	for _, one := range h.dropped {
		found.look("the end of "+one.path(), h.book.ask(ctx, owner.Phone, missing(one.path())))
	}
	for _, one := range h.photos {
		found.look(fmt.Sprintf("photo %d", one.ID), h.lookAt(ctx, one))
	}
	for _, id := range h.cabin.gone {
		found.look(fmt.Sprintf("the end of home %d", id), h.book.ask(ctx, owner.Phone, missing(homePath(id))))
	}
	found.look(fmt.Sprintf("the board of home %d", h.id), h.board(ctx, owner))
	found.look(fmt.Sprintf("the members of home %d", h.id), h.members(ctx, owner))
	h.lookAtPeople(ctx, found)
}

// lookBack reads the whole history of the home.
func (h *household) lookBack(ctx context.Context, found *findings) {
	all, err := pages[shownEntry](ctx, h.book, h.people[0], fmt.Sprintf("/api/task-completions/?residence_id=%d", h.id))
	found.look(fmt.Sprintf("the history of home %d", h.id), err)
	of := map[int64][]shownEntry{}
	for _, e := range all {
		of[e.TaskID] = append(of[e.TaskID], e)
	}
	for _, t := range h.tasks {
		err := t.was(of[t.id])
		found.looks(max(1, len(t.entries)), fmt.Sprintf("the history of task %d", t.id), err)
		delete(of, t.id)
	}
	if len(of) > 0 {
		found.look(fmt.Sprintf("the history of home %d", h.id), errors.New("it has entries of tasks that are gone"))
	}
}

func (h *household) lookAt(ctx context.Context, one *photo) error {
	const longest = 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	if err := one.Ready(ctx); err != nil {
		return err
	}
	_, err := h.people[0].Fetch(ctx, fmt.Sprintf("/api/media/%d/?size=thumb", one.ID))
	return err
}
