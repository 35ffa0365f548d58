// Package knative holds the manifests of everything that runs, and reads them strictly: a key that nothing
// knows, a key that stands twice and a reference to what is not there are errors, not surprises in a cluster.
package knative

import (
	"embed"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

//go:embed */*.yaml
var files embed.FS

// Read loads the manifests that this program was built with.
func Read() (*Manifests, error) { return Load(files) }

// Manifests is everything that runs in the one namespace, checked against each other.
type Manifests struct {
	Namespace string
	Broker    Broker
	Functions []Function   // by name
	Schedules []PingSource // by name
	Migrate   Job
}

// A Function is one Knative Service with what leads to it. Its durations and counts are those of its manifest.
type Function struct {
	Name        string
	Package     string // Go import path of the program
	Host        string // the Host header under which a cluster finds it
	Env         []corev1.EnvVar
	Concurrency int           // requests at once in one process
	Timeout     time.Duration // of one request
	Idle        time.Duration // how long without a request before the last process is stopped
	MinScale    int           // processes that stay when idle
	MaxScale    int

	// Paths are its public paths without a last slash: each stands for itself and all that follows its slash.
	// Empty for a function that only events reach.
	Paths    []string
	Hosts    []string // public hosts that are the function's as a whole
	Triggers []Trigger
	Service  *servingv1.Service
}

// A Job is a program that runs once, to the end, before a rollout.
type Job struct {
	Name    string
	Package string // Go import path of the program
	Env     []corev1.EnvVar
	Job     *batchv1.Job
}
