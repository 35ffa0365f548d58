package main

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

// fcmPayload is what an Android phone gets, by way of https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages.
type fcmPayload struct {
	Message fcmMessage `json:"message"`
}

type fcmMessage struct {
	Token        string            `json:"token"`
	Notification fcmWords          `json:"notification"`
	Android      fcmAndroid        `json:"android"`
	Data         map[string]string `json:"data"` // what the app reads, all of it strings
}

type fcmWords struct {
	Title string `json:"title"`
	Body  string `json:"body"`
}

type fcmAndroid struct {
	Priority     string              `json:"priority"`
	TTL          string              `json:"ttl"` // seconds, such as 3600s
	CollapseKey  string              `json:"collapse_key,omitempty"`
	Notification fcmAndroidShownWith `json:"notification"`
}

// fcmAndroidShownWith holds the keys of the app's own language. Those that have no text there leave the English one.
type fcmAndroidShownWith struct {
	Tag       string   `json:"tag,omitempty"` // a push replaces one with the same
	TitleKey  string   `json:"title_loc_key,omitempty"`
	TitleArgs []string `json:"title_loc_args,omitempty"`
	BodyKey   string   `json:"body_loc_key,omitempty"`
	BodyArgs  []string `json:"body_loc_args,omitempty"`
	Count     int      `json:"notification_count,omitempty"`
	ChannelID string   `json:"channel_id"` // one for each type: people switch them off on their phone
}

// maxTTL is how long FCM keeps a push for a phone that is off.
const maxTTL = 28 * 24 * time.Hour

func fcmPayloadOf(n notification, d device, now time.Time) fcmPayload {
	w := n.Words
	left := min(max(n.ExpiresAt.Sub(now), 0), maxTTL)
	return fcmPayload{Message: fcmMessage{
		Token:        d.Token,
		Notification: fcmWords{Title: w.Title, Body: w.Body},
		Android: fcmAndroid{
			Priority: "HIGH", TTL: strconv.Itoa(int(left.Seconds())) + "s", CollapseKey: n.Collapse,
			Notification: fcmAndroidShownWith{
				Tag: n.Collapse, TitleKey: w.TitleKey, TitleArgs: w.Args, BodyKey: w.BodyKey, BodyArgs: w.Args,
				Count: n.Badge, ChannelID: n.Type,
			},
		},
		Data: fcmData(n),
	}}
}

// write returns JSON that is no longer than it must be: of what people type, nothing is escaped for HTML, which would be six
// times as long.
func (p fcmPayload) write() ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(p)
	return text.Bytes(), err
}

func fcmData(n notification) map[string]string {
	data := map[string]string{"type": n.Type, "message_id": strconv.FormatInt(n.MessageID, 10)}
	for name, id := range map[string]int64{"task_id": n.TaskID, "residence_id": n.ResidenceID, "document_id": n.DocumentID} {
		if id != 0 {
			data[name] = strconv.FormatInt(id, 10)
		}
	}
	if len(n.Buttons) > 0 {
		buttons, _ := json.Marshal(n.Buttons) // of strings alone, which always can be written
		data["button_types"] = string(buttons)
	}
	return data
}
