package main

import (
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/honeydue/backend/shared/problem"
)

// ContractorDetails are what may be unknown of a contractor.
type ContractorDetails struct {
	Company      *string `json:"company" required:"false" maxLength:"200" example:"Marsh & Daughters"`
	Phone        *string `json:"phone" required:"false" maxLength:"50" example:"+1 512 555 0134"`
	Email        *string `json:"email" required:"false" maxLength:"254" doc:"A mail address" example:"joan@marsh.example"`
	Website      *string `json:"website" required:"false" maxLength:"500" doc:"An http or https address" example:"https://marsh.example"`
	SpecialtyIDs []int64 `json:"specialty_ids" required:"false" nullable:"false" maxItems:"50" doc:"Of the list of specialties, each once, in ascending order" example:"[9, 14]"`
	Notes        *string `json:"notes" required:"false" maxLength:"5000" example:"Knows the old boiler. Call before eight."`
	Rating       *int    `json:"rating" required:"false" minimum:"1" maximum:"5" example:"5"`
}

// ContractorFields are what people write of a contractor.
type ContractorFields struct {
	Name       string `json:"name" minLength:"1" maxLength:"200" example:"Joan Marsh"`
	IsFavorite bool   `json:"is_favorite" required:"false" example:"true"`
	ContractorDetails
}

// NewContractor is a contractor with the home that calls them.
type NewContractor struct {
	ResidenceID int64 `json:"residence_id" minimum:"1" doc:"Stays what it is" example:"7"`
	ContractorFields
}

// ContractorChange is [ContractorFields] with nothing required.
type ContractorChange struct {
	Name       *string `json:"name,omitempty" minLength:"1" maxLength:"200" example:"Joan Marsh"`
	IsFavorite *bool   `json:"is_favorite,omitempty" example:"true"`
	ContractorDetails
}

// A Contractor is someone whom a home calls, as each of its members sees them.
type Contractor struct {
	ID          int64 `json:"id" example:"5"`
	ResidenceID int64 `json:"residence_id" example:"7"`
	ContractorFields
	CreatedByID *int64    `json:"created_by_id" doc:"Null once that account is gone" example:"12"`
	CreatedAt   time.Time `json:"created_at" example:"2026-03-10T11:00:00Z"`
	UpdatedAt   time.Time `json:"updated_at" example:"2026-03-10T11:00:00Z"`
}

// tidy trims what was typed and sorts the specialties. It refuses a blank name, and addresses that cannot be written or
// browsed to.
func (f *ContractorFields) tidy() error {
	if f.Name = strings.TrimSpace(f.Name); f.Name == "" {
		return problem.Invalid("body.name", "expected a name that is not blank")
	}
	trim(&f.Company, &f.Phone, &f.Email, &f.Website, &f.Notes)
	if f.Email != nil && !isMail(*f.Email) {
		return problem.Invalid("body.email", "expected an email address such as joan@example.com")
	}
	if f.Website != nil && !isWebsite(*f.Website) {
		return problem.Invalid("body.website", "expected an http or https address")
	}
	ids := append([]int64{}, f.SpecialtyIDs...)
	slices.Sort(ids)
	f.SpecialtyIDs = slices.Compact(ids)
	return nil
}

// isMail returns whether text is a mail address and nothing more: what parses to something else had a name or a comment.
func isMail(text string) bool {
	parsed, err := mail.ParseAddress(text)
	if err != nil || parsed.Address != text {
		return false
	}
	return strings.Contains(text[strings.LastIndexByte(text, '@'):], ".")
}

// isWebsite returns whether a browser may be sent to text: to run nothing, and to sign nobody in.
func isWebsite(text string) bool {
	parsed, err := url.Parse(text)
	return err == nil && (parsed.Scheme == "http" || parsed.Scheme == "https") && parsed.Hostname() != "" && parsed.User == nil
}
