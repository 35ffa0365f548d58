package recur

// A FieldError says which part of a rule cannot be, and what was expected there. It holds no value of the rule.
type FieldError struct {
	Field   string // as JSON names it, such as on.nth
	Message string
}

// Error makes a FieldError an error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Message }

// Validate returns a *FieldError for the first part of r that cannot be.
func (r Rule) Validate() error {
	switch {
	case r.Every < 1 || r.Every > MaxEvery:
		return &FieldError{"every", "expected a number from 1 to 9999"}
	case r.days() == 0 && r.months() == 0:
		return &FieldError{"unit", "expected day, week, month or year"}
	case r.From != "" && r.From != FromDueDate && r.From != FromCompletion:
		return &FieldError{"from", "expected due_date or completion"}
	case r.Missed != "" && r.Missed != Keep && r.Missed != Roll:
		return &FieldError{"missed", "expected keep or roll"}
	case r.On != nil && r.months() == 0:
		return &FieldError{"on", "expected only with the units month and year"}
	}
	if err := r.On.validate(); err != nil {
		return err
	}
	if err := r.Season.validate(); err != nil {
		return err
	}
	if r.On != nil && r.Season != nil && !r.Season.holds(r.On) {
		return &FieldError{"season", "expected a season that has such a day every year"}
	}
	return nil
}

func (o *On) validate() error {
	switch {
	case o == nil || o.LastDay && o.Weekday == "" && o.Nth == 0:
		return nil
	case o.LastDay:
		return &FieldError{"on", "expected either last_day or weekday and nth"}
	case o.Weekday == "" && o.Nth == 0:
		return &FieldError{"on", "expected last_day to be true, or weekday and nth"}
	case o.Weekday.index() < 0:
		return &FieldError{"on.weekday", "expected the English name of a weekday, in lower case"}
	case o.Nth != LastNth && (o.Nth < 1 || o.Nth > 5):
		return &FieldError{"on.nth", "expected a number from 1 to 5, or -1 for the last"}
	}
	return nil
}

func (s *Season) validate() error {
	const message = "expected a day of the year, MM-DD"
	switch {
	case s == nil:
		return nil
	case !s.From.exists():
		return &FieldError{"season.from", message}
	case !s.To.exists():
		return &FieldError{"season.to", message}
	}
	return nil
}

// holds returns whether the season has a day that on names in every year. Years come in 14 kinds, of which any two that can
// follow each other do so within 28 years.
func (s *Season) holds(on *On) bool {
	const first, years = 2000, 28
	for year := first; year < first+years; year++ {
		start := s.From.in(year)
		end := s.To.in(year)
		if s.wraps() {
			end = s.To.in(year + 1)
		}
		if found := on.from(start); found > end {
			return false
		}
	}
	return true
}
