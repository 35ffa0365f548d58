package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// File is the variable with the name of the file to which a benchmark appends, a JSON value a line, what the page about performance
// says of it besides its tables. Without it nothing is kept.
const File = "HONEYDUE_BENCH_RECORD"

// A Record is a goal, a point of a plot, or, as the last one, that the benchmark told everything.
type Record struct {
	Goal  *Goal  `json:"goal,omitempty"`
	Point *Point `json:"point,omitempty"`
	Whole bool   `json:"whole,omitempty"`
}

// A Goal is what is measured beside something else in the same run.
type Goal struct {
	What     string `json:"what"`
	Beside   string `json:"beside"`
	Measured string `json:"measured"`
	Target   string `json:"target"`
	Met      bool   `json:"met"`
}

// A Point belongs to a line of a plot.
type Point struct {
	Plot string  `json:"plot"`
	Line string  `json:"line"`
	X    float64 `json:"x"`
	Y    float64 `json:"y"`
}

// Reached keeps a goal and returns what a table says of it.
func Reached(g Goal) (string, error) { return Verdict(g.Met), keep(Record{Goal: &g}) }

// Whole keeps that the benchmark came to its end, whether or not a target was missed.
func Whole() error { return keep(Record{Whole: true}) }

// Plotted keeps a point.
func Plotted(p Point) error { return keep(Record{Point: &p}) }

// Read reads what was kept.
func Read(from io.Reader) (all []Record, err error) {
	for lines := json.NewDecoder(from); ; {
		var r Record
		if err := lines.Decode(&r); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("read records: %w", err)
		}
		all = append(all, r)
	}
}

func keep(r Record) error {
	path := os.Getenv(File)
	if path == "" {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keep record: %w", err)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keep record: %w", err)
	}
	if _, err := file.Write(append(line, '\n')); err != nil {
		_ = file.Close()
		return fmt.Errorf("keep record: %w", err)
	}
	return file.Close()
}
