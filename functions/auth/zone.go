package main

import (
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/problem"
)

// checkZone refuses a time zone that is given and has no IANA name.
func checkZone(name *string) error {
	if name == nil {
		return nil
	}
	if _, err := authn.Zone(*name); err != nil {
		return problem.Invalid("body.time_zone", "expected an IANA time zone such as Europe/Berlin")
	}
	return nil
}
