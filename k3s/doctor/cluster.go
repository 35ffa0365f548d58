package doctor

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

const namespace = "honeydue"

type deployment struct {
	Metadata meta
	Status   struct{ Conditions []condition }
}

// knative: installed, available, and with Traefik as its gateway.
func (p *Patient) knative(ctx context.Context) Examination {
	const mend = "k3s/40-knative.sh; kubectl get pods -n "
	var e Examination
	for _, in := range []string{"knative-serving", "knative-eventing"} {
		var all list[deployment]
		if err := p.read(ctx, &all, "deployments", "--namespace="+in); err != nil {
			return failed(err, unreachable)
		}
		if len(all.Items) == 0 {
			e.Findings = append(e.Findings, Finding{"nothing runs in " + in, mend + in})
		}
		for _, d := range all.Items {
			if available, why := is(d.Status.Conditions, "Available"); !available {
				e.Findings = append(e.Findings, Finding{fmt.Sprintf("%s of %s is not available: %s", d.Metadata.Name, in, why), mend + in})
			}
		}
	}
	var network struct{ Data map[string]string }
	if err := p.read(ctx, &network, "configmap", "config-network", "--namespace=knative-serving", "--ignore-not-found"); err == nil {
		const class = "traefik.ingress.networking.knative.dev"
		if has := network.Data["ingress-class"]; has != class {
			e.Findings = append(e.Findings, Finding{fmt.Sprintf("Knative's ingress-class is %q, not %s: no function is reached", has, class), "k3s/40-knative.sh"})
		}
	}
	e.Looked = "Serving and Eventing are available, Traefik is the gateway"
	return e
}

// named is an object with conditions.
type named struct {
	Metadata meta
	Status   struct{ Conditions []condition }
}

// unready are the objects of a kind that are not Ready.
func (p *Patient) unready(ctx context.Context, kind, mend string) (seen int, found []Finding, err error) {
	var all list[named]
	if err := p.read(ctx, &all, kind, "--namespace="+namespace); err != nil {
		return 0, nil, err
	}
	for _, o := range all.Items {
		if ready, why := is(o.Status.Conditions, "Ready"); !ready {
			found = append(found, Finding{fmt.Sprintf("%s is not ready: %s", o.Metadata.Name, why), strings.ReplaceAll(mend, "NAME", o.Metadata.Name)})
		}
	}
	return len(all.Items), found, nil
}

func (p *Patient) broker(ctx context.Context) Examination {
	brokers, wrong, err := p.unready(ctx, "brokers.eventing.knative.dev", "kubectl describe broker NAME -n honeydue; docs/failure-modes.md")
	if err != nil {
		return failed(err, unreachable)
	}
	triggers, more, err := p.unready(ctx, "triggers.eventing.knative.dev", "kubectl describe trigger NAME -n honeydue; make deploy")
	if err != nil {
		return failed(err, unreachable)
	}
	if brokers == 0 {
		return Examination{Findings: []Finding{{"there is no Broker: events wait in the outbox", "k3s/40-knative.sh, then make deploy; a cluster without Eventing has its stand-in"}}}
	}
	return Examination{Looked: fmt.Sprintf("%d, with %d Triggers", brokers, triggers), Findings: append(wrong, more...)}
}

func (p *Patient) functions(ctx context.Context) Examination {
	n, wrong, err := p.unready(ctx, "services.serving.knative.dev", "make rollback FN=NAME, then look: kubectl describe revision -n honeydue")
	if err != nil {
		return failed(err, unreachable)
	}
	if n == 0 {
		return Examination{Findings: []Finding{{"there are no functions", "make deploy"}}}
	}
	return Examination{Looked: fmt.Sprintf("%d ready", n), Findings: wrong}
}

type podTemplate struct {
	Spec struct {
		Containers []struct{ Name, Image string }
	}
}

var byDigest = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)

// images: a tag may name other bytes tomorrow.
func (p *Patient) images(ctx context.Context) Examination {
	var all list[struct {
		Metadata meta
		podTemplate
	}]
	if err := p.read(ctx, &all, "pods", "--namespace="+namespace); err != nil {
		return failed(err, unreachable)
	}
	var services list[struct {
		Metadata meta
		Spec     struct{ Template podTemplate }
	}]
	if err := p.read(ctx, &services, "services.serving.knative.dev", "--namespace="+namespace); err != nil {
		return failed(err, unreachable)
	}
	var e Examination
	seen := 0
	look := func(what, name string, pod podTemplate) {
		for _, c := range pod.Spec.Containers {
			seen++
			if !byDigest.MatchString(c.Image) {
				e.Findings = append(e.Findings, Finding{fmt.Sprintf("%s %s runs %s, which is no digest", what, name, c.Image), "make deploy puts digests in"})
			}
		}
	}
	for _, pod := range all.Items {
		look("pod", pod.Metadata.Name, pod.podTemplate)
	}
	for _, s := range services.Items {
		look("function", s.Metadata.Name, s.Spec.Template)
	}
	e.Looked = fmt.Sprintf("%d containers, all by digest", seen)
	return e
}

// podSecurity: ours is enforced, and no other namespace lets more in than it must.
func (p *Patient) podSecurity(ctx context.Context) Examination {
	const label = "pod-security.kubernetes.io/enforce"
	var all list[struct{ Metadata meta }]
	if err := p.read(ctx, &all, "namespaces"); err != nil {
		return failed(err, unreachable)
	}
	var e Examination
	found := false
	for _, n := range all.Items {
		level := n.Metadata.Labels[label]
		if n.Metadata.Name == namespace {
			found = true
			if level != "restricted" {
				e.Findings = append(e.Findings, Finding{fmt.Sprintf("namespace %s enforces %q, not restricted", namespace, level), "make deploy labels it"})
			}
		} else if level == "privileged" && n.Metadata.Name != "kube-system" {
			e.Findings = append(e.Findings, Finding{"namespace " + n.Metadata.Name + " enforces nothing (privileged)", "kubectl label --overwrite namespace " + n.Metadata.Name + " " + label + "=baseline, or say why not"})
		}
	}
	if !found {
		e.Findings = append(e.Findings, Finding{"there is no namespace " + namespace, "make deploy"})
	}
	e.Looked = "restricted is enforced"
	return e
}
