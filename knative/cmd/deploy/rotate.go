package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// rotation is a Secret's annotation: how far a rotation of it has come, and when.
const rotation = "myhoneydue.com/rotation"

// A rotated key is one whose value is a list, the one in use first.
type rotated struct {
	secret, key string
	// settle is how long what the old key made may be needed whole.
	settle time.Duration
	// retired is what the old key becomes then; empty: it goes.
	retired func(old string) string
	told    string // what that means
}

// rotations are those keys, by what make rotate calls them.
var rotations = map[string]rotated{
	// shared/code reads it. Codes live for ten minutes, and renewing takes some; links never end.
	"code-key": {
		secret: "honeydue-codes", key: "CODE_KEY", settle: 30 * time.Minute, retired: func(old string) string { return "links:" + strings.TrimPrefix(old, "links:") },
		told: "codes of the old key are wrong now, its links go on working",
	},
	// functions/admin reads it. Who signs in meanwhile has their secret sealed with the new one.
	"admin-key": {
		secret: "honeydue-admin", key: "ADMIN_KEY", settle: 30 * 24 * time.Hour, retired: func(string) string { return "" },
		told: "the old key is gone: operators who did not sign in since then enrol again (make admin)",
	},
}

// Steps of a rotation. A function that checks must know the new key before one that signs uses it.
const (
	stepNone  = ""
	stepKnown = "known" // the new key stands behind the old one: it is believed
	stepSigns = "signs" // it stands in front, and the old one is believed
)

// A ring is a list of keys, the one in use first, and how far its rotation has come.
type ring struct {
	keys []string
	step string
	at   time.Time
}

// next returns the ring one step on. Its error says when the step is not due.
func (g ring) next(of rotated, fresh func() string, now time.Time) (ring, error) {
	keys := append([]string{}, g.keys...)
	switch g.step {
	case stepNone:
		return ring{append([]string{keys[0], fresh()}, keys[1:]...), stepKnown, now}, nil
	case stepKnown:
		if len(keys) < 2 || keys[1] == of.retired(keys[1]) {
			return ring{}, errors.New("the Secret says that a new key is known, and has none: it was changed by hand; remove its annotation " + rotation + " and begin again")
		}
		keys[0], keys[1] = keys[1], keys[0]
		return ring{keys, stepSigns, now}, nil
	case stepSigns:
		if due := g.at.Add(of.settle); now.Before(due) {
			return ring{}, fmt.Errorf("the old key may be needed until %s; run this again then", due.UTC().Format(time.RFC3339))
		}
		if len(keys) < 2 {
			return ring{}, errors.New("the Secret says that two keys are believed, and has one: it was changed by hand; remove its annotation " + rotation)
		}
		if keys[1] = of.retired(keys[1]); keys[1] == "" {
			keys = slices.Delete(keys, 1, 2)
		}
		return ring{keys, stepNone, now}, nil
	}
	return ring{}, fmt.Errorf("the Secret's annotation %s says %q, which is no step", rotation, g.step)
}

// note is the annotation of the ring; nil removes it.
func (g ring) note() any {
	if g.step == stepNone {
		return nil
	}
	return g.step + " " + g.at.UTC().Format(time.RFC3339)
}

// rotate goes on with the rotation of a secret, or begins one: called again until it says that it is done, with some time before the
// last step. It may be interrupted at any moment. File has the new values of one that a provider made.
func (r *rollout) rotate(ctx context.Context, what, file string, now time.Time) error {
	known := append(slices.Sorted(maps.Keys(rotations)), databaseLogins)
	known = append(known, slices.Sorted(maps.Keys(givens))...)
	if !slices.Contains(known, what) {
		return fmt.Errorf("rotate: there is no %q; there are %s", what, strings.Join(known, ", "))
	}
	if err := r.prepare(ctx, ""); err != nil {
		return err
	}
	if err := r.checkCluster(ctx); err != nil {
		return err
	}
	if what == databaseLogins {
		return r.rotateLogins(ctx, now)
	}
	if g, ok := givens[what]; ok {
		return r.rotateGiven(ctx, g, file)
	}
	return r.rotateKey(ctx, rotations[what], now)
}

// rotateKey goes on with the rotation of a key that is ours to choose.
func (r *rollout) rotateKey(ctx context.Context, of rotated, now time.Time) error {
	readers, err := r.readers(of.secret)
	if err != nil {
		return err
	}
	namespace := readers[0].GetNamespace()
	for {
		secret, present, err := readRing(ctx, of, namespace)
		if err != nil {
			return fmt.Errorf("rotate: %w", err)
		}
		if present.step != stepNone {
			// Whoever was interrupted may have left functions without the last step: until now they used the old key.
			late, err := r.renewAll(ctx, readers)
			if err != nil {
				return err
			}
			if late && present.step == stepSigns {
				return r.putOff(ctx, of, secret, present, readers, now)
			}
		}
		present, err = present.next(of, freshKey, now)
		if err != nil {
			return fmt.Errorf("rotate: %w", err)
		}
		if err := r.put(ctx, of, secret, present, readers); err != nil {
			return err
		}
		switch present.step {
		case stepKnown:
			r.say("the new key is known to %s", namesOf(readers))
			continue
		case stepSigns:
			r.say("the new key is in use, and the old one is believed; run this again after %s", now.Add(of.settle).UTC().Format(time.RFC3339))
		default:
			r.say("done: %s", of.told)
		}
		return nil
	}
}

// put writes the ring and has everybody read it.
func (r *rollout) put(ctx context.Context, of rotated, secret *object, g ring, readers []*object) error {
	if err := writeRing(ctx, of, secret, g); err != nil {
		return fmt.Errorf("rotate: %w", err)
	}
	_, err := r.renewAll(ctx, readers)
	return err
}

// putOff begins to count anew when the old key was in use until this moment.
func (r *rollout) putOff(ctx context.Context, of rotated, secret *object, g ring, readers []*object, now time.Time) error {
	g.at = now
	if err := r.put(ctx, of, secret, g, readers); err != nil {
		return err
	}
	r.say("functions used the old key until now, since a call was interrupted; run this again after %s", now.Add(of.settle).UTC().Format(time.RFC3339))
	return nil
}

func freshKey() string {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	return hex.EncodeToString(key[:])
}

// readRing reads the Secret. No value of it is printed or given on a command line.
func readRing(ctx context.Context, of rotated, namespace string) (*object, ring, error) {
	secret, err := get(ctx, namespace, "secret", of.secret)
	if err != nil {
		return nil, ring{}, fmt.Errorf("read Secret %s: %w", of.secret, err)
	}
	if secret == nil {
		return nil, ring{}, fmt.Errorf("there is no Secret %s: run make secrets ENV_FILE=…", of.secret)
	}
	text, err := valueOf(secret, of.key)
	if err != nil {
		return nil, ring{}, fmt.Errorf("%w: run make secrets ENV_FILE=…", err)
	}
	var g ring
	for key := range strings.SplitSeq(text, ",") {
		g.keys = append(g.keys, strings.TrimSpace(key))
	}
	if note := secret.GetAnnotations()[rotation]; note != "" {
		step, at, _ := strings.Cut(note, " ")
		if g.at, err = time.Parse(time.RFC3339, at); err != nil {
			return nil, ring{}, fmt.Errorf("the annotation %s of Secret %s is %q, not a step and an instant", rotation, of.secret, note)
		}
		g.step = step
	}
	return secret, g, nil
}

// writeRing changes the key and the note and nothing else.
func writeRing(ctx context.Context, of rotated, secret *object, g ring) error {
	return patchSecret(ctx, secret, of.key, strings.Join(g.keys, ","), map[string]any{rotation: g.note()})
}

// valueOf returns a value of a Secret.
func valueOf(secret *object, key string) (string, error) {
	encoded, _, _ := unstructured.NestedString(secret.Object, "data", key)
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(text) == 0 {
		return "", fmt.Errorf("there is no %s in Secret %s", key, secret.GetName())
	}
	return string(text), nil
}

// patchSecret changes a key and annotations, if the Secret is still the one that was read.
func patchSecret(ctx context.Context, secret *object, key, value string, annotations map[string]any) error {
	metadata := map[string]any{"resourceVersion": secret.GetResourceVersion()}
	if annotations != nil {
		metadata["annotations"] = annotations
	}
	patch, err := encode([]*object{{Object: map[string]any{
		"metadata": metadata,
		"data":     map[string]any{key: base64.StdEncoding.EncodeToString([]byte(value))},
	}}})
	if err != nil {
		return err
	}
	// On standard input: an argument could be read by whoever lists processes.
	if _, err := kubectl(ctx, patch, "patch", "secret", secret.GetName(), "--namespace", secret.GetNamespace(), "--type", "merge", "--patch-file", "/dev/stdin"); err != nil {
		return fmt.Errorf("write Secret %s: %w", secret.GetName(), err)
	}
	return nil
}
