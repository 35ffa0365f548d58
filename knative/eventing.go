package knative

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/honeydue/backend/knative/broker"
)

// A Broker is an eventing.knative.dev/v1 Broker, as far as we use it.
type Broker struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              BrokerSpec `json:"spec,omitzero"`
}

// BrokerSpec says what a Broker keeps its events in. Without Config that is the cluster's choice.
type BrokerSpec struct {
	Config *ConfigReference `json:"config,omitempty"`
}

// A ConfigReference names an object with settings.
type ConfigReference struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	Namespace  string `json:"namespace"`
}

// A Trigger is an eventing.knative.dev/v1 Trigger, as far as we use it.
type Trigger struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              TriggerSpec `json:"spec"`
}

// TriggerSpec says which events of a Broker go where. With Filters, Filter counts for nothing.
type TriggerSpec struct {
	Broker     string             `json:"broker"`
	Filter     AttributeFilter    `json:"filter,omitzero"`
	Filters    []broker.Filter    `json:"filters,omitempty"` // all of them must match
	Subscriber broker.Destination `json:"subscriber"`
	Delivery   *broker.Delivery   `json:"delivery,omitempty"`
}

// An AttributeFilter matches attributes exactly; an empty value matches any.
type AttributeFilter struct {
	Attributes map[string]string `json:"attributes,omitempty"`
}

// A PingSource is a sources.knative.dev/v1 PingSource: a schedule.
type PingSource struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              PingSourceSpec `json:"spec"`
}

// PingSourceSpec says when an event of type dev.knative.sources.ping is sent, and where to.
type PingSourceSpec struct {
	Schedule    string             `json:"schedule"` // five fields of cron
	Timezone    string             `json:"timezone"` // IANA name
	ContentType string             `json:"contentType,omitempty"`
	Data        string             `json:"data,omitempty"`
	Sink        broker.Destination `json:"sink"`
}
