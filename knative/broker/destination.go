package broker

import (
	"context"
	"errors"
	"fmt"
	"net/url"
)

// Destination is where events go: what Ref names, or an absolute URI. With both, URI is a path at what Ref names.
type Destination struct {
	Ref *Ref   `json:"ref,omitempty"`
	URI string `json:"uri,omitempty"`
}

// Ref names an object that takes events: a Knative Service, a Broker, a plain Service.
type Ref struct {
	APIVersion string `json:"apiVersion,omitempty"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	Namespace  string `json:"namespace,omitempty"`
}

// Resolver finds the absolute http or https address at which a referenced object takes events now. An error
// counts as a consumer that cannot be reached: a later attempt asks again.
type Resolver func(ctx context.Context, ref Ref) (string, error)

// Validate says what is wrong with the destination, whether or not what it names exists.
func (d Destination) Validate() error {
	if d.Ref != nil {
		if d.Ref.Kind == "" || d.Ref.Name == "" {
			return errors.New("ref: wants kind and name")
		}
		if _, err := url.Parse(d.URI); err != nil {
			return fmt.Errorf("uri: %w", err)
		}
		return nil
	}
	if d.URI == "" {
		return errors.New("wants ref or uri")
	}
	_, err := absolute(d.URI)
	return err
}

// Resolve returns the address to post to; namespace is where a Ref without one looks.
func (d Destination) Resolve(ctx context.Context, resolve Resolver, namespace string) (string, error) {
	if d.Ref == nil {
		return d.URI, nil
	}
	ref := *d.Ref
	if ref.Namespace == "" {
		ref.Namespace = namespace
	}
	address, err := resolve(ctx, ref)
	if err != nil {
		return "", fmt.Errorf("resolve %s %s: %w", ref.Kind, ref.Name, err)
	}
	base, err := absolute(address)
	if err != nil {
		return "", fmt.Errorf("resolve %s %s: %w", ref.Kind, ref.Name, err)
	}
	if d.URI == "" {
		return base.String(), nil
	}
	path, err := url.Parse(d.URI)
	if err != nil {
		return "", fmt.Errorf("resolve %s %s: %w", ref.Kind, ref.Name, err)
	}
	return base.ResolveReference(path).String(), nil
}

// name is what a page calls the consumer.
func (d Destination) name() string {
	if d.Ref != nil {
		return d.Ref.Name
	}
	return d.URI
}

func absolute(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("uri: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("uri: is no absolute http address")
	}
	return u, nil
}
