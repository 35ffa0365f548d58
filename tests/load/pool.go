package load

import (
	"math/rand/v2"
	"sync"
)

// A Pool is what answers leave for later calls: a session to be ended, a code to be used. Calls are made and answers looked into side
// by side.
type Pool[T any] struct {
	mu  sync.Mutex
	all []T
}

// Put leaves one.
func (p *Pool[T]) Put(one T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, one)
}

// Take takes the one that lies there longest, if there is any.
func (p *Pool[T]) Take() (one T, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.all) == 0 {
		return one, false
	}
	one, p.all = p.all[0], p.all[1:]
	return one, true
}

// Some draws so many of what lies there, or all when there are fewer. They stay.
func (p *Pool[T]) Some(most int) []T {
	p.mu.Lock()
	defer p.mu.Unlock()
	drawn := make([]T, 0, min(most, len(p.all)))
	for _, i := range rand.Perm(len(p.all))[:cap(drawn)] {
		drawn = append(drawn, p.all[i])
	}
	return drawn
}
