package cluster

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
)

// An Environment says which cluster, and how it and this machine reach each other.
type Environment struct {
	Kubeconfig string   // KUBECONFIG, a file
	Registry   string   // KO_DOCKER_REPO: images are pushed there, and the cluster's node pulls them
	BaseImage  string   // KO_DEFAULTBASEIMAGE
	Ingress    *url.URL // CLUSTER_INGRESS: the entry point that the outside sees
	Host       netip.Addr
}

// FromEnv reads the environment's variables; Host is CLUSTER_HOST_ADDRESS, the address of this machine that pods reach. An
// error names every variable that is missing. Since everything of ours in that cluster is deleted and made anew, the ingress
// of any other machine is refused.
func FromEnv() (Environment, error) { return read(os.Getenv) }

func read(getenv func(string) string) (Environment, error) {
	var missing []string
	required := func(name string) string {
		value := getenv(name)
		if value == "" {
			missing = append(missing, name)
		}
		return value
	}
	e := Environment{Kubeconfig: required("KUBECONFIG"), Registry: required("KO_DOCKER_REPO"), BaseImage: required("KO_DEFAULTBASEIMAGE")}
	ingress, host := required("CLUSTER_INGRESS"), required("CLUSTER_HOST_ADDRESS")
	if len(missing) > 0 {
		return e, fmt.Errorf("read environment: no %s: tests on a cluster need one on this machine", strings.Join(missing, ", "))
	}
	var err error
	if e.Host, err = netip.ParseAddr(host); err != nil {
		return e, fmt.Errorf("read CLUSTER_HOST_ADDRESS: %w", err)
	}
	if e.Ingress, err = url.Parse(ingress); err != nil || e.Ingress.Scheme != "http" || e.Ingress.Host == "" || e.Ingress.Path != "" {
		return e, errors.New("read CLUSTER_INGRESS: not of the form http://address:port")
	}
	if at, err := netip.ParseAddr(e.Ingress.Hostname()); err != nil || !at.IsLoopback() && at != e.Host {
		return e, errors.New("read CLUSTER_INGRESS: neither on loopback nor at CLUSTER_HOST_ADDRESS, so perhaps not this machine's")
	}
	return e, nil
}

// isLocal returns an error unless the address is one of this machine.
func isLocal(host netip.Addr) error {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return fmt.Errorf("list this machine's addresses: %w", err)
	}
	for _, a := range addresses {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr() == host {
			return nil
		}
	}
	return errors.New("CLUSTER_HOST_ADDRESS is no address of this machine")
}
