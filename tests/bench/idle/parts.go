package main

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/honeydue/backend/tests/cluster/node"
)

// Groups of what runs, in the order of the tables.
const (
	functions = "functions"
	ours      = "ours, always there"
	knative   = "Knative Serving"
	ingress   = "ingress"
	control   = "control plane"
	ofNode    = "node"
	servers   = "servers of ours"
	hosted    = "hosted in production"
	scaffold  = "of the test alone"
)

var groups = [...]string{functions, ours, knative, ingress, control, ofNode, servers, hosted, scaffold}

// A part is a program of a group.
type part struct{ group, name string }

const (
	imagesOfOurs = "/ko-app" // the folder of the one program in an image that ko builds
	sidecar      = "queue-proxy"
)

// others are the programs in pods that are not ours, by their path.
var others = map[string]part{
	"/queue": {functions, sidecar}, "/pause": {ofNode, "pause, one a pod"},
	"/activator": {knative, "activator"}, "/autoscaler": {knative, "autoscaler"}, "/controller": {knative, "controller"}, "/webhook": {knative, "webhook"},
	"/traefik": {ingress, "Traefik"}, "/coredns": {control, "CoreDNS"},
}

// beside are the programs of the cluster that are in no pod. The test cluster has one process for each thing that K3s does in its one.
var beside = map[string]part{
	"kube apiserver": {control, "API server"}, "kube controller-manager": {control, "controller manager"}, "kube scheduler": {control, "scheduler"},
	"kine": {control, "kine, its store"}, "kube kubelet": {ofNode, "kubelet"}, "kube proxy": {ofNode, "kube-proxy"},
	"containerd": {ofNode, "containerd"}, "containerd-shim-runc-v2": {ofNode, "containerd's shims, one a pod"}, "runc": {ofNode, "runc"},
	"crane": {scaffold, "image registry"},
}

// partOf says what a process is. One that is no part of the system has no group.
func (b *bench) partOf(p node.Process) part {
	switch {
	case p.Container != "" && filepath.Dir(p.Path) == imagesOfOurs:
		if !slices.Contains([]string{"standby", "eventing"}, p.Program) {
			return part{functions, p.Program}
		}
		return part{ours, p.Program}
	case p.Container != "":
		return others[p.Path]
	case p.PID == os.Getpid():
		return part{scaffold, "this program: mailbox, push services, the look"}
	case p.Family(b.Redis.PID()):
		return part{servers, "Redis"}
	case p.Family(b.Postgres.PID()):
		return part{hosted, "PostgreSQL"}
	case p.Family(b.PgBouncer.PID()):
		return part{hosted, "PgBouncer"}
	case p.Family(b.S3.PID()):
		return part{hosted, "S3 server"}
	case p.Program == "kube":
		return beside[p.Program+" "+p.Argument]
	}
	return beside[p.Program]
}

// everywhere says whether each node of production has one of its own, as three K3s servers do of all but what Knative and we bring.
func (p part) everywhere() bool {
	return p.group == ingress || p.group == control && p.name != "CoreDNS" || p.group == ofNode || p.name == "standby"
}

// inProduction says whether it runs on the nodes that are paid for.
func (p part) inProduction() bool { return p.group != hosted && p.group != scaffold }
