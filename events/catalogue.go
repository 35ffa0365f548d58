package events

import (
	"embed"
	"fmt"
	"slices"
)

// Data is the payload of one type of event: ids of what happened, never an address, a code or a secret.
type Data interface {
	// Name is the middle of the event's type, such as task.completed.
	Name() string
	// Subject names what the event is about, such as tasks/7.
	Subject() string
}

// UserRegistered tells that someone made an account.
type UserRegistered struct {
	UserID int64 `json:"user_id"`
}

// UserEmailChanged tells that a new address took effect; the change's row knows the old one, which is told.
type UserEmailChanged struct {
	UserID   int64 `json:"user_id"`
	ChangeID int64 `json:"change_id"`
}

// UserVerificationRequested tells that a person asked for a code that proves an address.
type UserVerificationRequested struct {
	UserID int64 `json:"user_id"`
	CodeID int64 `json:"code_id"`
}

// UserPasswordResetRequested tells that somebody, or an operator for them, asked for a code that resets the password of this person.
type UserPasswordResetRequested struct {
	UserID int64 `json:"user_id"`
	CodeID int64 `json:"code_id"`
}

// UserPasswordChanged tells that the password is another one now, by change or by reset.
type UserPasswordChanged struct {
	UserID int64 `json:"user_id"`
}

// UserDeletionRequested tells that an operator disabled this person's account to have it deleted. Whoever enables it before the
// deletion takes that back.
type UserDeletionRequested struct {
	UserID int64 `json:"user_id"`
}

// MemberJoined tells that a person redeemed a share code.
type MemberJoined struct {
	ResidenceID int64 `json:"residence_id"`
	UserID      int64 `json:"user_id"`
}

// MemberRemoved tells that a person left a home, or was removed from it by ActorID.
type MemberRemoved struct {
	ResidenceID int64 `json:"residence_id"`
	UserID      int64 `json:"user_id"`
	ActorID     int64 `json:"actor_id"`
}

// TaskAssigned tells that ActorID gave a task to AssigneeID.
type TaskAssigned struct {
	TaskID      int64 `json:"task_id"`
	ResidenceID int64 `json:"residence_id"`
	AssigneeID  int64 `json:"assignee_id"`
	ActorID     int64 `json:"actor_id"`
}

// TaskCompleted tells that ActorID completed a task.
type TaskCompleted struct {
	TaskID       int64 `json:"task_id"`
	CompletionID int64 `json:"completion_id"`
	ResidenceID  int64 `json:"residence_id"`
	ActorID      int64 `json:"actor_id"`
}

// UploadAttached tells that a picture belongs to a home now, and may be cleaned for its members.
type UploadAttached struct {
	UploadID    int64 `json:"upload_id"`
	ResidenceID int64 `json:"residence_id"`
}

// MessagesLeft tells that messages are due which no tick has come for: a tick had no time for all, or an operator has one sent
// again. Their schedule goes on at once.
type MessagesLeft struct {
	ScheduleID int64 `json:"schedule_id"`
}

func (UserRegistered) Name() string             { return "user.registered" }
func (UserEmailChanged) Name() string           { return "user.email_changed" }
func (UserVerificationRequested) Name() string  { return "user.verification_requested" }
func (UserPasswordResetRequested) Name() string { return "user.password_reset_requested" }
func (UserPasswordChanged) Name() string        { return "user.password_changed" }
func (UserDeletionRequested) Name() string      { return "user.deletion_requested" }
func (MemberJoined) Name() string               { return "residence.member_joined" }
func (MemberRemoved) Name() string              { return "residence.member_removed" }
func (TaskAssigned) Name() string               { return "task.assigned" }
func (TaskCompleted) Name() string              { return "task.completed" }
func (UploadAttached) Name() string             { return "upload.attached" }
func (MessagesLeft) Name() string               { return "messages.left" }

func (d UserRegistered) Subject() string             { return subject("users", d.UserID) }
func (d UserEmailChanged) Subject() string           { return subject("users", d.UserID) }
func (d UserVerificationRequested) Subject() string  { return subject("users", d.UserID) }
func (d UserPasswordResetRequested) Subject() string { return subject("users", d.UserID) }
func (d UserPasswordChanged) Subject() string        { return subject("users", d.UserID) }
func (d UserDeletionRequested) Subject() string      { return subject("users", d.UserID) }
func (d MemberJoined) Subject() string               { return subject("residences", d.ResidenceID) }
func (d MemberRemoved) Subject() string              { return subject("residences", d.ResidenceID) }
func (d TaskAssigned) Subject() string               { return subject("tasks", d.TaskID) }
func (d TaskCompleted) Subject() string              { return subject("tasks", d.TaskID) }
func (d UploadAttached) Subject() string             { return subject("uploads", d.UploadID) }
func (d MessagesLeft) Subject() string               { return subject("schedules", d.ScheduleID) }

func subject(collection string, id int64) string { return fmt.Sprintf("%s/%d", collection, id) }

// An Entry of the catalogue says which function tells a fact and which functions must hear it.
type Entry struct {
	Data      Data     // a zero value of its Go type
	Sources   []string // names of the functions that tell it
	Consumers []string // functions' names, each with a delivery row of its own
}

// Catalogue lists every type of event there is.
func Catalogue() []Entry {
	auth, residences, tasks, notifications := []string{"auth"}, []string{"residences"}, []string{"tasks"}, []string{"notifications"}
	admin := []string{"admin"}
	return []Entry{
		{UserRegistered{}, auth, notifications},
		{UserEmailChanged{}, auth, notifications},
		{UserVerificationRequested{}, auth, notifications},
		{UserPasswordResetRequested{}, []string{"auth", "admin"}, notifications},
		{UserPasswordChanged{}, auth, notifications},
		{UserDeletionRequested{}, admin, auth},
		{MemberJoined{}, residences, notifications},
		{MemberRemoved{}, residences, notifications},
		{TaskAssigned{}, tasks, notifications},
		{TaskCompleted{}, tasks, notifications},
		{UploadAttached{}, []string{"residences", "tasks", "uploads"}, []string{"media"}},
		{MessagesLeft{}, []string{"notifications", "admin"}, notifications},
	}
}

// TypeOf returns the CloudEvents type of data.
func TypeOf(data Data) string { return "com.myhoneydue." + data.Name() + ".v1" }

// Lookup finds the entry of a CloudEvents type.
func Lookup(typ string) (Entry, bool) {
	entries := Catalogue()
	i := slices.IndexFunc(entries, func(e Entry) bool { return TypeOf(e.Data) == typ })
	if i < 0 {
		return Entry{}, false
	}
	return entries[i], true
}

// SchemaURI returns the absolute address that names the JSON Schema of a CloudEvents type.
func SchemaURI(typ string) string { return "https://myhoneydue.com/schemas/" + typ + ".json" }

//go:embed schemas/*.json
var schemas embed.FS

// Schema returns the JSON Schema (2020-12) of the data of a CloudEvents type.
func Schema(typ string) ([]byte, error) {
	body, err := schemas.ReadFile("schemas/" + typ + ".json")
	if err != nil {
		return nil, fmt.Errorf("schema of %s: %w", typ, err)
	}
	return body, nil
}
