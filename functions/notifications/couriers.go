package main

import (
	"sync"
	"time"
)

// keptFor is how long a connection is kept that nobody uses, so that the mails of a burst share it though each is of another event. No
// server may end one that soon (RFC 5321 §4.5.3.2.7).
const keptFor = 3 * time.Second

// couriers lends couriers, and keeps their connections for a moment.
type couriers struct {
	server mailServer

	mu     sync.Mutex
	idle   []*kept // the last one was given back last
	closed bool
	ending sync.WaitGroup // those who take leave
}

// A kept courier waits for who takes it next.
type kept struct {
	courier *courier
	end     *time.Timer
}

// take returns the courier that was given back last, or a new one. Whoever takes it gives it back.
func (c *couriers) take() *courier {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n := len(c.idle); n > 0; n = len(c.idle) {
		k := c.idle[n-1]
		c.idle = c.idle[:n-1]
		if k.end.Stop() {
			c.ending.Done()
			return k.courier
		}
	}
	return &courier{server: c.server}
}

// giveBack keeps one that has a connection, unless all are to take leave.
func (c *couriers) giveBack(back *courier) {
	if back.open == nil {
		return
	}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		back.end()
		return
	}
	defer c.mu.Unlock()
	c.ending.Add(1)
	k := &kept{courier: back}
	k.end = time.AfterFunc(keptFor, func() { c.leave(k) })
	c.idle = append(c.idle, k)
}

// leave has a courier take leave whose time is over.
func (c *couriers) leave(k *kept) {
	defer c.ending.Done()
	c.mu.Lock()
	for i, other := range c.idle {
		if other == k {
			c.idle = append(c.idle[:i], c.idle[i+1:]...)
			break
		}
	}
	c.mu.Unlock()
	k.courier.end()
}

// close has all take leave, side by side, and waits for them, in [farewell] at most.
func (c *couriers) close() {
	c.mu.Lock()
	c.closed = true
	for _, k := range c.idle {
		if k.end.Stop() {
			k.end.Reset(0)
		}
	}
	c.mu.Unlock()
	c.ending.Wait()
}
