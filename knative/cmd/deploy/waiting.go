package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"knative.dev/pkg/apis"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

// waiting is what is known of functions that are not ready yet.
type waiting struct {
	condition apis.ConditionType
	functions []string
	failed    map[string]time.Time // since when
	last      map[string]string    // what the condition said
}

// see takes in a state, or none, and returns the name of the function that has become ready by it.
func (w *waiting) see(state *object, now time.Time) (ready string, err error) {
	for name, since := range w.failed {
		if now.Sub(since) >= failureGrace {
			return "", fmt.Errorf("roll out %s", name)
		}
	}
	if state == nil || !slices.Contains(w.functions, state.GetName()) {
		return "", nil
	}
	var f servingv1.Service
	if err := into(state, &f); err != nil {
		return "", err
	}
	c := f.Status.GetCondition(w.condition)
	if c == nil || f.Status.ObservedGeneration != f.Generation {
		delete(w.failed, f.Name)
		return "", nil
	}
	w.last[f.Name] = strings.TrimSpace(string(w.condition) + " is " + string(c.Status) + " " + c.Reason + " " + c.Message)
	switch {
	case c.IsTrue():
		delete(w.failed, f.Name)
		w.functions = slices.DeleteFunc(w.functions, func(name string) bool { return name == f.Name })
		return f.Name, nil
	case c.IsFalse():
		if _, already := w.failed[f.Name]; !already {
			w.failed[f.Name] = now
		}
	default:
		delete(w.failed, f.Name)
	}
	return "", nil
}

func (w *waiting) explain() string {
	var all []string
	for _, name := range w.functions {
		said := w.last[name]
		if said == "" {
			said = "nothing said yet"
		}
		all = append(all, name+": "+said)
	}
	return strings.Join(all, "; ")
}
