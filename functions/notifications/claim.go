package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/pg"
)

// A message is one that was claimed, with what it says as it is true now.
type message struct {
	ID       int64
	EventID  *uuid.UUID // nil for one that a day asks for
	UserID   int64
	Channel  string
	Type     string
	Attempts int    // with this one
	Reason   string // why it is dead; empty when it is to be sent
	InDoubt  bool   // an earlier attempt ended without a word: this one may be a duplicate

	At        time.Time // when it was planned
	FactAt    time.Time // when what it tells happened
	ExpiresAt time.Time
	Zone      string // IANA name; empty when it is not known
	Stage     *int   // days from the one that it is for to DueOn; nil for an event's

	ResidenceID  int64 // 0, as for the ids below: none
	TaskID       int64
	CompletionID int64
	DocumentID   int64

	Actor    string // who did it
	Home     string
	Task     string
	Document string
	DueOn    *date.Date // or the day that a warranty ends, or that a digest is of
	DoneOn   *date.Date
	Notes    string
	Digest   *digest `db:"-"`

	// Of a mail.
	Address   string
	CodeID    int64
	Purpose   string // of the code; empty without one
	Nonce     []byte
	NewsOfOld bool // tells an address that it is no longer the account's

	// Of a push.
	Devices         []device // those that have not taken it yet
	Reached         bool     // others have
	Badge           int      // what is unread in the app's list
	QuietFrom       *clock   // both or none
	QuietTo         *clock
	InProgress      bool
	CompletionCount int
}

// A device is a phone that takes pushes.
type device struct {
	ID           int64     `json:"id"`
	Platform     string    `json:"platform"`
	Token        string    `json:"token"`
	RegisteredAt time.Time `json:"registered_at"`
}

// claim takes at most limit messages that are due. They are this process's for the time of lease; those with a reason are not to be
// sent, and only to be told of.
func (s *service) claim(ctx context.Context, limit int) ([]message, error) {
	return s.claimThose(ctx, ofAll, nil, limit, false)
}

// claimInDoubt is claim for a message that was being sent when its process ended. One at a time is claimed: when it was that message which
// ended the process, no other shares its end and loses an attempt.
func (s *service) claimInDoubt(ctx context.Context) ([]message, error) {
	return s.claimThose(ctx, ofAll, nil, 1, true)
}

// An owed is what was just planned of an event.
type owed struct {
	event    uuid.UUID
	subjects subjects // of its messages
	messages []int64  // ids of those that are to be sent
}

// claimOf is claim for what was planned of one event, and for nothing that waits of it since before. When limit lets it have all of them, it shares a statement with others that are claimed at
// the same moment.
func (s *service) claimOf(ctx context.Context, o owed, limit int) ([]message, error) {
	if limit < len(o.messages) {
		return s.claimThose(ctx, o.subjects, o.messages, limit, false)
	}
	return s.claims.ask(ctx, o)
}

// claimAll claims all that was planned of some events, and returns the messages of each. It takes a quarter of a message's deadline at
// most: who waits for another's claim before their own has waited half of one, which leaves time within a delivery and within the lease
// to send. When the database had claimed by then all the same, their leases stand, and they are sent as those that are in doubt.
func (s *service) claimAll(ctx context.Context, all []owed) ([][]message, error) {
	ctx, cancel := context.WithTimeout(ctx, s.deadline/4)
	defer cancel()
	var of subjects
	var ids []int64
	asking := map[int64]int{} // of two that ask for the same, one sends it
	for i, o := range all {
		of, ids = of|o.subjects, append(ids, o.messages...)
		for _, id := range o.messages {
			if _, asked := asking[id]; !asked {
				asking[id] = i
			}
		}
	}
	messages, err := s.claimThose(ctx, of, ids, len(ids), false)
	if err != nil {
		return nil, err
	}
	claimed := make([][]message, len(all))
	for _, m := range messages {
		i := asking[m.ID]
		claimed[i] = append(claimed[i], m)
	}
	return claimed, nil
}

// claimThose claims messages with these ids, or any when there is none.
func (s *service) claimThose(ctx context.Context, of subjects, ids []int64, limit int, inDoubt bool) ([]message, error) {
	messages, err := pg.All[message](ctx, s.db, claimStatement(of), ids, limit, s.lease().Seconds(), maxAttempts, inDoubt, events.TickToNote(ctx))
	if err != nil {
		return nil, fmt.Errorf("claim messages: %w", err)
	}
	return messages, nil
}

// lease is longer than all deadlines of a send together, so that nobody sends a message that another still may.
func (s *service) lease() time.Duration { return 2 * s.deadline }
