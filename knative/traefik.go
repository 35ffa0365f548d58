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

// A middleware is a Traefik Middleware, as far as we use it.
type middleware struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Headers struct {
			CustomRequestHeaders  map[string]string `json:"customRequestHeaders"`
			CustomResponseHeaders map[string]string `json:"customResponseHeaders"`
			STSSeconds            int               `json:"stsSeconds"`
			STSIncludeSubdomains  bool              `json:"stsIncludeSubdomains"`
			ContentTypeNosniff    bool              `json:"contentTypeNosniff"`
			FrameDeny             bool              `json:"frameDeny"`
			ReferrerPolicy        string            `json:"referrerPolicy"`
			PermissionsPolicy     string            `json:"permissionsPolicy"`
		} `json:"headers"`
		RateLimit struct {
			Average         int `json:"average"` // requests a second
			Burst           int `json:"burst"`
			SourceCriterion struct {
				IPStrategy struct {
					Depth      int `json:"depth"`
					IPv6Subnet int `json:"ipv6Subnet"`
				} `json:"ipStrategy"`
			} `json:"sourceCriterion"`
		} `json:"rateLimit"`
		Buffering struct {
			MaxRequestBodyBytes  int `json:"maxRequestBodyBytes"`
			MemRequestBodyBytes  int `json:"memRequestBodyBytes"`
			MemResponseBodyBytes int `json:"memResponseBodyBytes"`
		} `json:"buffering"`
	} `json:"spec"`
}

// apiHost is what phones call; each path leads to its function.
const apiHost = "api.myhoneydue.com"

// hostOf returns the public host that is a function's as a whole, empty when it has none.
func hostOf(function string) string {
	switch function {
	case "admin":
		return "admin.myhoneydue.com"
	case "site":
		return "myhoneydue.com"
	}
	return ""
}

var (
	hostRule = regexp.MustCompile("^Host\\(`([^`]+)`\\)$")

	// A path and everything below it, as one rule: /api/tasks, /api/tasks/ and /api/tasks/7, not /api/tasks-7.
	pathRule = regexp.MustCompile("^Host\\(`([^`]+)`\\) && \\(Path\\(`(/[^`]*[^`/])`\\) \\|\\| PathPrefix\\(`(/[^`]+)/`\\)\\)$")
)

// target returns what the rule of a function's route stands for: a path of the API without a last slash, or a whole host.
func (r route) target(function string) (host, path string, err error) {
	if m := hostRule.FindStringSubmatch(r.Match); len(m) > 0 {
		if m[1] != hostOf(function) {
			return "", "", fmt.Errorf("match %q: host is not that of %s", r.Match, function)
		}
		return m[1], "", nil
	}
	m := pathRule.FindStringSubmatch(r.Match)
	if len(m) == 0 || m[2] != m[3] {
		return "", "", fmt.Errorf("match %q is neither of the form Host(`h`) nor Host(`h`) && (Path(`/p`) || PathPrefix(`/p/`))", r.Match)
	}
	if m[1] != apiHost {
		return "", "", fmt.Errorf("match %q: host is not %s", r.Match, apiHost)
	}
	return m[1], m[2], nil
}
