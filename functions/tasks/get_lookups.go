package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/honeydue/backend/shared/pg"
)

// lookups are the lists that the app offers to choose from.
type lookups struct {
	Categories     []category  `json:"categories" nullable:"false"`
	Priorities     []priority  `json:"priorities" nullable:"false"`
	Frequencies    []frequency `json:"frequencies" nullable:"false"`
	Specialties    []specialty `json:"specialties" nullable:"false"`
	ResidenceTypes []choice    `json:"residence_types" nullable:"false"`
	DocumentTypes  []choice    `json:"document_types" nullable:"false"`
}

type category struct {
	ID    int64  `json:"id" example:"11"`
	Name  string `json:"name" example:"Roof and gutters"`
	Icon  string `json:"icon" example:"umbrella"`
	Color string `json:"color" example:"#636366"`
}

type priority struct {
	ID    int64  `json:"id" example:"3"`
	Name  string `json:"name" example:"High"`
	Level int    `json:"level" doc:"Higher is more urgent" example:"3"`
	Color string `json:"color" example:"#FF9500"`
}

type frequency struct {
	ID    int64   `json:"id" example:"6"`
	Name  string  `json:"name" example:"Quarterly"`
	Every *int    `json:"every" doc:"How many units lie between two dates; null for what is done once" example:"3"`
	Unit  *string `json:"unit" doc:"day, week, month or year; null for what is done once" example:"month"`
}

type specialty struct {
	ID   int64  `json:"id" example:"14"`
	Name string `json:"name" example:"Plumber"`
	Icon string `json:"icon" example:"drop"`
}

// A choice is a value that a field takes, and how people call it.
type choice struct {
	Value string `json:"value" example:"mobile_home"`
	Name  string `json:"name" example:"Mobile home"`
}

// stored are the lists that the database holds, each as one JSON value so that they come in one round trip.
type stored struct {
	Categories  []category
	Priorities  []priority
	Frequencies []frequency
	Specialties []specialty
}

const selectLookups = `
SELECT (SELECT json_agg(json_build_object('id', id, 'name', name, 'icon', icon, 'color', color) ORDER BY id) FROM task_category) AS categories,
    (SELECT json_agg(json_build_object('id', id, 'name', name, 'level', level, 'color', color) ORDER BY level) FROM task_priority) AS priorities,
    (SELECT json_agg(json_build_object('id', id, 'name', name, 'every', every, 'unit', unit) ORDER BY id) FROM task_frequency) AS frequencies,
    (SELECT json_agg(json_build_object('id', id, 'name', name, 'icon', icon) ORDER BY id) FROM task_specialty) AS specialties`

func (s *service) getLookups(ctx context.Context, in *Conditional) (*cacheableOutput, error) {
	read, err := pg.One[stored](ctx, s.DB, selectLookups)
	if err != nil {
		return nil, fmt.Errorf("read lookups: %w", err)
	}
	return cacheable(lookups{
		Categories: read.Categories, Priorities: read.Priorities, Frequencies: read.Frequencies, Specialties: read.Specialties,
		ResidenceTypes: choices("house", "apartment", "condo", "townhouse", "duplex", "mobile_home", "cabin", "other"),
		DocumentTypes: choices("warranty", "manual", "receipt", "invoice", "contract", "insurance", "permit", "inspection",
			"floor_plan", "photo", "other"),
	}, *in, "public")
}

// choices names values as people would: mobile_home is Mobile home.
func choices(values ...string) []choice {
	named := make([]choice, len(values))
	for i, value := range values {
		words := strings.ReplaceAll(value, "_", " ")
		named[i] = choice{value, strings.ToUpper(words[:1]) + words[1:]}
	}
	return named
}
