package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/honeydue/backend/shared/bucket"
)

// A dumped is a dump in the bucket.
type dumped struct {
	name  string
	at    time.Time
	size  int64
	whole bool // its list is there as well
}

// each calls do with all objects whose keys begin with prefix.
func each(ctx context.Context, store *bucket.Bucket, prefix string, do func(bucket.Object)) error {
	const most = 1000
	for after := ""; ; {
		page, err := store.List(ctx, prefix, after, most)
		if err != nil {
			return err
		}
		for _, object := range page {
			do(object)
			after = object.Key
		}
		if len(page) < most {
			return nil
		}
	}
}

// dumps returns those that there are, the newest first.
func dumps(ctx context.Context, store *bucket.Bucket) ([]dumped, error) {
	var found []dumped
	whole := map[string]bool{}
	err := each(ctx, store, folder, func(object bucket.Object) {
		name := strings.TrimPrefix(object.Key, folder)
		if begin, ok := strings.CutSuffix(name, listSuffix); ok {
			whole[begin] = true
		}
		begin, ok := strings.CutSuffix(name, dumpSuffix)
		if at, err := time.Parse(nameStyle, begin); ok && err == nil {
			found = append(found, dumped{name: begin, at: at, size: object.Size})
		}
	})
	if err != nil {
		return nil, err
	}
	for i := range found {
		found[i].whole = whole[found[i].name]
	}
	slices.SortFunc(found, func(a, b dumped) int { return b.at.Compare(a.at) })
	return found, nil
}

// list prints the dumps, the newest first.
func list(ctx context.Context, cfg config, store *bucket.Bucket, out io.Writer) error {
	found, err := dumps(ctx, store)
	if err != nil {
		return err
	}
	fresh := false
	for _, d := range found {
		state := "whole"
		if !d.whole {
			state = "not whole: its list is missing"
		} else if time.Since(d.at) <= cfg.Fresh {
			fresh = true
		}
		if _, err := fmt.Fprintf(out, "%s  %8.1f MiB  %s\n", d.name, float64(d.size)/(1<<20), state); err != nil {
			return err
		}
	}
	if !fresh {
		return fmt.Errorf("%w: none within %s", errStale, cfg.Fresh)
	}
	return nil
}
