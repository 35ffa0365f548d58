package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The key of codes and links: where it is, and what its list of keys is made of (shared/code reads it).
const (
	codesSecret = "honeydue-codes"
	codesKey    = "CODE_KEY"
	linksOf     = "links:"
	// rotation is the Secret's annotation: how far a rotation has come, and when.
	rotation = "myhoneydue.com/rotation"
)

// Steps of a rotation. A function that checks must know the new key before one that signs uses it.
const (
	stepNone  = ""
	stepKnown = "known" // the new key stands behind the old one: it is believed
	stepSigns = "signs" // it stands in front, and the old one is believed
)

// settle is how long codes of a key that signs no more may be on their way: their ten minutes, and what a restart takes.
const settle = 15 * time.Minute

// A ring is a list of keys, the one in use first, and how far its rotation has come.
type ring struct {
	keys []string
	step string
	at   time.Time
}

// next returns the ring one step on. Its error says when the step is not due.
func (g ring) next(fresh func() string, now time.Time) (ring, error) {
	keys := append([]string{}, g.keys...)
	switch g.step {
	case stepNone:
		return ring{append([]string{keys[0], fresh()}, keys[1:]...), stepKnown, now}, nil
	case stepKnown:
		if len(keys) < 2 || strings.HasPrefix(keys[1], linksOf) {
			return ring{}, errors.New("the Secret says that a new key is known, and has none: it was changed by hand; remove its annotation " + rotation + " and begin again")
		}
		keys[0], keys[1] = keys[1], keys[0]
		return ring{keys, stepSigns, now}, nil
	case stepSigns:
		if due := g.at.Add(settle); now.Before(due) {
			return ring{}, fmt.Errorf("codes of the old key may be on their way until %s; run this again then", due.UTC().Format(time.RFC3339))
		}
		if len(keys) > 1 && !strings.HasPrefix(keys[1], linksOf) {
			keys[1] = linksOf + keys[1]
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

// rotateCodeKey goes on with the rotation of the key of codes and links, or begins one: called again until it says that it is done, with
// a quarter of an hour before the last step. It may be interrupted at any moment.
func (r *rollout) rotateCodeKey(ctx context.Context, now time.Time) error {
	if err := r.prepare(ctx, ""); err != nil {
		return err
	}
	if err := r.checkCluster(ctx); err != nil {
		return err
	}
	readers, err := r.readers(codesSecret)
	if err != nil {
		return err
	}
	namespace := readers[0].GetNamespace()
	for {
		secret, present, err := readRing(ctx, namespace)
		if err != nil {
			return fmt.Errorf("rotate: %w", err)
		}
		if present.step != stepNone {
			// Whoever was interrupted may have left functions without the last step.
			if err := r.renewAll(ctx, readers); err != nil {
				return err
			}
		}
		began := present.step
		present, err = present.next(freshKey, now)
		if err != nil {
			return fmt.Errorf("rotate: %w", err)
		}
		if err := writeRing(ctx, secret, present); err != nil {
			return fmt.Errorf("rotate: %w", err)
		}
		if err := r.renewAll(ctx, readers); err != nil {
			return err
		}
		switch present.step {
		case stepKnown:
			r.say("%s know the new key", namesOf(readers))
			continue
		case stepSigns:
			r.say("the new key signs, and the old one is believed. In %s run this again: it leaves of the old one its links", settle)
		default:
			r.say("done: codes of the old key are wrong now, its links go on working (after step %q)", began)
		}
		return nil
	}
}

func freshKey() string {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	return hex.EncodeToString(key[:])
}

// readRing reads the Secret. No value of it is printed or given on a command line.
func readRing(ctx context.Context, namespace string) (*object, ring, error) {
	secret, err := get(ctx, namespace, "secret", codesSecret)
	if err != nil {
		return nil, ring{}, fmt.Errorf("read Secret %s: %w", codesSecret, err)
	}
	if secret == nil {
		return nil, ring{}, fmt.Errorf("there is no Secret %s: run make secrets ENV_FILE=…", codesSecret)
	}
	data := map[string]string{}
	if err := into(secret, &data, "data"); err != nil {
		return nil, ring{}, err
	}
	text, err := base64.StdEncoding.DecodeString(data[codesKey])
	if err != nil || len(text) == 0 {
		return nil, ring{}, fmt.Errorf("Secret %s has no %s: run make secrets ENV_FILE=…", codesSecret, codesKey)
	}
	g := ring{keys: strings.Split(string(text), ",")}
	if note := secret.GetAnnotations()[rotation]; note != "" {
		step, at, _ := strings.Cut(note, " ")
		if g.at, err = time.Parse(time.RFC3339, at); err != nil {
			return nil, ring{}, fmt.Errorf("the annotation %s of Secret %s is %q, not a step and an instant", rotation, codesSecret, note)
		}
		g.step = step
	}
	return secret, g, nil
}

// writeRing changes the key and the note and nothing else, if the Secret is still the one that was read.
func writeRing(ctx context.Context, secret *object, g ring) error {
	patch, err := encode([]*object{{Object: map[string]any{
		"metadata": map[string]any{"resourceVersion": secret.GetResourceVersion(), "annotations": map[string]any{rotation: g.note()}},
		"data":     map[string]any{codesKey: base64.StdEncoding.EncodeToString([]byte(strings.Join(g.keys, ",")))},
	}}})
	if err != nil {
		return err
	}
	// On standard input: an argument could be read by whoever lists processes.
	if _, err := kubectl(ctx, patch, "patch", "secret", codesSecret, "--namespace", secret.GetNamespace(), "--type", "merge", "--patch-file", "/dev/stdin"); err != nil {
		return fmt.Errorf("write Secret %s: %w", codesSecret, err)
	}
	return nil
}
