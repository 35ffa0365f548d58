package main

import (
	"context"

	"github.com/wneessen/go-mail"
)

// perConnection is how many messages go over one connection: servers have limits, and say so less kindly.
const perConnection = 100

// A courier hands in mails one after another, over one connection for as long as that lasts. One goroutine at a time uses it.
type courier struct {
	server mailServer
	open   *conversation // nil: there is none
}

// send hands msg in, before the deadline that ctx must have; what it returns is what [conversation.send] does. A connection that was
// kept and on which the server has left meanwhile is replaced once. When the server has any of the message, there is no second try.
func (c *courier) send(ctx context.Context, msg *mail.Msg) error {
	if c.open != nil && c.open.begun >= perConnection {
		c.end()
	}
	kept := c.open != nil
	gone, err := c.try(ctx, msg)
	if gone && kept {
		_, err = c.try(ctx, msg)
	}
	return err
}

// try hands msg in over the open connection, or over a new one. gone tells that the server had left before it had any of the message.
func (c *courier) try(ctx context.Context, msg *mail.Msg) (gone bool, err error) {
	if c.open == nil {
		if c.open, err = c.server.dial(ctx); err != nil {
			return false, err
		}
	}
	err = c.open.send(ctx, msg)
	gone = c.open.gone
	if c.open.over {
		c.hangUp()
	}
	return gone, err
}

// hangUp ends the connection without a word. The courier may go on after it, over a new one.
func (c *courier) hangUp() {
	if c.open != nil {
		c.open.drop()
		c.open = nil
	}
}

// end takes leave of the server, in [farewell] at most. The courier may go on after it, over a new connection.
func (c *courier) end() {
	if c.open != nil {
		c.open.end()
		c.open = nil
	}
}
