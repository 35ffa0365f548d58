package main

import (
	"time"

	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/function"
)

// service is what the handlers work with.
type service struct {
	*function.Base
	codes        code.Key
	hasher       *hasher
	exports      seats
	exportTaking time.Duration
}

func newService(base *function.Base, codes code.Key) *service {
	return &service{Base: base, codes: codes, hasher: newHasher(), exports: make(seats, exportSeats), exportTaking: exportTaking}
}
