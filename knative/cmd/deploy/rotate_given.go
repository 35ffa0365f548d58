package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// A given secret is made by its provider, who lets two be good at a time. An operator has a file with the new one.
type given struct {
	secret    string
	then      string // what is left to do
	namespace string // where something else than functions reads it, at each use; empty: functions read it, once
}

// givens are those secrets, by what make rotate calls them.
var givens = map[string]given{
	"s3-key":         {"honeydue-s3", "in a quarter of an hour no address lives that the old key signed: delete it at the provider then", ""},
	"smtp":           {"honeydue-smtp", "revoke the old credential at the provider", ""},
	"push-keys":      {"honeydue-push", "revoke the old keys at Apple and Google", ""},
	"redis-password": {"honeydue-redis", "take the old password's hash out of Secret redis-acl, and restart Redis", ""},
	"backup-key":     {"backup", "kubectl create job --namespace=backup --from=cronjob/database now: when it is done, delete the old key at the provider", "backup"},
	"etcd-key":       {"etcd-snapshots", "sudo k3s etcd-snapshot save, on a node: when it is done, delete the old key at the provider", "kube-system"},
	"etcd-list-key":  {"etcd-snapshots", "kubectl create job --namespace=backup --from=cronjob/watch now: when it is done, delete the old key at the provider", "backup"},
}

// rotateGiven puts the values of one Secret from a file in the place of those in the cluster, and has all functions that read it begin anew. Other
// lines of the file change nothing. Called again, it goes on where it was.
func (r *rollout) rotateGiven(ctx context.Context, g given, file string) error {
	if file == "" {
		return fmt.Errorf("rotate: give ENV_FILE, a file with the new values of Secret %s, as make secrets reads it", g.secret)
	}
	var readers []*object
	namespace := g.namespace
	if namespace == "" {
		var err error
		if readers, err = r.readers(g.secret); err != nil {
			return fmt.Errorf("rotate: %w", err)
		}
		namespace = readers[0].GetNamespace()
	}
	content, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return fmt.Errorf("rotate: read the new values: %w", err)
	}
	made, err := only(g.secret, string(content), namespace)
	if err != nil {
		return fmt.Errorf("rotate: %s: %w", file, err)
	}
	if err := applySecrets(ctx, made); err != nil {
		return fmt.Errorf("rotate: %w", err)
	}
	if len(readers) == 0 {
		r.say("the new values are in Secret %s of namespace %s, where they are read at each use; %s", g.secret, namespace, g.then)
		return nil
	}
	if _, err := r.renewAll(ctx, readers); err != nil {
		return err
	}
	r.say("the new values are in use by %s; %s", namesOf(readers), g.then)
	return nil
}

// only returns the Secret of that name that a file has, if it has it.
func only(secret, text, namespace string) ([]*object, error) {
	made, err := secretsOf(text, namespace)
	if err != nil {
		return nil, err
	}
	made = slices.DeleteFunc(made, func(o *object) bool { return o.GetName() != secret })
	if len(made) == 0 {
		return nil, errors.New("has no line of Secret " + secret)
	}
	return made, nil
}
