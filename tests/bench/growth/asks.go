package main

import (
	"bytes"
	"fmt"
	"net/http"
	"time"
)

// usualAhead is the days_threshold of the app's board.
const usualAhead = 30

// board is the usual one of a person who has so many tasks. url is that of function tasks, as everywhere here.
func board(url string, person int64, tasks int) call {
	return call{name: "board from the cache", kept: true, check: hasTasks(tasks), next: func(int) request {
		return request{url: boardAt(url, usualAhead), person: person, status: http.StatusOK}
	}}
}

// freshBoards are boards of a person that differ in how many days ahead is soon, so that the cache has none of them.
func freshBoards(url string, person int64, tasks int) call {
	return call{name: "board from the database", fresh: true, check: hasTasks(tasks), next: func(i int) request {
		return request{url: boardAt(url, usualAhead+1+i), person: person, status: http.StatusOK} // up to 365: there are fewer calls
	}}
}

func boardAt(url string, ahead int) string {
	return fmt.Sprintf("%s/api/tasks/?days_threshold=%d", url, ahead)
}

// creating is of tasks for the other person of a home, whom an event tells.
func creating(url string, c couple) call {
	body := fmt.Sprintf(`{"residence_id": %d, "title": "Clean the gutters", "description": "Both sides, and look at the joints", "category_id": 11, `+
		`"priority_id": 2, "frequency_id": 7, "due_date": %q, "assigned_to_id": %d, "estimated_cost": "129.90"}`,
		c.home, time.Now().UTC().AddDate(0, 1, 0).Format(time.DateOnly), c.other)
	return call{name: "create a task", check: says(`"title":"Clean the gutters"`), next: func(int) request {
		return request{url: url + "/api/tasks/", person: c.person, body: body, status: http.StatusCreated}
	}}
}

// completing is of one open task after the other, as often as it comes again.
func completing(url string, c couple) call {
	return call{name: "complete a task", check: says(fmt.Sprintf(`"task_id":%d`, c.open[0])), next: func(i int) request {
		body := fmt.Sprintf(`{"task_id": %d, "notes": "Took an hour"}`, c.open[i%len(c.open)])
		return request{url: url + "/api/task-completions/", person: c.person, body: body, status: http.StatusCreated}
	}}
}

// history is the first page of everything that a person's home has done.
func history(url string, person int64) call {
	return call{name: "a page of history", check: has(`"task_id":`, pageOfHistory), next: func(int) request {
		return request{url: url + "/api/task-completions/", person: person, status: http.StatusOK}
	}}
}

// search is for two words, which a fifth of a person's tasks have.
func search(url string, person int64) call {
	return call{name: "search", check: says("thing 7"), next: func(int) request {
		return request{url: url + "/api/tasks/search/?q=joints+thing+7", person: person, status: http.StatusOK}
	}}
}

// pageOfHistory is how many entries a page has.
const pageOfHistory = 50

// completedShown is how many tasks the board's column of what is completed holds.
const completedShown = 50

// hasTasks looks that a board has all of a person's tasks, of which every tenth is completed.
func hasTasks(tasks int) func(body []byte) error {
	return has(`"residence_id":`, tasks-max(0, tasks/10-completedShown))
}

// says looks for a text that the answer must have.
func says(text string) func(body []byte) error {
	return func(body []byte) error {
		if !bytes.Contains(body, []byte(text)) {
			return fmt.Errorf("the answer is another: %.200s", body)
		}
		return nil
	}
}

// has looks that an answer has a text so many times.
func has(text string, times int) func(body []byte) error {
	return func(body []byte) error {
		if n := bytes.Count(body, []byte(text)); n != times {
			return fmt.Errorf("the answer has %d of %d things: %.200s", n, times, body)
		}
		return nil
	}
}
