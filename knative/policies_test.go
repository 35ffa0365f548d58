package knative

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// What a pod may reach is what its environment has an address of.
func TestPodsReachWhatTheyNeed(t *testing.T) {
	t.Parallel()
	m, err := Read()
	require.NoError(t, err)
	reach := map[string]string{
		"DATABASE_URL": "postgres", "REDIS_URL": "redis", "K_SINK": "broker", "SMTP_URL": "smtp", "S3_ENDPOINT": "s3",
		"APNS_URL": "push", "FCM_URL": "push",
		"OTEL_EXPORTER_OTLP_ENDPOINT": "telemetry", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "telemetry",
	}
	check := func(name string, labels map[string]string, env []corev1.EnvVar) {
		want, got := map[string]string{}, map[string]string{}
		for _, e := range env {
			if to, ok := reach[e.Name]; ok {
				want["honeydue.reach/"+to] = "yes"
			}
		}
		for label, value := range labels {
			if strings.HasPrefix(label, "honeydue.reach/") {
				got[label] = value
			}
		}
		require.Equal(t, want, got, name)
	}
	for _, f := range m.Functions {
		check(f.Name, f.Service.Spec.Template.Labels, f.Env)
	}
	check(m.Migrate.Name, m.Migrate.Job.Spec.Template.Labels, m.Migrate.Env)
	for _, overlay := range overlays(t) {
		policies := map[string]bool{}
		for _, p := range render(t, overlay).policies {
			policies[p.T.Name] = true
			for label := range p.T.Spec.PodSelector.MatchLabels {
				require.Equal(t, p.T.Name, "to-"+strings.TrimPrefix(label, "honeydue.reach/"))
			}
			for _, rule := range p.T.Spec.Egress {
				require.NotEmpty(t, rule.To, "%s of %s leads everywhere", p.T.Name, overlay)
			}
		}
		for _, to := range reach {
			require.True(t, policies["to-"+to], to)
		}
		require.True(t, policies["deny-all"])
	}
}

// An endpoint is a pod, or without a namespace an address outside of the cluster.
type endpoint struct {
	namespace string
	labels    labels.Set
	address   netip.Addr
}

func pod(namespace string, labels labels.Set) endpoint {
	return endpoint{namespace, labels, netip.MustParseAddr("10.42.0.7")}
}

func host(address string) endpoint { return endpoint{address: netip.MustParseAddr(address)} }

type port struct {
	protocol corev1.Protocol
	number   int32
}

func tcp(number int32) port { return port{corev1.ProtocolTCP, number} }
func udp(number int32) port { return port{corev1.ProtocolUDP, number} }

// A rule is what one of ingress and one of egress have in common.
type rule struct {
	peers []networkingv1.NetworkPolicyPeer
	ports []networkingv1.NetworkPolicyPort
}

// allows says whether a pod may connect to a peer (Egress) or accept its connection (Ingress), as Kubernetes decides
// it: everything is allowed until a policy selects the pod for the direction, then only what a rule of one allows.
// Policies must say their types, and ports by number.
func allows(policies []object[networkingv1.NetworkPolicy], direction networkingv1.PolicyType, of, peer endpoint, at port) bool {
	selected, rules := false, []rule{}
	for _, p := range policies {
		spec := p.T.Spec
		if p.T.Namespace != of.namespace || !slices.Contains(spec.PolicyTypes, direction) || !selects(&spec.PodSelector, of.labels) {
			continue
		}
		selected = true
		if direction == networkingv1.PolicyTypeIngress {
			for _, in := range spec.Ingress {
				rules = append(rules, rule{in.From, in.Ports})
			}
		} else {
			for _, out := range spec.Egress {
				rules = append(rules, rule{out.To, out.Ports})
			}
		}
	}
	return !selected || slices.ContainsFunc(rules, func(r rule) bool { return r.hasPeer(of.namespace, peer) && r.hasPort(at) })
}

// hasPeer reads a rule of a namespace's policy. One without peers is for all of them.
func (r rule) hasPeer(namespace string, e endpoint) bool {
	return len(r.peers) == 0 || slices.ContainsFunc(r.peers, func(p networkingv1.NetworkPolicyPeer) bool {
		if p.IPBlock != nil {
			return within(p.IPBlock.CIDR, e) && !slices.ContainsFunc(p.IPBlock.Except, func(cidr string) bool { return within(cidr, e) })
		}
		sameNamespace := e.namespace == namespace
		if p.NamespaceSelector != nil {
			sameNamespace = selects(p.NamespaceSelector, labels.Set{corev1.LabelMetadataName: e.namespace})
		}
		return e.namespace != "" && sameNamespace && (p.PodSelector == nil || selects(p.PodSelector, e.labels))
	})
}

// hasPort reports whether a port is one of the rule's. A rule without ports is for all of them.
func (r rule) hasPort(at port) bool {
	return len(r.ports) == 0 || slices.ContainsFunc(r.ports, func(p networkingv1.NetworkPolicyPort) bool {
		if or(p.Protocol, corev1.ProtocolTCP) != at.protocol {
			return false
		}
		first := or(p.Port, intstr.IntOrString{}).IntVal
		return p.Port == nil || first <= at.number && at.number <= or(p.EndPort, first)
	})
}

func within(cidr string, e endpoint) bool { return netip.MustParsePrefix(cidr).Contains(e.address) }

func selects(selector *metav1.LabelSelector, set labels.Set) bool {
	s, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && s.Matches(set)
}

// or returns what p points to, or what counts without it.
func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

func requireNumbers(t *testing.T, ports []networkingv1.NetworkPolicyPort) {
	t.Helper()
	for _, p := range ports {
		require.Equal(t, intstr.Int, or(p.Port, intstr.IntOrString{}).Type)
	}
}

// Every flow is allowed to those pods that need it, and to them alone.
func TestFlows(t *testing.T) {
	t.Parallel()
	m, err := Read()
	require.NoError(t, err)
	var nobody, functions, everybody []string
	having := map[string][]string{} // who has a variable in its environment
	for _, f := range m.Functions {
		functions = append(functions, f.Name)
		for _, e := range f.Env {
			having[e.Name] = append(having[e.Name], f.Name)
		}
	}
	everybody = append(slices.Clone(functions), m.Migrate.Name)
	for _, e := range m.Migrate.Env {
		having[e.Name] = append(having[e.Name], m.Migrate.Name)
	}
	type flow struct {
		what string
		peer endpoint
		at   port
		who  []string
	}
	const ingress, egress = networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress
	var (
		activator  = pod("knative-serving", labels.Set{"app": "activator"})
		autoscaler = pod("knative-serving", labels.Set{"app": "autoscaler"})
		stranger   = pod("default", labels.Set{"app": "activator"})
		neighbour  = pod("honeydue", labels.Set{"serving.knative.dev/service": "neighbour"})
		names      = pod("kube-system", labels.Set{"k8s-app": "kube-dns"})
		broker     = pod("knative-eventing", labels.Set{"app": "broker-ingress"})
		redis      = pod("redis", labels.Set{"app": "redis"})
		collector  = pod("observability", labels.Set{"app": "collector"})
		internet   = host("3.64.1.2")
		machine    = host("10.250.0.1") // where the servers of the test cluster run
	)
	everywhere := map[networkingv1.PolicyType][]flow{
		ingress: {
			{"requests from the activator", activator, tcp(8012), functions},
			{"HTTP/2 from the activator", activator, tcp(8013), functions},
			{"the autoscaler's figures", autoscaler, tcp(9090), functions},
			{"the program past its sidecar", activator, tcp(8080), nobody},
			{"requests from another namespace", stranger, tcp(8012), nobody},
			{"requests from a neighbour", neighbour, tcp(8012), nobody},
			{"requests from a node", host("10.0.0.5"), tcp(8012), nobody},
			{"requests from the internet", internet, tcp(8012), nobody},
		},
		egress: {
			{"names", names, udp(53), everybody},
			{"long names", names, tcp(53), everybody},
			{"names of another's", pod("default", names.labels), udp(53), nobody},
			{"another pod of kube-system", pod("kube-system", labels.Set{"k8s-app": "metrics"}), udp(53), nobody},
			{"another port of the name servers", names, tcp(9153), nobody},
			{"names of the internet", internet, udp(53), nobody},
			{"events", broker, tcp(8080), having["K_SINK"]},
			{"another port of Eventing", broker, tcp(9090), nobody},
			{"a neighbour", neighbour, tcp(8012), nobody},
			{"another namespace", stranger, tcp(8080), nobody},
			{"PostgreSQL in the nodes' network", host("10.0.0.5"), tcp(5432), nobody},
			{"the Kubernetes API", host("10.43.0.1"), tcp(443), nobody},
			{"the Kubernetes API on a node", host("10.0.0.5"), tcp(6443), nobody},
			{"the cloud's metadata", host("169.254.169.254"), tcp(80), nobody},
			{"PostgreSQL at the metadata's address", host("169.254.169.254"), tcp(5432), nobody},
			{"the web by IPv6", host("2606:4700::1111"), tcp(443), nobody},
			{"mail to anybody", internet, tcp(25), nobody},
		},
	}
	particular := map[string][]flow{
		"production": {
			{"PostgreSQL", internet, tcp(5432), having["DATABASE_URL"]},
			{"PostgreSQL's port by UDP", internet, udp(5432), nobody},
			{"Redis", redis, tcp(6379), having["REDIS_URL"]},
			{"Redis of another", pod("default", redis.labels), tcp(6379), nobody},
			{"the bucket and push services", internet, tcp(443), slices.Concat(having["S3_ENDPOINT"], having["APNS_URL"])},
			{"the bucket without TLS", internet, tcp(80), nobody},
			{"the bucket in the nodes' network", host("10.0.0.5"), tcp(443), nobody},
			{"submission", internet, tcp(587), []string{"notifications"}},
			{"submission with TLS", internet, tcp(465), []string{"notifications"}},
			{"submission in the nodes' network", host("10.0.0.5"), tcp(587), nobody},
			{"traces", collector, tcp(4318), having["OTEL_EXPORTER_OTLP_ENDPOINT"]},
			{"metrics", collector, tcp(8428), having["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"]},
		},
		"cluster": {
			{"servers of a test run", machine, tcp(40321), having["DATABASE_URL"]},
			{"the machine's neighbour", host("10.250.0.2"), tcp(5432), nobody},
			{"PostgreSQL", internet, tcp(5432), nobody},
			{"the web", internet, tcp(443), nobody},
			{"submission", internet, tcp(587), nobody},
		},
	}
	for _, overlay := range overlays(t) {
		r := render(t, overlay)
		for _, p := range r.policies {
			require.NotEmpty(t, p.T.Spec.PolicyTypes, p.T.Name)
			for _, rule := range p.T.Spec.Ingress {
				requireNumbers(t, rule.Ports)
			}
			for _, rule := range p.T.Spec.Egress {
				requireNumbers(t, rule.Ports)
			}
		}
		pods := map[string]endpoint{m.Migrate.Name: pod("honeydue", r.jobs[0].T.Spec.Template.Labels)}
		for _, s := range r.services {
			set := labels.Merge(s.T.Spec.Template.Labels, labels.Set{"serving.knative.dev/service": s.T.Name})
			pods[s.T.Name] = pod("honeydue", set)
		}
		require.Len(t, pods, len(everybody))
		require.NotEmpty(t, particular[overlay], overlay)
		check := func(direction networkingv1.PolicyType, flows []flow) {
			for _, f := range flows {
				var who []string
				for name, of := range pods {
					if allows(r.policies, direction, of, f.peer, f.at) {
						who = append(who, name)
					}
				}
				require.ElementsMatch(t, f.who, who, "%s, %s in %s", direction, f.what, overlay)
			}
		}
		check(ingress, everywhere[ingress])
		check(egress, everywhere[egress])
		check(egress, particular[overlay])
	}
}
