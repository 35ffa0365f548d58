package main

import (
	"time"

	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/password"
	"github.com/honeydue/backend/shared/seats"
)

// service is what the handlers work with.
type service struct {
	*function.Base
	codes        code.Keys
	hasher       *password.Hasher
	exports      seats.Room
	exportTaking time.Duration
}

func newService(base *function.Base, codes code.Keys) *service {
	return &service{Base: base, codes: codes, hasher: password.NewHasher(), exports: make(seats.Room, exportSeats), exportTaking: exportTaking}
}
