package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// A part is one benchmark of the page.
type part struct {
	name    string
	title   string
	command []string
	cluster bool // it needs a cluster
}

// ingress is the variable with the address of the test cluster's ingress.
const ingress = "CLUSTER_INGRESS"

// choose returns the parts of those names, or for none all that this machine can run.
func choose(only string) ([]part, error) {
	clustered := os.Getenv(ingress) != ""
	if only == "" {
		return slices.DeleteFunc(parts(), func(p part) bool { return p.cluster && !clustered }), nil
	}
	all := parts()
	var chosen []part
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(all, func(p part) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no benchmark %q", name)
		}
		if all[i].cluster && !clustered {
			return nil, fmt.Errorf("benchmark %s needs a cluster, the address of whose ingress is in %s", name, ingress)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// parts are all benchmarks, in the order of the page.
func parts() []part {
	program := func(name string) []string { return []string{"go", "run", "./tests/bench/" + name} }
	all := []part{
		{name: "limits", title: "The limits beside us", command: program("limits")},
		{name: "system", title: "Starts, sizes, round trips, boards", command: program("system")},
	}
	for _, function := range []string{"auth", "residences", "tasks", "uploads", "media", "notifications", "sweeper", "admin", "site"} {
		all = append(all, part{name: "load-" + function, title: "Load of " + function, command: []string{"go", "run", "./tests/load/" + function}})
	}
	return append(all,
		part{name: "mail", title: "From an event to the mail", command: program("mail")},
		part{name: "uploads", title: "Photos", command: program("uploads")},
		part{name: "sweep", title: "What the sweeper removes", command: program("sweep")},
		part{name: "admin", title: "The panel's lists", command: program("admin")},
		part{name: "recur", title: "Recurrence", command: []string{"go", "test", "-run=^$", "-bench=.", "-benchmem", "./shared/recur"}},
		part{name: "growth", title: "Growth", command: program("growth")},
		part{name: "soak", title: "Half an hour of everything, with kills", command: []string{"go", "run", "./tests/load/soak"}},
		part{name: "cluster", title: "On a cluster", command: program("cluster"), cluster: true},
		part{name: "idle", title: "What runs when nothing happens", command: program("idle"), cluster: true},
	)
}
