package main

import (
	"fmt"
	"net/http"
	"time"
)

// usualAhead is the days_threshold of the app's board.
const usualAhead = 30

// board is the usual one of a person. url is that of function tasks, as everywhere here.
func board(url string, person int64) call {
	return call{name: "board from the cache", kept: true, next: func(int) request {
		return request{url: boardAt(url, usualAhead), person: person, status: http.StatusOK}
	}}
}

// freshBoards are boards of a person that differ in how many days ahead is soon, so that the cache has none of them.
func freshBoards(url string, person int64) call {
	return call{name: "board from the database", next: func(i int) request {
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
	return call{name: "create a task", next: func(int) request {
		return request{url: url + "/api/tasks/", person: c.person, body: body, status: http.StatusCreated}
	}}
}

// completing is of one open task after the other, as often as it comes again.
func completing(url string, c couple) call {
	return call{name: "complete a task", next: func(i int) request {
		body := fmt.Sprintf(`{"task_id": %d, "notes": "Took an hour"}`, c.open[i%len(c.open)])
		return request{url: url + "/api/task-completions/", person: c.person, body: body, status: http.StatusCreated}
	}}
}

// history is the first page of everything that a person's home has done.
func history(url string, person int64) call {
	return call{name: "a page of history", next: func(int) request {
		return request{url: url + "/api/task-completions/", person: person, status: http.StatusOK}
	}}
}

// search is for two words, which a fifth of a person's tasks have.
func search(url string, person int64) call {
	return call{name: "search", next: func(int) request {
		return request{url: url + "/api/tasks/search/?q=joints+thing+7", person: person, status: http.StatusOK}
	}}
}
