package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// databaseLogins is what make rotate calls the passwords with which functions sign in to the database.
const databaseLogins = "database-logins"

// Each function has two logins, its role's own and another one that is a member of it; functions/migrate makes the second. One is in use;
// the other gets a new password and takes its place. The passwords are in a Secret that nobody else writes, and that migrate reads.
const (
	loginsSecret = "honeydue-database-logins" //nolint:gosec // a name
	loginsKey    = "DATABASE_LOGINS"
	addressKey   = "DATABASE_URL"
	secondLogin  = "_b"

	// loginsSettle is how long pods of the former login may live on, and what they have begun.
	loginsSettle = 15 * time.Minute
)

// stepUsed: the new logins are in use, and the former ones still good.
const stepUsed = "used"

// logins are passwords by the name of the login, and how far a rotation has come.
type logins struct {
	secret    *object // nil before the first rotation
	passwords map[string]string
	step      string
	at        time.Time
	next      []string // logins that take the others' places
}

// turn is the login of a function that is not in use.
func turn(login string) string {
	if first, ok := strings.CutSuffix(login, secondLogin); ok {
		return first
	}
	return login + secondLogin
}

func (l logins) text() string {
	var entries []string
	for _, name := range slices.Sorted(maps.Keys(l.passwords)) {
		entries = append(entries, name+":"+l.passwords[name])
	}
	return strings.Join(entries, ",")
}

func parseLogins(text string) (map[string]string, error) {
	passwords := map[string]string{}
	for entry := range strings.SplitSeq(text, ",") {
		name, password, ok := strings.Cut(entry, ":")
		if !ok || name == "" || password == "" {
			return nil, fmt.Errorf("%s of Secret %s was changed by hand: it is no list of name:password", loginsKey, loginsSecret)
		}
		passwords[name] = password
	}
	return passwords, nil
}

// rotateLogins goes on with a rotation, or begins one. It may be interrupted at any moment and called again.
func (r *rollout) rotateLogins(ctx context.Context, now time.Time) error {
	functions := of(r.rendered, stageFunction)
	namespace := functions[0].GetNamespace()
	job, err := lastMigration(ctx, namespace)
	if err != nil {
		return fmt.Errorf("rotate: %w", err)
	}
	l, err := readLogins(ctx, namespace)
	if err != nil {
		return fmt.Errorf("rotate: %w", err)
	}
	switch l.step {
	case stepUsed:
		return r.endLogins(ctx, l, job, now)
	case stepNone:
		if l, err = l.begin(ctx, functions, now); err != nil {
			return fmt.Errorf("rotate: %w", err)
		}
	}
	// The database learns the new passwords before anybody signs in with one.
	if err := r.runJob(ctx, job); err != nil {
		return fmt.Errorf("rotate: functions go on with the passwords that they have: %w", err)
	}
	for _, f := range functions {
		if err := l.sign(ctx, f); err != nil {
			return fmt.Errorf("rotate: %w", err)
		}
	}
	if _, err := r.renewAll(ctx, functions); err != nil {
		return err
	}
	l.step, l.at = stepUsed, now
	if _, err := l.write(ctx, namespace); err != nil {
		return fmt.Errorf("rotate: %w", err)
	}
	r.say("the new passwords are in use, and the former ones good; run this again after %s", now.Add(loginsSettle).UTC().Format(time.RFC3339))
	return nil
}

// begin chooses passwords for the logins that are not in use.
func (l logins) begin(ctx context.Context, functions []*object, now time.Time) (logins, error) {
	l.step, l.at, l.next = stepKnown, now, nil
	for _, f := range functions {
		_, _, login, err := readAddress(ctx, f)
		if err != nil {
			return l, err
		}
		l.next = append(l.next, turn(login))
		l.passwords[turn(login)] = freshKey()
	}
	return l.write(ctx, functions[0].GetNamespace())
}

// sign has a function sign in with the login that is next. One that does already, since a call was interrupted, goes on so.
func (l logins) sign(ctx context.Context, f *object) error {
	secret, address, login, err := readAddress(ctx, f)
	if err != nil || !slices.Contains(l.next, turn(login)) {
		return err
	}
	address.User = url.UserPassword(turn(login), l.passwords[turn(login)])
	return patchSecret(ctx, secret, addressKey, address.String(), nil)
}

// endLogins gives the former logins passwords that nobody has.
func (r *rollout) endLogins(ctx context.Context, l logins, job *object, now time.Time) error {
	if due := l.at.Add(loginsSettle); now.Before(due) {
		return fmt.Errorf("rotate: the former passwords may be in use until %s; run this again then", due.UTC().Format(time.RFC3339))
	}
	for _, login := range l.next {
		l.passwords[turn(login)] = freshKey()
	}
	l, err := l.write(ctx, job.GetNamespace())
	if err != nil {
		return fmt.Errorf("rotate: %w", err)
	}
	if err := r.runJob(ctx, job); err != nil {
		return fmt.Errorf("rotate: %w", err)
	}
	l.step = stepNone
	if _, err := l.write(ctx, job.GetNamespace()); err != nil {
		return fmt.Errorf("rotate: %w", err)
	}
	r.say("done: the former passwords are nobody's")
	return nil
}

// note is the annotation; nil removes it.
func (l logins) note() any {
	if l.step == stepNone {
		return nil
	}
	return l.step + " " + l.at.UTC().Format(time.RFC3339) + " " + strings.Join(l.next, ",")
}

// parseNote reads the annotation of a rotation that is under way.
func (l *logins) parseNote(note string) error {
	step, rest, _ := strings.Cut(note, " ")
	at, next, _ := strings.Cut(rest, " ")
	var err error
	l.at, err = time.Parse(time.RFC3339, at)
	if err != nil || step != stepKnown && step != stepUsed || next == "" {
		return fmt.Errorf("the annotation %s of Secret %s is %q, not a step, an instant and logins", rotation, loginsSecret, note)
	}
	l.step, l.next = step, strings.Split(next, ",")
	return nil
}

// readLogins reads the Secret of the passwords.
func readLogins(ctx context.Context, namespace string) (logins, error) {
	l := logins{passwords: map[string]string{}}
	secret, err := get(ctx, namespace, "secret", loginsSecret)
	if err != nil {
		return l, fmt.Errorf("read Secret %s: %w", loginsSecret, err)
	}
	if secret == nil {
		return l, nil
	}
	l.secret = secret
	text, err := valueOf(secret, loginsKey)
	if err != nil {
		return l, err
	}
	if l.passwords, err = parseLogins(text); err != nil {
		return l, err
	}
	if note := secret.GetAnnotations()[rotation]; note != "" {
		return l, l.parseNote(note)
	}
	return l, nil
}

// write makes the Secret, or changes it if it is still the one that was read, and returns it as it is then.
func (l logins) write(ctx context.Context, namespace string) (logins, error) {
	if l.secret != nil {
		if err := patchSecret(ctx, l.secret, loginsKey, l.text(), map[string]any{rotation: l.note()}); err != nil {
			return l, err
		}
		return readLogins(ctx, namespace)
	}
	documents, err := encode([]*object{{Object: map[string]any{
		"apiVersion": "v1", "kind": kindSecret, "type": "Opaque",
		"metadata": map[string]any{
			"name": loginsSecret, "namespace": namespace, "labels": map[string]any{partLabel: system}, "annotations": map[string]any{rotation: l.note()},
		},
		"data": map[string]any{loginsKey: base64.StdEncoding.EncodeToString([]byte(l.text()))},
	}}})
	if err != nil {
		return l, err
	}
	if _, err := kubectl(ctx, documents, "create", "--filename", "-"); err != nil {
		return l, fmt.Errorf("make Secret %s: %w", loginsSecret, err)
	}
	return readLogins(ctx, namespace)
}

// addressSecret is the name of the Secret that has a function's address of the database.
func addressSecret(f *object) string { return system + "-" + f.GetName() }

// readAddress reads the address of the database that a function has, and the login in it.
func readAddress(ctx context.Context, f *object) (secret *object, address *url.URL, login string, err error) {
	name := addressSecret(f)
	if secret, err = get(ctx, f.GetNamespace(), "secret", name); err != nil {
		return nil, nil, "", fmt.Errorf("read Secret %s: %w", name, err)
	}
	if secret == nil {
		return nil, nil, "", fmt.Errorf("there is no Secret %s: run make secrets ENV_FILE=…", name)
	}
	text, err := valueOf(secret, addressKey)
	if err != nil {
		return nil, nil, "", err
	}
	address, err = url.Parse(text)
	if err != nil || address.User.Username() == "" {
		return nil, nil, "", fmt.Errorf("%s of Secret %s is not an address with a login", addressKey, name)
	}
	return secret, address, address.User.Username(), nil
}

// lastMigration is the Job that ran last, to be run as it was: what the checkout has is not to be deployed by a rotation.
func lastMigration(ctx context.Context, namespace string) (*object, error) {
	last, err := get(ctx, namespace, "job", migrateName)
	if err != nil {
		return nil, fmt.Errorf("read job %s: %w", migrateName, err)
	}
	if last == nil {
		return nil, errors.New("no migration ran in the cluster yet: run make deploy")
	}
	spec, _, err := unstructured.NestedMap(last.Object, "spec")
	if err != nil {
		return nil, fmt.Errorf("read job %s: %w", migrateName, err)
	}
	if !strings.Contains(fmt.Sprint(spec), loginsKey) {
		return nil, fmt.Errorf("what was deployed knows no %s yet: run make deploy", loginsKey)
	}
	// What the cluster added, to tell its pods from those of others.
	delete(spec, "selector")
	template, _, _ := unstructured.NestedStringMap(spec, "template", "metadata", "labels")
	maps.DeleteFunc(template, func(name, _ string) bool {
		return strings.HasSuffix(name, "controller-uid") || strings.HasSuffix(name, "job-name")
	})
	if err := unstructured.SetNestedStringMap(spec, template, "template", "metadata", "labels"); err != nil {
		return nil, fmt.Errorf("read job %s: %w", migrateName, err)
	}
	job := &object{Object: map[string]any{
		"apiVersion": last.GetAPIVersion(), "kind": last.GetKind(),
		"metadata": map[string]any{"name": last.GetName(), "namespace": namespace},
		"spec":     spec,
	}}
	job.SetLabels(last.GetLabels())
	return job, nil
}
