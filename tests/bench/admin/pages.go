package main

import (
	"encoding/base64"
	"fmt"
	"net/url"
)

// A page is one of the panel's.
type page struct {
	list, name string
	query      url.Values // nil for the page of one thing, whose name is its id
}

func (p page) path() string {
	if p.query == nil {
		return "/" + p.list + "/" + p.name + "/"
	}
	return "/" + p.list + "/?" + p.query.Encode()
}

// cursor is where a page begins, as next_cursor says it: behind the entry with that id, and with that key in a list in the order of one.
func cursor(key string, id int) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"k":%q,"i":%d}`, key, id))
}

// pages are the lists' first, middle and last ones; whatever is looked for, be it found everywhere, nowhere, or only as two letters;
// and what lists are narrowed to, be it a lot or nothing.
func pages() []page {
	var all []page
	add := func(list, name string, pairs ...string) {
		query := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			query.Set(pairs[i], pairs[i+1])
		}
		all = append(all, page{list, name, query})
	}
	through := func(list, name string, last int, pairs ...string) {
		add(list, name+"first", pairs...)
		add(list, name+"middle", append(pairs, "cursor", cursor("", last/2))...)
		add(list, name+"deep", append(pairs, "cursor", cursor("", last/100))...)
	}
	through("people", "", people)
	for _, q := range []string{"example", "heron", "ann", "grete.57@example.com", "4f2", "qxzqxzq", "qxz", "zz", "an", "co", "e", "q", "7", "example com", "@", "%", "雷"} {
		through("people", q+": ", people, "q", q)
	}
	for _, state := range []string{"active", "unverified", "disabled"} {
		through("people", state+": ", people, "state", state)
		add("people", state+", everybody: first", "state", state, "q", "example")
		add("people", state+", nobody: first", "state", state, "q", "qxzqxzq")
	}
	through("homes", "", people)
	for _, q := range []string{"house", "berlin", "house berlin", "4f2", "qxz", "zz", "ho", "q", "雷"} {
		through("homes", q+": ", people, "q", q)
	}
	add("homes", "of a person: first", "people", "50000")
	add("homes", "of a person, house: first", "people", "50000", "q", "house")
	through("tasks", "", tasks)
	for _, q := range []string{"c", "change filter", "qxzqxzq", "zz", "%"} {
		add("tasks", q+": first", "q", q)
		add("tasks", q+": middle", "q", q, "cursor", cursor("change filter", tasks/2))
		add("tasks", q+": deep", "q", q, "cursor", cursor("mow lawn 99", tasks))
	}
	for _, state := range []string{"open", "in_progress", "completed", "cancelled", "archived"} {
		through("tasks", state+": ", tasks, "state", state)
		add("tasks", state+", c: first", "state", state, "q", "c")
	}
	add("tasks", "of a home: first", "homes", "1")
	add("tasks", "of a home, c: first", "homes", "1", "q", "c")
	add("tasks", "of a person: first", "people", "1")
	add("tasks", "of a person, cancelled: first", "people", "1", "state", "cancelled")
	through("uploads", "", sent)
	for _, state := range []string{"pending", "cleaning", "ready", "failed", "expired", "given_up"} {
		through("uploads", state+": ", sent, "state", state)
	}
	add("uploads", "of a home: first", "homes", "50000")
	add("uploads", "of a person: first", "people", "50000")
	through("deliveries", "", people)
	add("deliveries", "of a person: first", "people", "50000")
	through("audit", "", people)
	return append(all, page{list: "people", name: "1"}, page{list: "people", name: "50000"}, page{list: "homes", name: "1"},
		page{list: "homes", name: "50000"}, page{list: "tasks", name: "500000"})
}
