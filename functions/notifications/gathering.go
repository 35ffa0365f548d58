package main

import (
	"context"
	"errors"
	"sync"
)

// gatheredAtMost is how many are asked for at once.
const gatheredAtMost = 100

// A gathering asks once for what several goroutines want at the same moment: the first asks for itself, and what the others want while
// that is under way is asked for together, as soon as it is over. Nobody waits for company.
type gathering[Q, A any] struct {
	// do returns an answer for each that is asked, in their order. It bounds its own time.
	do func(ctx context.Context, asked []Q) ([]A, error)

	mu      sync.Mutex
	running bool
	waiting []*request[Q, A]
}

type request[Q, A any] struct {
	asked  Q
	turn   chan struct{} // told that it is the one to ask, for itself and whoever waits
	answer chan outcome[A]
}

type outcome[A any] struct {
	value A
	err   error
}

// ask returns the answer to asked, which takes two runs at most unless very many wait. A run ends neither with the ctx of who asks nor
// with that of another.
func (g *gathering[Q, A]) ask(ctx context.Context, asked Q) (A, error) {
	r := &request[Q, A]{asked, make(chan struct{}, 1), make(chan outcome[A], 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, r)
	if !g.running {
		g.running = true
		r.turn <- struct{}{}
	}
	g.mu.Unlock()
	select {
	case <-r.turn:
		g.run(ctx)
		answer := <-r.answer
		return answer.value, answer.err
	case answer := <-r.answer:
		return answer.value, answer.err
	}
}

// errUnanswered is what a run leaves that ended without an answer, by a fault.
var errUnanswered = errors.New("who asked for several did not end")

// run answers those who wait, of whom the first runs it, and gives the turn to the next, however it ends.
func (g *gathering[Q, A]) run(ctx context.Context) {
	g.mu.Lock()
	group := g.waiting[:min(len(g.waiting), gatheredAtMost)]
	g.waiting = append([]*request[Q, A](nil), g.waiting[len(group):]...)
	g.mu.Unlock()
	all := make([]Q, len(group))
	for i, r := range group {
		all[i] = r.asked
	}
	var answers []A
	err := errUnanswered
	defer func() {
		g.mu.Lock()
		if g.running = len(g.waiting) > 0; g.running {
			g.waiting[0].turn <- struct{}{}
		}
		g.mu.Unlock()
		if err == nil && len(answers) != len(group) {
			err = errUnanswered
		}
		for i, r := range group {
			answer := outcome[A]{err: err}
			if err == nil {
				answer.value = answers[i]
			}
			r.answer <- answer
		}
	}()
	answers, err = g.do(context.WithoutCancel(ctx), all)
}
