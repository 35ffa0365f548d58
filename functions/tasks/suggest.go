package main

import (
	"cmp"
	"slices"

	"github.com/honeydue/backend/shared/date"
)

// A Fit is how sure it is that a home needs something.
type Fit string

// The profile speaks for a template, almost every home needs it, or the profile does not say.
const (
	FitProfile   Fit = "profile"
	FitEveryHome Fit = "every_home"
	FitUnknown   Fit = "unknown"
)

// A candidate is a template that may be suggested for a home.
type candidate struct {
	templateRow
	Level int  // of its priority, 1 to 4
	InUse bool // the home has a task from it already
}

// A ranked candidate is one that the home's profile does not contradict.
type ranked struct {
	candidate
	fit     Fit
	points  int
	reasons []string
	plan    plan
}

// What speaks for a template, in points. A weight is that of a condition, 1 to 3, and a level that of a priority, 1 to 4.
const (
	pointsPerLevel  = 15
	pointsPerWeight = 10 // met; as many are lost where the profile does not say
	pointsEveryHome = 20
	pointsInSeason  = 15
	pointsSoon      = 5
	pointsOffSeason = 25 // lost where a season is further off than that
)

// rank returns the candidates that fit a home, best first, as of the caller's date. What the profile contradicts is left out.
// A fact that speaks for a template never lowers it.
func rank(p profile, candidates []candidate, today date.Date) []ranked {
	found := make([]ranked, 0, len(candidates))
	for _, c := range candidates {
		if r, ok := judge(p, c, today); ok {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.points, a.points), cmp.Compare(a.ID, b.ID))
	})
	return found
}

// judge weighs one candidate. It returns false for one that the profile contradicts.
func judge(p profile, c candidate, today date.Date) (ranked, bool) {
	r := ranked{candidate: c, points: c.Level * pointsPerLevel, plan: propose(c, p.Country, today)}
	var questions []string
	known, conditional := false, false
	for _, need := range c.Applies {
		conditional = conditional || !need.Optional
		if need.presumes() {
			continue
		}
		switch need.holds(p) {
		case met:
			r.points += need.Weight * pointsPerWeight
			r.reasons = append(r.reasons, need.reason(p))
			known = known || !need.Optional
		case contradicted:
			if !need.Optional {
				return ranked{}, false
			}
		case unknown:
			if !need.Optional {
				r.points -= need.Weight * pointsPerWeight
				questions = append(questions, need.question(p))
			}
		}
	}
	// Once something is known that needs the work, the kind of home only adds to it: a flat that has a lawn needs it mown.
	certain := len(questions) == 0
	for _, kind := range c.Applies {
		if !kind.presumes() {
			continue
		}
		switch verdict := kind.holds(p); {
		case verdict == met:
			r.points += kind.Weight * pointsPerWeight
			r.reasons = append(r.reasons, kind.reason(p))
		case known:
		case verdict == contradicted:
			return ranked{}, false
		default:
			r.points -= kind.Weight * pointsPerWeight
			if certain {
				questions = append(questions, kind.question(p))
			}
		}
	}
	switch {
	case len(questions) > 0:
		r.fit = FitUnknown
	case conditional:
		r.fit = FitProfile
	default:
		r.fit = FitEveryHome
		r.points += pointsEveryHome
		r.reasons = append(r.reasons, "Almost every home needs this.")
	}
	r.points += r.plan.nearness
	if r.plan.nearness > 0 {
		r.reasons = append(r.reasons, r.plan.when)
	}
	r.reasons = append(r.reasons, questions...)
	return r, true
}
