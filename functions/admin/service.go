package main

import (
	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/password"
)

// service is what the handlers work with.
type service struct {
	*function.Base
	keys      keys
	hasher    *password.Hasher
	publisher events.Publisher
	pages     *pages
	resources []resource
}

func newService(base *function.Base, k keys, sink string) *service {
	s := &service{
		Base: base, keys: k, hasher: password.NewHasher(), pages: &pages{},
		publisher: events.NewPublisher(sink),
	}
	s.resources = s.all()
	return s
}
