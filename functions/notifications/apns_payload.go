package main

import "github.com/honeydue/backend/shared/notice"

// apnsPayload is what an iPhone gets: what it shows (Apple's "Generating a remote notification") and, beside that, what the app reads.
type apnsPayload struct {
	APS         apnsAlert `json:"aps"`
	Type        string    `json:"type"`
	MessageID   int64     `json:"message_id"`
	TaskID      int64     `json:"task_id,omitempty"`
	ResidenceID int64     `json:"residence_id,omitempty"`
	DocumentID  int64     `json:"document_id,omitempty"`
	Buttons     []string  `json:"button_types,omitempty"`
}

type apnsAlert struct {
	Alert    apnsWords `json:"alert"`
	Badge    int       `json:"badge"`
	Sound    string    `json:"sound"`
	Thread   string    `json:"thread-id,omitempty"`
	Category string    `json:"category,omitempty"` // whose buttons the app has registered
	Level    string    `json:"interruption-level"`
}

// apnsWords holds the texts in English, and the keys of the app's own language. Keys without a text there are not shown.
type apnsWords struct {
	Title     string   `json:"title"`
	Body      string   `json:"body"`
	TitleKey  string   `json:"title-loc-key,omitempty"`
	TitleArgs []string `json:"title-loc-args,omitempty"`
	BodyKey   string   `json:"loc-key,omitempty"`
	BodyArgs  []string `json:"loc-args,omitempty"`
}

func apnsPayloadOf(n notification) apnsPayload {
	w := n.Words
	p := apnsPayload{
		APS: apnsAlert{
			Alert: apnsWords{Title: w.Title, Body: w.Body, TitleKey: w.TitleKey, TitleArgs: w.Args, BodyKey: w.BodyKey, BodyArgs: w.Args},
			Badge: n.Badge, Sound: "default", Thread: n.Thread, Level: "active",
		},
		Type: n.Type, MessageID: n.MessageID, TaskID: n.TaskID, ResidenceID: n.ResidenceID, DocumentID: n.DocumentID, Buttons: n.Buttons,
	}
	if len(n.Buttons) > 0 {
		p.APS.Category = "task"
	}
	if n.Type == notice.DailyDigest {
		p.APS.Level = "passive" // nobody is woken by a list
	}
	return p
}
