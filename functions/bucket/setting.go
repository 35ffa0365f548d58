package main

import (
	"context"
	"fmt"
	"io"

	"github.com/honeydue/backend/shared/bucket"
)

// A setting is one of the bucket's.
type setting struct {
	name   string
	wrong  func(ctx context.Context) ([]string, error) // in what it differs from what it should be
	write  func(ctx context.Context) error             // makes it so, and keeps what others have set
	byHand string                                      // what to do where the provider refuses
}

// settle says in a line what is the case, and why in further ones, after it has made it so if apply is true. It returns the exit
// code; only a bucket that is away is an error.
func (s setting) settle(ctx context.Context, apply bool, out io.Writer) (int, error) {
	wrong, err := s.wrong(ctx)
	done := "already so"
	if err == nil && len(wrong) > 0 && apply {
		done = "applied"
		if err = s.write(ctx); err == nil {
			wrong, err = s.wrong(ctx)
		}
	}
	switch {
	case bucket.Unavailable(err):
		return notTried, err
	case err != nil:
		_, _ = fmt.Fprintf(out, "%-10s refused: %v\n%s\n", s.name, err, s.byHand)
		return differs, nil
	case len(wrong) > 0:
		_, _ = fmt.Fprintf(out, "%-10s differs\n", s.name)
		for _, line := range wrong {
			_, _ = fmt.Fprintf(out, "           %s\n", line)
		}
		return differs, nil
	}
	_, _ = fmt.Fprintf(out, "%-10s %s\n", s.name, done)
	return inOrder, nil
}
