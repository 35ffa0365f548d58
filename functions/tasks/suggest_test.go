package main

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/recur"
)

// yes is a condition on a yes or no, and words one on a description.
func yes(field string) condition { return condition{Field: field, Is: new(true), Weight: 2} }

func words(field string, speaks, against []string) condition {
	return condition{Field: field, Any: speaks, None: against, Weight: 2}
}

func notAFlat() condition {
	return condition{Field: residenceType, None: []string{"apartment", "condo"}, Weight: 1}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	furnace := words("heating", []string{"furnace", "forced air"}, []string{"boiler", "radiator"})
	tank := words("water_heater", []string{"tank"}, []string{"tankless"})
	lawn := words("landscaping", []string{"lawn", "grass"}, nil)
	before := condition{Field: yearBuilt, Before: new(1980.0)}
	flat := condition{Field: residenceType, Any: []string{"apartment", "mobile home"}}
	for _, c := range []struct {
		what      string
		condition condition
		profile   profile
		want      verdict
	}{
		{"a pool that is there", yes("pool"), profile{Pool: new(true)}, met},
		{"a pool that is not", yes("pool"), profile{Pool: new(false)}, contradicted},
		{"a pool that nobody mentioned", yes("pool"), profile{Garage: new(true)}, unknown},
		{"a word among others", furnace, profile{Heating: new("Gas Furnace, 2019")}, met},
		{"a phrase with a dash", furnace, profile{Heating: new("forced-air gas")}, met},
		{"half a phrase", furnace, profile{Heating: new("forced")}, unknown},
		{"another one", furnace, profile{Heating: new("oil boiler")}, contradicted},
		{"both", furnace, profile{Heating: new("boiler downstairs, furnaces upstairs")}, met},
		{"words that are not known", furnace, profile{Heating: new("Gasheizung")}, unknown},
		{"only the fuel", furnace, profile{Heating: new("gas")}, unknown},
		{"none", furnace, profile{Heating: new("none")}, contradicted},
		{"no", furnace, profile{Heating: new("No")}, contradicted},
		{"no furnace", furnace, profile{Heating: new("no furnace")}, contradicted},
		{"no idea", furnace, profile{Heating: new("no idea")}, unknown},
		{"nothing but space", furnace, profile{Heating: new("")}, unknown},
		{"part of a word", tank, profile{WaterHeater: new("tankless")}, contradicted},
		{"a whole word", tank, profile{WaterHeater: new("40 gal tank")}, met},
		{"a plural", tank, profile{WaterHeater: new("two tanks")}, met},
		{"a lawn that does not grow", lawn, profile{Landscaping: new("artificial grass")}, contradicted},
		{"one that does and one that does not", lawn, profile{Landscaping: new("artificial grass, small lawn")}, met},
		{"old enough", before, profile{YearBuilt: new(1979.0)}, met},
		{"just too young", before, profile{YearBuilt: new(1980.0)}, contradicted},
		{"of unknown age", before, profile{}, unknown},
		{"from two on", condition{Field: bathrooms, From: new(2.0)}, profile{Bathrooms: new(2.0)}, met},
		{"one and a half", condition{Field: bathrooms, From: new(2.0)}, profile{Bathrooms: new(1.5)}, contradicted},
		{"the kind", flat, profile{ResidenceType: new("mobile_home")}, met},
		{"another kind", flat, profile{ResidenceType: new("house")}, contradicted},
		{"a kind without a name", flat, profile{ResidenceType: new("other")}, unknown},
		{"any kind but that", notAFlat(), profile{ResidenceType: new("condo")}, contradicted},
		{"one of the others", notAFlat(), profile{ResidenceType: new("duplex")}, met},
	} {
		require.Equal(t, c.want, c.condition.holds(c.profile), c.what)
	}
}

// noonDay is the date of noon.
func noonDay() date.Date { return date.In(noon, time.UTC) }

func template(id int64, level int, conditions ...condition) candidate {
	return candidate{templateRow: templateRow{ID: id, Applies: conditions}, Level: level}
}

func ids(found []ranked) []int64 {
	ids := []int64{}
	for _, r := range found {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestRank(t *testing.T) {
	t.Parallel()
	lawn := words("landscaping", []string{"lawn"}, []string{"gravel"})
	all := []candidate{
		template(1, 2), template(2, 2, yes("pool")), template(3, 2, notAFlat()), template(4, 4), template(5, 2, lawn, notAFlat()),
		template(6, 2, condition{Field: "garage", Is: new(true), Weight: 3, Optional: true}),
	}
	house, flat := new("house"), new("apartment")
	for _, c := range []struct {
		what    string
		profile profile
		want    []int64
	}{
		{"nothing known", profile{}, []int64{4, 1, 6, 3, 2, 5}},
		{"a house with a pool", profile{ResidenceType: house, Pool: new(true)}, []int64{4, 1, 2, 6, 3, 5}},
		{"a house without", profile{ResidenceType: house, Pool: new(false)}, []int64{4, 1, 6, 3, 5}},
		{"a flat", profile{ResidenceType: flat}, []int64{4, 1, 6, 2}},
		{"a flat with a lawn", profile{ResidenceType: flat, Landscaping: new("a little lawn")}, []int64{4, 1, 5, 6, 2}},
		{"a house in gravel", profile{ResidenceType: house, Landscaping: new("gravel")}, []int64{4, 1, 6, 3, 2}},
		{"a garage helps", profile{Garage: new(true)}, []int64{4, 6, 1, 3, 2, 5}},
		{"no garage does not hurt", profile{Garage: new(false)}, []int64{4, 1, 6, 3, 2, 5}},
	} {
		require.Equal(t, c.want, ids(rank(c.profile, all, noonDay())), c.what)
	}
}

func TestReasons(t *testing.T) {
	t.Parallel()
	year := condition{Field: yearBuilt, Before: new(1978.0), Weight: 1}
	rooms := condition{Field: bathrooms, From: new(1.0), Weight: 1, Optional: true}
	oil := words("heating", []string{"oil"}, []string{"gas"})
	for _, c := range []struct {
		conditions []condition
		profile    profile
		fit        Fit
		want       []string
	}{
		{nil, profile{}, FitEveryHome, []string{"Almost every home needs this."}},
		{[]condition{rooms}, profile{Bathrooms: new(2.5)}, FitEveryHome, []string{"Your home has 2.5 bathrooms.", "Almost every home needs this."}},
		{[]condition{rooms}, profile{Bathrooms: new(1.0)}, FitEveryHome, []string{"Your home has 1 bathroom.", "Almost every home needs this."}},
		{[]condition{yes("attic")}, profile{Attic: new(true)}, FitProfile, []string{"Your home has an attic."}},
		{[]condition{yes("septic")}, profile{}, FitUnknown, []string{"We do not know yet whether your home has a septic tank."}},
		{[]condition{year}, profile{YearBuilt: new(1962.0)}, FitProfile, []string{"Your home was built in 1962, before 1978."}},
		{[]condition{year}, profile{}, FitUnknown, []string{"We do not know yet when your home was built."}},
		{[]condition{oil}, profile{Heating: new("Oil burner")}, FitProfile, []string{`Your home's heating is noted as "Oil burner".`}},
		{[]condition{oil}, profile{Heating: new("Fernwärme")}, FitUnknown, []string{`It may apply, since your home's heating is noted as "Fernwärme".`}},
		{[]condition{oil}, profile{}, FitUnknown, []string{"We do not know yet what heating your home has."}},
		{[]condition{notAFlat()}, profile{}, FitUnknown, []string{"It depends on what kind of home yours is."}},
		{[]condition{notAFlat(), yes("garage")}, profile{}, FitUnknown, []string{"We do not know yet whether your home has a garage."}},
		{[]condition{notAFlat(), yes("garage")}, profile{Garage: new(true)}, FitProfile, []string{"Your home has a garage."}},
		{[]condition{notAFlat(), yes("garage")}, profile{Garage: new(true), ResidenceType: new("condo")}, FitProfile, []string{"Your home has a garage."}},
		{[]condition{notAFlat(), yes("garage")}, profile{ResidenceType: new("mobile_home")}, FitUnknown,
			[]string{"Your home is a mobile home.", "We do not know yet whether your home has a garage."}},
	} {
		found := rank(c.profile, []candidate{template(1, 2, c.conditions...)}, noonDay())
		require.Len(t, found, 1, c.want)
		require.Equal(t, c.fit, found[0].fit, c.want)
		require.Equal(t, c.want, found[0].reasons)
	}
}

func seasonal(text string) *recur.Rule {
	rule := &recur.Rule{}
	if err := json.Unmarshal([]byte(text), rule); err != nil {
		return nil
	}
	return rule
}

func TestProposals(t *testing.T) {
	t.Parallel()
	const yearly = `{"every":1,"unit":"year","from":"due_date","missed":"roll"`
	for _, c := range []struct {
		what, rule, country, today string
		level                      int
		due                        string
		when                       string
	}{
		{"no rhythm", ``, "", "2026-11-21", 2, "2026-12-05", ""},
		{"urgent", yearly + `}`, "", "2026-11-21", 4, "2026-11-24", ""},
		{"low", yearly + `}`, "", "2026-11-21", 1, "2026-12-21", ""},
		{"low, but weekly", `{"every":1,"unit":"week"}`, "", "2026-11-21", 1, "2026-11-28", ""},
		{"on a day of the month", `{"every":1,"unit":"month","on":{"last_day":true}}`, "", "2026-11-21", 2, "2026-12-31", ""},
		{"in season", yearly + `,"season":{"from":"11-01","to":"12-15"}}`, "", "2026-11-21", 2, "2026-12-05", "This is the season for it."},
		{"at the end of the season", yearly + `,"season":{"from":"10-01","to":"11-30"}}`, "", "2026-11-21", 2, "2026-11-28", "This is the season for it."},
		{"on its last day", yearly + `,"season":{"from":"10-01","to":"11-21"}}`, "", "2026-11-21", 2, "2026-11-21", "This is the season for it."},
		{"a season that wraps the year", yearly + `,"season":{"from":"11-15","to":"02-28"}}`, "", "2026-12-24", 2, "2027-01-07", "This is the season for it."},
		{"soon", yearly + `,"season":{"from":"01-15","to":"03-01"}}`, "", "2026-11-21", 2, "2027-01-15", "Its season begins on 15 January."},
		{"begins before it would be due", yearly + `,"season":{"from":"11-25","to":"12-24"}}`, "", "2026-11-21", 2, "2026-12-05", "Its season begins on 25 November."},
		{"far", yearly + `,"season":{"from":"04-01","to":"05-31"}}`, "", "2026-11-21", 2, "2027-04-01", ""},
		{"far in the north", yearly + `,"season":{"from":"04-01","to":"05-31"}}`, "Austria", "2026-11-21", 2, "2027-04-01", ""},
		{"now in the south", yearly + `,"season":{"from":"04-01","to":"05-31"}}`, " australia", "2026-11-21", 2, "2026-11-28", "This is the season for it."},
	} {
		today, err := date.Parse(c.today)
		require.NoError(t, err)
		one := template(1, c.level)
		if c.rule != "" {
			one.Recurrence = seasonal(c.rule)
			require.NoError(t, one.Recurrence.Validate(), c.what)
		}
		got := propose(one, &c.country, today)
		require.Equal(t, c.due, got.due.String(), c.what)
		require.Equal(t, c.when, got.when, c.what)
	}
}

func TestSeasonsOfTheSouth(t *testing.T) {
	t.Parallel()
	for from, to := range map[string]string{
		"01-01": "07-01", "09-15": "03-15", "10-31": "04-30", "04-30": "10-31", "08-31": "02-29", "02-29": "08-31", "02-28": "08-28", "12-30": "06-30", "08-30": "02-29",
	} {
		var day recur.MonthDay
		require.NoError(t, day.UnmarshalText([]byte(from)))
		there, err := halfAYearOn(day).MarshalText()
		require.NoError(t, err)
		require.Equal(t, to, string(there), from)
	}
	for country, want := range map[string]bool{"New Zealand": true, "AU": true, " zaf ": true, "USA": false, "": false, "Austria": false} {
		require.Equal(t, want, southern(&country), country)
	}
	require.False(t, southern(nil))
}

// profiles draws a home, of which often little is known.
func profiles() *rapid.Generator[profile] {
	return rapid.Custom(func(t *rapid.T) profile {
		said := func(label string, values ...string) *string {
			return rapid.Ptr(rapid.SampledFrom(values), true).Draw(t, label)
		}
		flag := func(label string) *bool { return rapid.Ptr(rapid.Bool(), true).Draw(t, label) }
		return profile{
			Country: said("country", "USA", "Chile"), ResidenceType: said("kind", "house", "apartment", "condo", "cabin", "mobile_home", "other"),
			YearBuilt: rapid.Ptr(rapid.Float64Range(1800, 2030), true).Draw(t, "year"), Bathrooms: rapid.Ptr(rapid.Float64Range(0, 5), true).Draw(t, "bathrooms"),
			Heating: said("heating", "gas furnace", "oil boiler", "heat pump", "none", "Gasheizung"), Roof: said("roof", "flat", "slate tiles", "?"),
			Landscaping: said("landscaping", "lawn and trees", "gravel", "no lawn"),
			Pool:        flag("pool"), Septic: flag("septic"), Fireplace: flag("fireplace"), Garage: flag("garage"), Basement: flag("basement"),
		}
	})
}

func conditions() *rapid.Generator[condition] {
	return rapid.Custom(func(t *rapid.T) condition {
		c := rapid.SampledFrom([]condition{
			yes("pool"), yes("septic"), yes("garage"), {Field: "basement", Is: new(false)}, notAFlat(),
			{Field: residenceType, Any: []string{"cabin"}}, {Field: yearBuilt, Before: new(1980.0)}, {Field: bathrooms, From: new(2.0)},
			words("heating", []string{"furnace"}, []string{"boiler"}), words("heating", []string{"boiler", "heat pump"}, nil),
			words("roof", []string{"flat"}, []string{"tile", "slate"}), words("landscaping", []string{"lawn"}, []string{"gravel"}),
		}).Draw(t, "condition")
		c.Weight, c.Optional = rapid.IntRange(1, 3).Draw(t, "weight"), rapid.Bool().Draw(t, "optional")
		return c
	})
}

func candidates() *rapid.Generator[[]candidate] {
	return rapid.Custom(func(t *rapid.T) []candidate {
		all := make([]candidate, rapid.IntRange(1, 12).Draw(t, "n"))
		for i := range all {
			all[i] = template(int64(i+1), rapid.IntRange(1, 4).Draw(t, "level"), rapid.SliceOfN(conditions(), 0, 3).Draw(t, "conditions")...)
			if rapid.Bool().Draw(t, "has season") {
				all[i].Recurrence = seasonal(rapid.SampledFrom([]string{
					`{"every":1,"unit":"year","season":{"from":"10-01","to":"12-15"}}`, `{"every":1,"unit":"week","season":{"from":"12-24","to":"03-31"}}`,
				}).Draw(t, "rule"))
			}
		}
		return all
	})
}

// learn returns p with one thing more that is known, which meets c.
func learn(p profile, c condition) profile {
	switch {
	case c.Field == "pool":
		p.Pool = new(true)
	case c.Field == "septic":
		p.Septic = new(true)
	case c.Field == "garage":
		p.Garage = new(true)
	case c.Field == "basement":
		p.Basement = new(false)
	case c.Field == yearBuilt:
		p.YearBuilt = new(1950.0)
	case c.Field == bathrooms:
		p.Bathrooms = new(3.0)
	case c.Field == "heating":
		p.Heating = new("an old " + c.Any[0])
	case c.Field == "roof":
		p.Roof = new("flat")
	case c.Field == "landscaping":
		p.Landscaping = new("a lawn")
	case len(c.Any) > 0:
		p.ResidenceType = new("cabin")
	default:
		p.ResidenceType = new("house")
	}
	return p
}

func TestWhatTheProfileContradictsNeverShows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		home, all := profiles().Draw(t, "profile"), candidates().Draw(t, "candidates")
		for _, r := range rank(home, all, noonDay()) {
			needed := 0
			for _, c := range r.Applies {
				switch verdict := c.holds(home); {
				case c.Optional || verdict == unknown:
				case verdict == contradicted:
					require.Equal(t, residenceType, c.Field)
				case c.Field != residenceType:
					needed++
				}
			}
			refusedKind := slices.ContainsFunc(r.Applies, func(c condition) bool { return !c.Optional && c.holds(home) == contradicted })
			require.True(t, !refusedKind || needed > 0, "only what is known stands against the kind of home")
			require.NotEmpty(t, r.reasons)
			require.NotContains(t, r.reasons, "")
		}
	})
}

// TestAFactThatSpeaksForATemplateNeverLowersIt compares it with those on which the fact has no bearing.
func TestAFactThatSpeaksForATemplateNeverLowersIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		home, all := profiles().Draw(t, "profile"), candidates().Draw(t, "candidates")
		one := rapid.SampledFrom(all).Draw(t, "one")
		if len(one.Applies) == 0 {
			return
		}
		fact := rapid.SampledFrom(one.Applies).Draw(t, "fact")
		if fact.holds(home) == met {
			return
		}
		knowing := learn(home, fact)
		require.Equal(t, met, fact.holds(knowing))
		for _, other := range one.Applies {
			if other.holds(home) != contradicted && other.holds(knowing) == contradicted || other.holds(home) == met && other.holds(knowing) != met {
				return // the template contradicts itself
			}
		}
		before, after := rank(home, all, noonDay()), rank(knowing, all, noonDay())
		above := func(list []ranked) map[int64]bool {
			above := map[int64]bool{}
			for _, r := range list {
				if r.ID == one.ID {
					return above
				}
				above[r.ID] = true
			}
			return nil
		}
		stood, stands := above(before), above(after)
		if stood == nil {
			return // it did not show
		}
		require.NotNil(t, stands, "it shows still")
		for _, other := range all {
			bears := slices.ContainsFunc(other.Applies, func(c condition) bool { return c.Field == fact.Field })
			require.False(t, stands[other.ID] && !stood[other.ID] && !bears, "%d overtook %d", other.ID, one.ID)
		}
	})
}

func TestTheOrderIsStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		home, all := profiles().Draw(t, "profile"), candidates().Draw(t, "candidates")
		want := ids(rank(home, all, noonDay()))
		require.Equal(t, want, ids(rank(home, rapid.Permutation(all).Draw(t, "shuffled"), noonDay())))
		for i := range len(want) - 1 {
			require.NotEqual(t, want[i], want[i+1])
		}
	})
}
