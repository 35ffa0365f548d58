package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// tools are what an operator's commands need.
func (p *Patient) tools(ctx context.Context) Examination {
	needed := []struct{ name, versioned, mend string }{
		{"kubectl", "version --client --output=yaml", "install kubectl of the cluster's minor version, or one beside it"},
		{"go", "version", "install Go; go.work says which"},
		{"git", "--version", "apt-get install git"},
		{"make", "--version", "apt-get install make"},
		{"jq", "--version", "apt-get install jq"},
		{"ssh", "-V", "apt-get install openssh-client"},
		{"psql", "--version", "apt-get install postgresql-client"},
	}
	var e Examination
	var found []string
	for _, tool := range needed {
		out, err := p.Run(ctx, tool.name, strings.Fields(tool.versioned)...)
		if err != nil {
			e.Findings = append(e.Findings, Finding{tool.name + " does not run: " + err.Error(), tool.mend})
			continue
		}
		has := version(string(out))
		found = append(found, tool.name+" "+has)
		if tool.name == "go" && p.Go != "" && minor(has) < minor(p.Go) {
			e.Findings = append(e.Findings, Finding{"go is " + has + ", and go.work asks for " + p.Go, tool.mend})
		}
		if tool.name != "kubectl" {
			continue
		}
		if serves, ok := p.serves(ctx); ok && max(minor(has)-serves, serves-minor(has)) > 1 {
			e.Findings = append(e.Findings, Finding{fmt.Sprintf("kubectl is %s, and the cluster 1.%d: more than one minor version apart", has, serves), tool.mend})
		}
	}
	e.Looked = strings.Join(found, ", ")
	return e
}

// serves is the minor version of the cluster, if it answers; what it is when it does not is another subject.
func (p *Patient) serves(ctx context.Context) (int, bool) {
	out, err := p.Kubectl(ctx, "get", "--raw=/version", "--request-timeout=10s")
	if err != nil {
		return 0, false
	}
	var is struct{ GitVersion string }
	if err := json.Unmarshal(out, &is); err != nil {
		return 0, false
	}
	return minor(strings.TrimPrefix(is.GitVersion, "v")), true
}

// minor is the second number of a version, 0 when there is none.
func minor(version string) int {
	parts := strings.Split(version, ".")
	if len(parts) < 2 {
		return 0
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil {
		return 0
	}
	return n
}

// version is the first word of some text that begins with a digit, or a v and one.
func version(text string) string {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\n\",:", r) }) {
		digits := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(word, "go"), "jq-"), "v")
		if len(digits) > 2 && digits[0] >= '0' && digits[0] <= '9' && strings.Contains(digits, ".") {
			return digits
		}
	}
	return ""
}

// context is which cluster all else is about.
func (p *Patient) context(ctx context.Context) Examination {
	name, err := p.Kubectl(ctx, "config", "current-context")
	if err != nil {
		return failed(err, "kubectl config get-contexts, then kubectl config use-context")
	}
	if _, err := p.Kubectl(ctx, "get", "--raw=/readyz", "--request-timeout=10s"); err != nil {
		return failed(fmt.Errorf("%s is not ready: %w", strings.TrimSpace(string(name)), err), "is the tunnel open (ssh -L), and K3s running on that node?")
	}
	return Examination{Looked: strings.TrimSpace(string(name))}
}

// nodes: all there, ready, alike.
func (p *Patient) nodes(ctx context.Context) Examination {
	var all list[struct {
		Metadata meta
		Spec     struct{ Unschedulable bool }
		Status   struct {
			Conditions []condition
			NodeInfo   struct{ KubeletVersion string }
		}
	}]
	if err := p.read(ctx, &all, "nodes"); err != nil {
		return failed(err, unreachable)
	}
	var e Examination
	add := func(what, mend string) { e.Findings = append(e.Findings, Finding{what, mend}) }
	if p.Nodes > 0 && len(all.Items) != p.Nodes {
		add(fmt.Sprintf("there are %d nodes, and cluster.env has %d", len(all.Items), p.Nodes), "docs/infrastructure.md, Runbook: a node is lost")
	}
	for _, n := range all.Items {
		if ready, why := is(n.Status.Conditions, "Ready"); !ready {
			add(fmt.Sprintf("node %s is not ready: %s", n.Metadata.Name, why), "journalctl -u k3s.service there; docs/infrastructure.md, Runbook")
		}
		for _, pressure := range []string{"MemoryPressure", "DiskPressure", "PIDPressure"} {
			if under, why := is(n.Status.Conditions, pressure); under {
				add(fmt.Sprintf("node %s has %s: %s", n.Metadata.Name, pressure, why), "kubectl describe node "+n.Metadata.Name+"; kubectl top pods -A")
			}
		}
		if n.Spec.Unschedulable {
			add(fmt.Sprintf("node %s takes no new pods", n.Metadata.Name), "kubectl uncordon "+n.Metadata.Name+", unless somebody works on it")
		}
		if p.Version != "" && n.Status.NodeInfo.KubeletVersion != p.Version {
			add(fmt.Sprintf("node %s runs %s, and pins.lock has %s", n.Metadata.Name, n.Status.NodeInfo.KubeletVersion, p.Version), "20-k3s.sh "+n.Metadata.Name+" join --upgrade, there")
		}
	}
	e.Looked = fmt.Sprintf("%d ready", len(all.Items))
	return e
}
