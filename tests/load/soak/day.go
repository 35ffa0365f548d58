package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/honeydue/backend/tests/load"
)

// atOnce is how many things may go on at a time; when there are as many, people wait.
const atOnce = 16

// A pastime is something that people do, as often as its weight has it among the others.
type pastime struct {
	name   string
	weight int
	do     func(h *household, ctx context.Context, p *person) error
}

// pastimes are the whole mix.
func pastimes() []pastime {
	return []pastime{
		{"board", 240, (*household).board},
		{"board of a home", 60, (*household).homeBoard},
		{"my homes", 60, (*household).myHomes},
		{"task", 50, (*household).readTask},
		{"search", 30, (*household).search},
		{"history", 40, (*household).readHistory},
		{"create or delete a task", 110, (*household).turnOver},
		{"complete", 60, (*household).complete},
		{"take back", 15, (*household).takeBack},
		{"skip", 15, (*household).skip},
		{"change a task", 40, (*household).change},
		{"give", 10, (*household).give},
		{"write or drop a paper", 25, (*household).turnPaper},
		{"change a paper", 15, (*household).changePaper},
		{"guest", 10, (*household).visit},
		{"cabin", 8, (*household).atCabin},
		{"members", 15, (*household).members},
		{"photo", 8, (*household).photo},
		{"look at a photo", 20, (*household).look},
		{"notifications", 50, (*household).news},
		{"read notifications", 10, (*household).readAll},
		{"device", 10, (*household).device},
		{"change preferences", 5, (*household).prefer},
		{"me", 30, (*household).me},
		{"sign in or out", 12, (*household).session},
		{"change password", 2, (*household).changePassword},
		{"newcomer", 4, (*household).newcomer},
		{"stranger", 15, (*household).stranger},
		{"site", 30, (*household).site},
		{"panel", 10, (*household).lookAtPanel},
	}
}

// draw picks one by its weight.
func draw(all []pastime) pastime {
	sum := 0
	for _, p := range all {
		sum += p.weight
	}
	n := rand.IntN(sum)
	for _, p := range all {
		if n -= p.weight; n < 0 {
			return p
		}
	}
	return all[0]
}

// live has people begin so many things a second until lasting ends, and returns when all are done. When the system stood still they
// catch up with what they would have begun meanwhile. Only the end of ctx breaks off what was begun.
func (t *town) live(ctx, lasting context.Context, rate int) {
	var living sync.WaitGroup
	defer living.Wait()
	all, room := pastimes(), make(chan struct{}, atOnce)
	next := time.NewTimer(0)
	defer next.Stop()
	for begun, from := 0, time.Now(); ; begun++ {
		next.Reset(time.Until(from.Add(time.Duration(begun) * time.Second / time.Duration(rate))))
		select {
		case <-lasting.Done():
			return
		case <-next.C:
		}
		select {
		case <-lasting.Done():
			return
		case room <- struct{}{}:
		}
		h, what := <-t.free, draw(all)
		living.Go(func() {
			err := what.do(h, ctx, load.OneOf(h.people))
			if ctx.Err() == nil {
				t.book.did(what.name, err)
			}
			t.free <- h
			<-room
		})
	}
}
