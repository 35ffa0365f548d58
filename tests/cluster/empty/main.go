// Command empty is a service that does nothing: what any Go program costs to wake on a cluster.
package main

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
)

func main() {
	// A server without deadlines is as small as one gets.
	err := http.ListenAndServe(":"+cmp.Or(os.Getenv("PORT"), "8080"), http.HandlerFunc(answer)) //nolint:gosec // see above
	fmt.Fprintln(os.Stderr, "empty:", err)
	os.Exit(1)
}

// answer says 200, and to an event 204.
func answer(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Ce-Type") != "" {
		w.WriteHeader(http.StatusNoContent)
	}
}
