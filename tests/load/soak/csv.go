package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
)

// keep writes the samples as a table and returns where it is.
func keep(path string, samples []sample) (_ string, err error) {
	file, err := open(path)
	if err != nil {
		return "", fmt.Errorf("write samples: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return file.Name(), write(file, samples)
}

func open(path string) (*os.File, error) {
	if path == "" {
		return os.CreateTemp("", "honeydue-soak-*.csv")
	}
	return os.Create(path)
}

func write(to io.Writer, samples []sample) error {
	table := csv.NewWriter(to)
	if err := table.Write([]string{"seconds", "what", "of", "pid", "n"}); err != nil {
		return fmt.Errorf("write samples: %w", err)
	}
	for _, s := range samples {
		row := []string{strconv.FormatFloat(s.after.Seconds(), 'f', 1, 64), s.what, s.of, strconv.Itoa(s.pid), strconv.FormatFloat(s.n, 'f', 2, 64)}
		if err := table.Write(row); err != nil {
			return fmt.Errorf("write samples: %w", err)
		}
	}
	table.Flush()
	return table.Error()
}
