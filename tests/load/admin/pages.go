package main

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/honeydue/backend/tests/load"
)

// pageRows are on a page that is full.
const pageRows = 50

// has returns an error when the body lacks a text.
func has(body []byte, texts ...string) error {
	for _, text := range texts {
		if !bytes.Contains(body, []byte(text)) {
			return errors.New("the page has not what it is for")
		}
	}
	return nil
}

func (o *office) overview() load.Call {
	return o.panel("overview", "/", func(body []byte) error {
		return has(body, "<h1>Overview</h1>", "Dead events", "Tasks done", "<svg", "The figures by hour")
	})
}

// list is one of those that are looked at now and then.
func (o *office) list() load.Call {
	l := load.OneOf([][2]string{
		{"/homes/", "Homes"}, {"/tasks/", "Tasks"}, {"/deliveries/", "Deliveries"}, {"/events/", "Events"}, {"/uploads/", "Uploads"},
		{"/schedules/", "Schedules"}, {"/audit/", "Audit log"}, {"/operators/", "Operators"},
	})
	return o.panel("lists", l[0], func(body []byte) error { return has(body, "<h1>"+l[1]+"</h1>") })
}

// A next is where a list goes on, and the id below which its entries are.
type next struct {
	path  string
	below int64
}

// newest is the first page of people.
func (o *office) newest() load.Call {
	return o.panel("people", "/people/", func(body []byte) error { return o.checkPeople(body, next{}) })
}

// leaf is the page behind one that somebody has seen.
func (o *office) leaf() load.Call {
	n, ok := o.pages.Take()
	if !ok {
		return o.newest()
	}
	return o.panel("people, next page", n.path, func(body []byte) error { return o.checkPeople(body, n) })
}

var (
	personLink = regexp.MustCompile(`<a href="/people/(\d+)/">`)
	nextLink   = regexp.MustCompile(`href="([^"]+)" rel="next"`)
)

// checkPeople holds a page to its order, the newest first, behind the page before. It leaves the next one to be read.
func (o *office) checkPeople(body []byte, n next) error {
	if err := has(body, "<h1>People</h1>"); err != nil {
		return err
	}
	rows := personLink.FindAllSubmatch(body, -1)
	last := n.below
	for _, row := range rows {
		id, err := strconv.ParseInt(string(row[1]), 10, 64)
		if err != nil || last > 0 && id >= last {
			return errors.New("the page is not in its order")
		}
		last = id
	}
	to := nextLink.FindSubmatch(body)
	if to == nil {
		return load.Wrong(nil, o.crowded && n.path == "", "the list ends with its first page")
	}
	if len(rows) != pageRows {
		return errors.New("the page is not full, and not the last")
	}
	o.pages.Put(next{html.UnescapeString(string(to[1])), last})
	return nil
}

// completed are tasks in one state.
func (o *office) completed() load.Call {
	return o.panel("tasks, completed", "/tasks/?state=completed", func(body []byte) error {
		rows := bytes.Count(body, []byte("<tr><td"))
		states := bytes.Count(body, []byte("<bdi>completed</bdi>"))
		return load.Wrong(has(body, "<h1>Tasks</h1>"), rows != states || o.crowded && rows != pageRows, "the page has other tasks, or too few")
	})
}

// searchMany looks for what very many have.
func (o *office) searchMany() load.Call {
	return o.panel("search, very many", "/people/?q=heron", func(body []byte) error {
		found, named := len(personLink.FindAll(body, -1)), bytes.Count(body, []byte("Heron "))
		return load.Wrong(nil, found > named || o.crowded && found != pageRows, "the page has others, or too few")
	})
}

// searchOne looks for one person by their address.
func (o *office) searchOne() load.Call {
	p := load.OneOf(o.people)
	return o.panel("search, one", "/people/?q="+url.QueryEscape(p.Email), func(body []byte) error {
		found := personLink.FindAllSubmatch(body, -1)
		return load.Wrong(nil, len(found) != 1 || string(found[0][1]) != strconv.FormatInt(p.ID, 10), "the search does not find that person alone")
	})
}

func (o *office) person() load.Call {
	p := load.OneOf(o.people)
	return o.panel("person", fmt.Sprintf("/people/%d/", p.ID), func(body []byte) error {
		return has(body, "<h1><bdi>"+p.Email+"</bdi></h1>", "Wanda&#39;s phone", "Devices that get pushes")
	})
}

func (o *office) askForPerson() load.Call {
	p := load.OneOf(o.people)
	return o.call("API: search, one", "/people/?q="+url.QueryEscape(p.Email), func(body []byte) error {
		list, err := load.Decode[struct {
			Results []struct {
				ID    int64
				Email string
			}
		}](body)
		return load.Wrong(err, len(list.Results) != 1 || list.Results[0].ID != p.ID || list.Results[0].Email != p.Email, "the search does not find that person alone")
	})
}

func (o *office) askForTasks() load.Call {
	return o.call("API: tasks", "/tasks/?q=clean+the+g&limit=100", func(body []byte) error {
		list, err := load.Decode[struct{ Results []struct{ Title string } }](body)
		for _, t := range list.Results {
			if !strings.HasPrefix(strings.ToLower(t.Title), "clean the g") {
				return errors.New("the search finds other tasks")
			}
		}
		return load.Wrong(err, o.crowded && len(list.Results) != 100, "the search finds too few")
	})
}

// download is the list of people as a file, all of it.
func (o *office) download() load.Call {
	return o.panel("CSV of people", "/people.csv", func(body []byte) error {
		least := len(o.people)
		if o.crowded {
			least += crowdPeople
		}
		lines := bytes.Count(body, []byte("\n")) - 1
		whole := bytes.HasPrefix(body, []byte("Person,Name,State,Since\n")) && !bytes.Contains(body, []byte("This file is incomplete"))
		return load.Wrong(nil, !whole || lines < least, "the file is not whole")
	})
}
