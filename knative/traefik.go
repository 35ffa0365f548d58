package knative

import (
	"fmt"
	"regexp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

type ingressRoute struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		EntryPoints []string  `json:"entryPoints"`
		Routes      []route   `json:"routes"`
		TLS         *struct{} `json:"tls,omitempty"`
	} `json:"spec"`
}

type route struct {
	Kind        string      `json:"kind"`
	Match       string      `json:"match"`
	Middlewares []reference `json:"middlewares"`
	Services    []struct {
		reference `json:",inline"`

		Kind string `json:"kind"`
		Port int    `json:"port"`
	} `json:"services"`
}

type reference struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace,omitempty"`
}

type middleware struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Headers struct {
			CustomRequestHeaders map[string]string `json:"customRequestHeaders"`
		} `json:"headers"`
	} `json:"spec"`
}

// publicHost is the one host that has public paths.
const publicHost = "api.myhoneydue.com"

// A path and everything below it, as one rule: /api/tasks, /api/tasks/ and /api/tasks/7, not /api/tasks-7.
var matchRule = regexp.MustCompile("^Host\\(`([^`]+)`\\) && \\(Path\\(`(/[^`]*[^`/])`\\) \\|\\| PathPrefix\\(`(/[^`]+)/`\\)\\)$")

// path returns the path that the route's rule stands for, without a last slash.
func (r route) path() (string, error) {
	m := matchRule.FindStringSubmatch(r.Match)
	if len(m) == 0 || m[2] != m[3] {
		return "", fmt.Errorf("match %q is not of the form Host(`h`) && (Path(`/p`) || PathPrefix(`/p/`))", r.Match)
	}
	if m[1] != publicHost {
		return "", fmt.Errorf("match %q: host is not %s", r.Match, publicHost)
	}
	return m[2], nil
}
