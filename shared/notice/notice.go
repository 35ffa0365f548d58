// Package notice is what people are told: the types of messages, the channels that carry them, and the few words of each in the
// app's list and in a push.
package notice

import (
	"fmt"
	"slices"
	"strconv"
)

// Types of messages, as people's preferences name them.
const (
	TaskAssigned      = "task_assigned"
	TaskCompleted     = "task_completed"
	TaskDueSoon       = "task_due_soon"
	TaskOverdue       = "task_overdue"
	ResidenceJoined   = "residence_joined"
	WarrantyExpiring  = "warranty_expiring"
	DailyDigest       = "daily_digest"
	EmailVerification = "email_verification"
	PasswordReset     = "password_reset"
	Security          = "security"
)

// Switchable lists the types that a person may switch off. The others are mails alone, and always sent.
func Switchable() []string {
	return []string{TaskAssigned, TaskCompleted, TaskDueSoon, TaskOverdue, ResidenceJoined, WarrantyExpiring, DailyDigest}
}

// IsSwitchable returns whether typ may be switched off.
func IsSwitchable(typ string) bool { return slices.Contains(Switchable(), typ) }

// Channels that carry messages. The app's own list is one that nobody switches off.
const (
	App   = "app"
	Email = "email"
	Push  = "push"
)

// Mute is how a person's row names a type that is switched off on a channel.
func Mute(typ, channel string) string { return typ + "." + channel }

// Facts are what the words of a message are made of.
type Facts struct {
	Type     string
	Actor    string // who did it
	Home     string
	Task     string
	Document string
	// Days from the day that it is for to the one that something is due or ends; less than 0: it is overdue by so many.
	Days int
	// What a digest counts.
	Overdue, DueThisWeek, Warranties int
}

// Words are a message in two lines, and the keys under which an app has them in other languages: Title and Body in English,
// with the same Args in both.
type Words struct {
	Title    string
	Body     string
	TitleKey string // such as task_completed.title
	BodyKey  string
	Args     []string // what stands for %1$@ and so on in the texts of both keys
}

// Of returns the words of a message. Whatever people typed is cut to the length of a line.
func Of(f Facts) Words {
	actor, home := Line(f.Actor, "A member"), Line(f.Home, "your home")
	task, document := Line(f.Task, "A task"), Line(f.Document, "A document")
	if f.Type == TaskDueSoon && f.Days < 0 {
		f.Type = TaskOverdue // quiet hours can last past midnight
	}
	w := Words{TitleKey: f.Type + ".title", BodyKey: f.Type + ".body"}
	switch f.Type {
	case TaskAssigned:
		w.Title, w.Body, w.Args = "For you: "+task, fmt.Sprintf("%s gave you a task at %s.", actor, home), []string{task, actor, home}
	case TaskCompleted:
		w.Title, w.Body, w.Args = "Done: "+task, fmt.Sprintf("%s took care of it at %s.", actor, home), []string{task, actor, home}
	case ResidenceJoined:
		w.Title, w.Body, w.Args = "New at "+home, actor+" joined.", []string{home, actor}
	case TaskDueSoon:
		// Languages have words for today and tomorrow, so these have keys of their own.
		w.BodyKey += dayKey(f.Days)
		w.Title, w.Body, w.Args = task, fmt.Sprintf("Due %s at %s.", InDays(f.Days), home), []string{task, home, strconv.Itoa(f.Days)}
	case TaskOverdue:
		w.BodyKey += dayKey(f.Days)
		w.Title, w.Body, w.Args = task, fmt.Sprintf("Overdue %s at %s.", InDays(f.Days), home), []string{task, home, strconv.Itoa(-f.Days)}
	case WarrantyExpiring:
		w.BodyKey += dayKey(f.Days)
		w.Title, w.Body, w.Args = document, fmt.Sprintf("The warranty ends %s.", InDays(f.Days)), []string{document, home, strconv.Itoa(f.Days)}
		if f.Days < 0 {
			w.BodyKey, w.Body = f.Type+".body.over", "The warranty has ended."
		}
	case DailyDigest:
		w.Title = "Your home today"
		w.Body = fmt.Sprintf("%d overdue, %d due this week, %s.", f.Overdue, f.DueThisWeek, count(f.Warranties, "warranty ends", "warranties end")+" soon")
		w.Args = []string{strconv.Itoa(f.Overdue), strconv.Itoa(f.DueThisWeek), strconv.Itoa(f.Warranties)}
	}
	return w
}

// dayKey is the end of a key for the days that languages have words for.
func dayKey(days int) string {
	switch days {
	case 0:
		return ".today"
	case 1:
		return ".tomorrow"
	case -1:
		return ".yesterday"
	default:
		return ""
	}
}

// InDays says how far away a day is: today, in 7 days; of one that is over, for how long: since yesterday, for 6 days.
func InDays(days int) string {
	switch {
	case days == 0:
		return "today"
	case days == 1:
		return "tomorrow"
	case days == -1:
		return "since yesterday"
	case days < 0:
		return fmt.Sprintf("for %d days", -days)
	default:
		return fmt.Sprintf("in %d days", days)
	}
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
