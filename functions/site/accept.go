package main

import (
	"strconv"
	"strings"
)

// form returns what a caller with that Accept-Encoding prefers, by RFC 9110 section 12.5.3; of several that it likes
// alike, the smallest. A caller who refuses all of them gets the file as it is, which helps more than a 406.
func (f file) form(acceptEncoding string) form {
	plain := f.forms[len(f.forms)-1]
	best, most := plain, weight(acceptEncoding, "identity")
	for i := len(f.forms) - 2; i >= 0; i-- {
		if q := weight(acceptEncoding, f.forms[i].coding); q > 0 && q >= most {
			best, most = f.forms[i], q
		}
	}
	return best
}

// weight returns how much a caller likes a coding, from 0 (not at all) to 1. What it does not mention, and what it wrote
// in a way that cannot be read, it does not like.
func weight(acceptEncoding, coding string) float64 {
	var others float64
	for entry := range strings.SplitSeq(acceptEncoding, ",") {
		name, parameter, weighted := strings.Cut(entry, ";")
		q := 1.0
		if weighted {
			key, value, _ := strings.Cut(parameter, "=")
			parsed, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil || !strings.EqualFold(strings.TrimSpace(key), "q") || !(parsed >= 0 && parsed <= 1) {
				parsed = 0
			}
			q = parsed
		}
		switch name = strings.TrimSpace(name); {
		case strings.EqualFold(name, coding):
			return q
		case name == "*" && coding != "identity":
			others = q
		}
	}
	return others
}
