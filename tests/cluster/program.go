package cluster

import (
	"context"
	"fmt"
	"strings"
)

// Program is the program that the first container of a pod runs, as a file of this machine, which is the node.
func (c *Cluster) Program(ctx context.Context, namespace, selector string) (string, error) {
	id, err := c.Kubectl(ctx, "", "get", "pods", "-n", namespace, "-l", selector, "-o", "jsonpath={.items[0].status.containerStatuses[0].containerID}")
	if err != nil {
		return "", err
	}
	_, container, _ := strings.Cut(id, "://")
	found, err := processes(container)
	if err != nil {
		return "", fmt.Errorf("find processes: %w", err)
	}
	if len(found) == 0 {
		return "", fmt.Errorf("no pod of %s in %s runs here", selector, namespace)
	}
	return fmt.Sprintf("/proc/%d/exe", found[0]), nil
}
