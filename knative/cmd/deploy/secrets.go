package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// secrets makes the Secrets of a file with lines of the form SECRET/KEY=value in the overlay's namespace, which it makes
// first when it is missing. A Secret has the keys of the file afterwards and no others; Secrets that the file does not
// name stay as they are. No value is printed or given on a command line.
func (r *rollout) secrets(ctx context.Context, file string) error {
	if err := r.prepare(ctx, ""); err != nil {
		return err
	}
	if err := r.checkCluster(ctx); err != nil {
		return err
	}
	content, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return fmt.Errorf("read Secrets: %w: copy knative/overlays/production/.env.example and fill it in", err)
	}
	found := of(labelled(r.rendered, "namespace"), stageNamespace)
	if len(found) != 1 {
		return fmt.Errorf("overlay %s has %d Namespaces of its own, not one", r.overlay, len(found))
	}
	made, err := secretsOf(string(content), found[0].GetName())
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := r.apply(ctx, "namespace", found); err != nil {
		return err
	}
	if err := r.keepRotated(ctx, made); err != nil {
		return err
	}
	if err := applySecrets(ctx, made); err != nil {
		return err
	}
	r.say("applied Secrets: %d", len(made))
	return nil
}

// applySecrets sends Secrets to the server to be applied there: the other way keeps a readable copy of every value in an annotation.
func applySecrets(ctx context.Context, made []*object) error {
	documents, err := encode(made)
	if err != nil {
		return err
	}
	if _, err := kubectl(ctx, documents, "apply", "--server-side", "--force-conflicts", "--field-manager", "deploy", "--filename", "-"); err != nil {
		return fmt.Errorf("apply Secrets: %w", err)
	}
	return nil
}

// secretsOf reads the lines of a file as Secrets of a namespace. Its error names lines and keys, never a value.
func secretsOf(text, namespace string) ([]*object, error) {
	values := map[string]map[string]any{}
	var names []string
	var wrong []error
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		path, value, assigned := strings.Cut(line, "=")
		path, value = strings.TrimSpace(path), strings.TrimSpace(value)
		name, key, split := strings.Cut(path, "/")
		switch {
		case !assigned || !split || name == "" || key == "":
			wrong = append(wrong, fmt.Errorf("line %d: is not of the form SECRET/KEY=value", i+1))
			continue
		case value == "":
			wrong = append(wrong, fmt.Errorf("line %d: %s has no value", i+1, path))
			continue
		case values[name][key] != nil:
			wrong = append(wrong, fmt.Errorf("line %d: %s stands twice", i+1, path))
			continue
		}
		if values[name] == nil {
			values[name] = map[string]any{}
			names = append(names, name)
		}
		values[name][key] = base64.StdEncoding.EncodeToString([]byte(value))
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	if len(names) == 0 {
		return nil, errors.New("names no Secret")
	}
	slices.Sort(names)
	var made []*object
	for _, name := range names {
		made = append(made, &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": kindSecret, "type": "Opaque",
			"metadata": map[string]any{"name": name, "namespace": namespace, "labels": map[string]any{partLabel: system}},
			// Not as stringData: the server would not forget a key that is gone from the file.
			"data": values[name],
		}})
	}
	return made, nil
}

// keepRotated leaves a key as the cluster has it that make rotate may have changed there: the file does not know the new one, which is
// nowhere else, and what it signed or sealed would be lost. Of the database's addresses it leaves the login alone: where the database is,
// the file says.
func (r *rollout) keepRotated(ctx context.Context, made []*object) error {
	kept := map[string][]string{} // keys by their Secrets
	for _, of := range rotations {
		kept[of.secret] = append(kept[of.secret], of.key)
	}
	chosen, err := get(ctx, made[0].GetNamespace(), "secret", loginsSecret)
	if err != nil {
		return fmt.Errorf("read Secret %s: %w", loginsSecret, err)
	}
	if chosen != nil {
		for _, f := range of(r.rendered, stageFunction) {
			kept[addressSecret(f)] = append(kept[addressSecret(f)], addressKey)
		}
	}
	for _, o := range made {
		if len(kept[o.GetName()]) == 0 {
			continue
		}
		live, err := get(ctx, o.GetNamespace(), "secret", o.GetName())
		if err != nil {
			return fmt.Errorf("read Secret %s: %w", o.GetName(), err)
		}
		if live == nil {
			continue
		}
		for _, key := range kept[o.GetName()] {
			what, err := keep(o, live, key)
			if err != nil {
				return fmt.Errorf("keep %s of Secret %s: %w", key, o.GetName(), err)
			}
			if what != "" {
				r.say("kept %s of Secret %s as the cluster has it: make rotate changes it there. To have the file's: docs/secrets.md", what, o.GetName())
			}
		}
	}
	return nil
}

// keep leaves a key of o as live has it, if both have it, or of an address the login, and returns what it left that o had otherwise.
func keep(o, live *object, key string) (what string, err error) {
	has, _, _ := unstructured.NestedString(live.Object, "data", key)
	given, _, _ := unstructured.NestedString(o.Object, "data", key)
	if has == "" || given == "" || has == given {
		return "", nil
	}
	what = key
	if key == addressKey {
		if has, err = withLogin(given, has); err != nil || has == given {
			return "", err
		}
		what = "the login in " + key
	}
	return what, unstructured.SetNestedField(o.Object, has, "data", key)
}

// withLogin returns an address with the login of another one; all are in base64, as Secrets have them.
func withLogin(given, live string) (string, error) {
	var addresses [2]*url.URL
	for i, encoded := range []string{given, live} {
		decoded, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return "", errors.New("it is not in base64")
		}
		if addresses[i], err = url.Parse(string(decoded)); err != nil || addresses[i].User.Username() == "" {
			return "", errors.New("it is not an address with a login")
		}
	}
	addresses[0].User = addresses[1].User
	return base64.StdEncoding.EncodeToString([]byte(addresses[0].String())), nil
}
