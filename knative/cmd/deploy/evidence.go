package main

import (
	"context"
	"strings"
)

const (
	logLines      = "20"
	functionLabel = "serving.knative.dev/service"
	// container is what Knative calls a function's own container, beside its sidecar.
	container = "user-container"
)

// evidence is what the cluster has to say about a function's new revision that does not become ready: warnings,
// and the last lines of its pods' logs, each on a line of its own, for the end of an error.
func evidence(ctx context.Context, f *object) string {
	return warnings(ctx, f.GetNamespace(), revisionOf(f)) + logTail(ctx, f.GetNamespace(), functionLabel+"="+f.GetName(), "--container", container)
}

// warnings returns what controllers could not do for an object, each thing once.
func warnings(ctx context.Context, namespace, name string) string {
	const messages = `{range .items[*]}{.reason}{": "}{.message}{"\n"}{end}`
	printed, err := tell(ctx, "get", "events", "--namespace", namespace,
		"--field-selector", "type=Warning,involvedObject.name="+name, "--output", "jsonpath="+messages)
	if err != nil {
		return ""
	}
	seen := map[string]bool{}
	var all strings.Builder
	for line := range strings.Lines(string(printed)) {
		line = strings.TrimSpace(line)
		// Two controllers that met are no reason for anything: the second one tries again.
		if line != "" && !seen[line] && !strings.Contains(line, "the object has been modified") {
			seen[line] = true
			all.WriteString("\n" + line)
		}
	}
	return all.String()
}

// logTail returns the last lines that the chosen pods wrote.
func logTail(ctx context.Context, namespace, selector string, more ...string) string {
	args := append([]string{"logs", "--namespace", namespace, "--selector", selector, "--tail", logLines, "--prefix"}, more...)
	printed, err := tell(ctx, args...)
	if said := strings.TrimSpace(string(printed)); err == nil && said != "" {
		return "\n" + said
	}
	return ""
}

// tell asks the cluster even when the time for what was waited for is over.
func tell(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceTime)
	defer cancel()
	return kubectl(ctx, nil, args...)
}
