package main

// Collections, as paths, subjects of the audit log and parameters name them.
const (
	people     = "people"
	homes      = "homes"
	tasks      = "tasks"
	uploads    = "uploads"
	deliveries = "deliveries"
	eventRows  = "events"
	schedules  = "schedules"
	operators  = "operators"
	audit      = "audit"
)

// A resource is one thing that operators look at and act on. Routes, pages, the API and the tests all come from it.
type resource struct {
	listing listing
	item    item // nil when its entries have no page of their own
	acts    []act
}

// all returns the resources in the order in which the panel shows them.
func (s *service) all() []resource {
	return []resource{
		s.people(),
		s.homes(),
		s.tasks(),
		s.uploads(),
		s.deliveries(),
		s.events(),
		s.schedules(),
		s.audit(),
		s.operators(),
	}
}
