package tests

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/local"
	"github.com/honeydue/backend/tests/story"
)

// A role is what somebody is to a home.
type role string

const (
	outsider role = "outsider"
	viewing  role = "viewer"
	member   role = "member"
	owning   role = "owner"
)

// A fixture is a home with a person in every relation to it, and things in it that carry its secret in their names.
type fixture struct {
	system *local.System
	secret string // in the name of everything that only the home's people may see

	owner, member, viewer, tenant *story.Person // the tenant is a member to do things to
	homeless, former, stranger    *story.Person // of no home; removed by the owner; with a home of their own
	gone                          *story.Person // a member until leave deletes the account

	things            // of the home
	session, template int64
	device            int64  // of the owner's
	notification      int64  // in the owner's list
	upload            int64  // of the owner's, and waits
	media             int64  // a paper of the home
	elsewhere         things // another home of the owner's
	foreign           things // the stranger's
	foreignUpload     int64  // the stranger's, sent, and waits
}

// things are what a home has one of.
type things struct{ home, task, completion, contractor, document int64 }

func newFixture(t *testing.T, s *local.System) *fixture {
	t.Helper()
	ctx := within(t, time.Minute)
	f := &fixture{system: s, secret: "Quillwort"}
	for name, p := range map[string]**story.Person{
		"Olive": &f.owner, "Max": &f.member, "Vera": &f.viewer, "Tess": &f.tenant, "Nora": &f.homeless, "Fred": &f.former, "Sam": &f.stranger,
		"Gwen": &f.gone,
	} {
		var err error
		*p, err = story.Register(ctx, story.NewPhone(s.URL), name)
		require.NoError(t, err)
	}
	var templates, sessions struct{ Results []struct{ ID int64 } }
	require.NoError(t, f.owner.Read(ctx, "/api/tasks/templates/", &templates))
	require.NoError(t, f.owner.Read(ctx, "/api/auth/sessions/", &sessions))
	f.template, f.session = templates.Results[0].ID, sessions.Results[0].ID
	f.device = f.create(ctx, t, f.owner, "/api/notifications/devices/", map[string]any{"platform": "android", "token": fmt.Sprint("phone", f.owner.ID)})
	var homes [3]int64
	for i, made := range []struct {
		by   *story.Person
		name string
	}{{f.owner, f.secret}, {f.owner, "Elsewhere"}, {f.stranger, "Foreign"}} {
		homes[i] = f.create(ctx, t, made.by, "/api/residences/", map[string]any{"name": made.name, "residence_type": "house"})
	}
	f.home = homes[0]
	require.NoError(t, story.Admit(ctx, f.owner, f.home, f.member, f.viewer, f.tenant, f.former, f.gone))
	f.must(ctx, t, f.owner, http.MethodPatch, f.user(f.viewer), map[string]any{"role": "viewer"}, nil)
	f.must(ctx, t, f.owner, http.MethodDelete, f.user(f.former), nil, nil)
	f.furnish(ctx, t)
	f.keepPaper(ctx, t)
	f.notification = f.news(ctx, t)
	f.upload, f.foreignUpload = f.send(ctx, t, f.owner, f.secret), f.send(ctx, t, f.stranger, "Foreign")
	f.elsewhere = f.thingsOf(ctx, t, f.owner, homes[1], "Elsewhere")
	f.foreign = f.thingsOf(ctx, t, f.stranger, homes[2], "Foreign")
	return f
}

// news waits until the owner was told of somebody who joined.
func (f *fixture) news(ctx context.Context, t *testing.T) int64 {
	t.Helper()
	var list struct{ Results []struct{ ID int64 } }
	require.Eventually(t, func() bool {
		f.must(ctx, t, f.owner, http.MethodGet, "/api/notifications/", nil, &list)
		return len(list.Results) > 0
	}, 20*time.Second, 50*time.Millisecond, "nobody told the owner who joined")
	return list.Results[0].ID
}

// leave deletes gone's account after calls to every function, so that the look-up of the token has just been kept.
func (f *fixture) leave(ctx context.Context, t *testing.T) {
	t.Helper()
	for _, path := range []string{"/api/tasks/", "/api/residences/my/", "/api/documents/", "/api/auth/me/", "/api/notifications/"} {
		f.must(ctx, t, f.gone, http.MethodGet, path, nil, nil)
	}
	f.must(ctx, t, f.gone, http.MethodDelete, "/api/auth/account/", map[string]any{"password": story.Password}, nil)
}

// furnish puts other things into the home.
func (f *fixture) furnish(ctx context.Context, t *testing.T) {
	t.Helper()
	f.things = f.thingsOf(ctx, t, f.owner, f.home, f.secret)
}

// paperType is the content type of papers, which are shown as they are sent.
const paperType = "application/pdf"

// keepPaper puts another paper into the home.
func (f *fixture) keepPaper(ctx context.Context, t *testing.T) {
	t.Helper()
	f.media = f.send(ctx, t, f.owner, f.secret)
	f.create(ctx, t, f.owner, "/api/documents/", map[string]any{
		"residence_id": f.home, "title": f.secret, "document_type": "manual", "upload_ids": []any{f.media},
	})
}

// send has somebody send a paper, for a document.
func (f *fixture) send(ctx context.Context, t *testing.T, p *story.Person, name string) int64 {
	t.Helper()
	id, err := p.Send(ctx, story.File{Category: "document_file", Type: paperType, Name: name, Content: []byte("%PDF-1.7\n%%EOF\n")})
	require.NoError(t, err)
	return id
}

// thingsOf puts a contractor into a home, a task that was completed, one that is due, and a document.
func (f *fixture) thingsOf(ctx context.Context, t *testing.T, p *story.Person, home int64, name string) things {
	t.Helper()
	made := things{home: home}
	made.contractor = f.create(ctx, t, p, "/api/contractors/", map[string]any{"residence_id": home, "name": name})
	done := f.create(ctx, t, p, "/api/tasks/", map[string]any{"residence_id": home, "title": name})
	made.completion = f.create(ctx, t, p, "/api/task-completions/", map[string]any{"task_id": done, "notes": name})
	made.task = f.create(ctx, t, p, "/api/tasks/", map[string]any{"residence_id": home, "title": name, "due_date": story.Day(9), "frequency_id": 3})
	made.document = f.create(ctx, t, p, "/api/documents/", map[string]any{"residence_id": home, "title": name, "document_type": "manual"})
	return made
}

// create posts a thing and returns its id.
func (f *fixture) create(ctx context.Context, t *testing.T, p *story.Person, path string, body map[string]any) int64 {
	t.Helper()
	var made struct {
		ID         int64
		Completion struct{ ID int64 }
	}
	f.must(ctx, t, p, http.MethodPost, path, body, &made)
	return max(made.ID, made.Completion.ID)
}

// must makes a call that has to work, and reads its answer unless into is nil.
func (f *fixture) must(ctx context.Context, t *testing.T, p *story.Person, method, path string, body, into any) {
	t.Helper()
	answer, err := p.Call(ctx, method, path, body, "")
	require.NoError(t, err)
	require.Less(t, answer.Status, 300, "%s %s: %s", method, path, answer.Body)
	if into != nil {
		require.NoError(t, answer.Decode(answer.Status, into))
	}
}

// user is the path of a person in the home.
func (f *fixture) user(p *story.Person) string {
	return fmt.Sprintf("/api/residences/%d/users/%d/", f.home, p.ID)
}

// path fills the ids of the fixture into a path of the document.
func (f *fixture) path(path string) string {
	id := f.home
	switch {
	case strings.HasPrefix(path, "/api/tasks/{"):
		id = f.task
	case strings.HasPrefix(path, "/api/tasks/templates/"):
		id = f.template
	case strings.HasPrefix(path, "/api/tasks/suggestions/"):
		path += fmt.Sprintf("?residence_id=%d", f.home)
	case strings.HasPrefix(path, "/api/task-completions/"):
		id = f.completion
	case strings.HasPrefix(path, "/api/contractors/"):
		id = f.contractor
	case strings.HasPrefix(path, "/api/documents/"):
		id = f.document
	case strings.HasPrefix(path, "/api/media/"):
		id = f.media
	case strings.HasPrefix(path, "/api/uploads/"):
		id = f.upload
	case strings.HasPrefix(path, "/api/auth/sessions/"):
		id = f.session
	case strings.HasPrefix(path, "/api/notifications/devices/"):
		id = f.device
	case strings.HasPrefix(path, "/api/notifications/{"):
		id = f.notification
	}
	return strings.NewReplacer("{id}", fmt.Sprint(id), "{user_id}", fmt.Sprint(f.tenant.ID)).Replace(path)
}

// A caller is somebody with a role.
type caller struct {
	who string
	role
	*story.Person
}

func (f *fixture) callers() []caller {
	return []caller{
		{"a member of no home", outsider, f.homeless},
		{"a former member", outsider, f.former},
		{"a stranger", outsider, f.stranger},
		{"a viewer", viewing, f.viewer},
		{"a member", member, f.member},
		{"the owner", owning, f.owner},
	}
}
