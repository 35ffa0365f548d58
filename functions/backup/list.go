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

// list prints the dumps, the newest first.
func list(ctx context.Context, cfg config, store *bucket.Bucket, out io.Writer) error {
	const most = 1000 // two for each day of a year and more
	sizes, whole := map[string]int64{}, map[string]bool{}
	for after := ""; ; {
		page, err := store.List(ctx, folder, after, most)
		if err != nil {
			return err
		}
		for _, object := range page {
			name := strings.TrimPrefix(object.Key, folder)
			if begin, ok := strings.CutSuffix(name, dumpSuffix); ok {
				sizes[begin] = object.Size
			}
			if begin, ok := strings.CutSuffix(name, listSuffix); ok {
				whole[begin] = true
			}
			after = object.Key
		}
		if len(page) < most {
			break
		}
	}
	var names []string
	for name := range sizes {
		names = append(names, name)
	}
	slices.Sort(names)
	fresh := false
	for _, name := range slices.Backward(names) {
		at, err := time.Parse(nameStyle, name)
		if err != nil {
			continue
		}
		state := "whole"
		if !whole[name] {
			state = "not whole: its list is missing"
		} else if time.Since(at) <= cfg.Fresh {
			fresh = true
		}
		if _, err := fmt.Fprintf(out, "%s  %8.1f MiB  %s\n", name, float64(sizes[name])/(1<<20), state); err != nil {
			return err
		}
	}
	if !fresh {
		return fmt.Errorf("%w: none within %s", errStale, cfg.Fresh)
	}
	return nil
}
