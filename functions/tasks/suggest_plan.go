package main

import (
	"slices"
	"strings"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/recur"
)

// A plan is when a home would do what a template is for.
type plan struct {
	rule     *recur.Rule // with the seasons of the home's half of the world; nil where a frequency says it
	due      date.Date   // to propose for the first time
	nearness int         // points for a season that has come or is near, or against one that is far off
	when     string      // what there is to say of that season
}

// propose makes a plan as of today. Nobody knows when the thing was last done, so more urgent ones come sooner, and a handful
// that is taken over together does not fall on one day.
func propose(c candidate, country *string, today date.Date) plan {
	const soon, daysInWeek = 60, 7
	ahead := [...]int{30, 30, 14, 7, 3}[min(max(c.Level, 0), 4)]
	if c.Recurrence == nil {
		return plan{due: today.AddDays(ahead)}
	}
	rule := *c.Recurrence
	if rule.Season != nil && southern(country) {
		rule.Season = &recur.Season{From: halfAYearOn(rule.Season.From), To: halfAYearOn(rule.Season.To)}
	}
	switch rule.Unit {
	case recur.Day:
		ahead = min(ahead, rule.Every)
	case recur.Week:
		ahead = min(ahead, rule.Every*daysInWeek)
	case recur.Month, recur.Year:
	}
	p := plan{rule: &rule}
	p.due, _ = rule.First(today.AddDays(ahead))
	if rule.Season == nil {
		return p
	}
	start, _ := rule.First(today)
	for start == today && p.due != today.AddDays(ahead) {
		// The season ends before that, and a year is too long to wait for the next.
		ahead /= 2
		p.due, _ = rule.First(today.AddDays(ahead))
	}
	switch {
	case start > today.AddDays(soon):
		p.nearness = -pointsOffSeason
	case start == today:
		p.nearness, p.when = pointsInSeason, "This is the season for it."
	case start <= today.AddDays(soon):
		p.nearness, p.when = pointsSoon, "Its season begins on "+start.Time().Format("2 January")+"."
	}
	return p
}

// halfAYearOn returns the day of the year on which the other half of the world has the season that begins or ends on d. The last
// day of a month stays one.
func halfAYearOn(d recur.MonthDay) recur.MonthDay {
	const leap, year = 2000, 12
	there := (d.Month+year/2-1)%year + 1
	last := date.Of(leap, there+1, 1).AddDays(-1).Time().Day()
	if isLast := date.Of(leap, d.Month, d.Day+1).Time().Day() == 1; isLast {
		return recur.MonthDay{Month: there, Day: last}
	}
	return recur.MonthDay{Month: there, Day: min(d.Day, last)}
}

// southern returns whether a country, as people write it, lies in the southern half of the world and has its winter in July.
func southern(country *string) bool {
	return country != nil && slices.Contains([]string{
		"argentina", "ar", "arg", "australia", "au", "aus", "bolivia", "bo", "bol", "botswana", "bw", "bwa", "brazil", "brasil", "br", "bra",
		"chile", "cl", "chl", "eswatini", "swaziland", "sz", "swz", "falkland islands", "fk", "flk", "lesotho", "ls", "lso",
		"madagascar", "mg", "mdg", "mauritius", "mu", "mus", "mozambique", "moçambique", "mz", "moz", "namibia", "nam",
		"new zealand", "aotearoa", "nz", "nzl", "paraguay", "py", "pry", "peru", "perú", "pe", "per",
		"south africa", "za", "zaf", "rsa", "uruguay", "uy", "ury", "zambia", "zm", "zmb", "zimbabwe", "zw", "zwe",
	}, strings.ToLower(strings.TrimSpace(*country)))
}
