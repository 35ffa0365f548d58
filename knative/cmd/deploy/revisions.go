package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

// revisions are those of one function, as the cluster has them.
type revisions []servingv1.Revision

func revisionsOf(ctx context.Context, namespace, function string) (revisions, error) {
	found, err := list(ctx, "revisions.serving.knative.dev", "--namespace", namespace, "--selector", functionLabel+"="+function)
	if err != nil {
		return nil, fmt.Errorf("list revisions of %s: %w", function, err)
	}
	all := make(revisions, len(found))
	for i, o := range found {
		if err := into(o, &all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// named returns the revision of this name; nil when there is none.
func (all revisions) named(name string) *servingv1.Revision {
	if at := slices.IndexFunc(all, func(r servingv1.Revision) bool { return r.Name == name }); at >= 0 {
		return &all[at]
	}
	return nil
}

// ready returns whether Knative would give traffic to the revision of this name. One that has failed once, as by a crash,
// may serve on without ever being ready again.
func (all revisions) ready(name string) bool {
	r := all.named(name)
	return r != nil && r.IsReady()
}

// requireReady refuses a revision that would be given traffic by its name and is not ready: Knative then leaves all
// traffic as it is. Instead says what to do.
func (all revisions) requireReady(name, instead string) error {
	if all.ready(name) {
		return nil
	}
	return fmt.Errorf("revision %s is not ready, and Knative gives no traffic to such a one by its name: %s", name, instead)
}

// previous returns the newest ready revision that is older than the current one.
func (all revisions) previous(current string) (string, error) {
	now := all.named(current)
	if now == nil {
		return "", errors.New("no revision has all traffic, so none is before it; look at kubectl get revisions")
	}
	var best *servingv1.Revision
	for i := range all {
		r := &all[i]
		if r.IsReady() && r.CreationTimestamp.Before(&now.CreationTimestamp) &&
			(best == nil || best.CreationTimestamp.Before(&r.CreationTimestamp)) {
			best = r
		}
	}
	if best == nil {
		return "", fmt.Errorf("there is no ready revision older than %s; deploy the older code instead", current)
	}
	return best.Name, nil
}

// freeName returns the name of the newest revision when that has the content that name was given for, and otherwise adds a
// number to a name that an older revision has: Knative would take that one up again with its old age, and whenever a
// later one fails, fall back to one that is newer than it, such as a canary that was rolled back. A newest revision that
// failed counts as an older one: Knative never tries it again, and it may serve all the same, so it stays.
func (all revisions) freeName(name, newest string) string {
	last := all.named(newest)
	if sameContent(newest, name) && (last == nil || !last.IsFailed()) {
		return newest
	}
	taken := make([]string, len(all))
	for i := range all {
		taken[i] = all[i].Name
	}
	return firstFree(name, taken)
}

// sameContent returns whether a revision has the content that name was given for; freeName may have added a number.
func sameContent(revision, name string) bool {
	return revision == name || strings.HasPrefix(revision, name+"-")
}

// firstFree returns name, or name with the first number above all that were added to it.
func firstFree(name string, taken []string) string {
	last := 0
	for _, other := range taken {
		if other == name {
			last = max(last, 1)
		}
		if n, err := strconv.Atoi(strings.TrimPrefix(other, name+"-")); err == nil && strings.HasPrefix(other, name+"-") {
			last = max(last, n)
		}
	}
	if last == 0 {
		return name
	}
	return name + "-" + strconv.Itoa(last+1)
}
