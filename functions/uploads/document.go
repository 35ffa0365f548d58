package main

import (
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/shared/attach"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/patch"
	"github.com/honeydue/backend/shared/problem"
)

// DocumentType is what a document is, out of the list of document types.
type DocumentType string

// Schema names them all.
func (DocumentType) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Enum: []any{
		"warranty", "manual", "receipt", "invoice", "contract", "insurance", "permit", "inspection", "floor_plan", "photo", "other",
	}}
}

// DocumentDetails are what may be unknown of a document.
type DocumentDetails struct {
	Description       *string    `json:"description" required:"false" maxLength:"5000" example:"Ten years on the tank, two on the rest"`
	TaskID            *int64     `json:"task_id" required:"false" minimum:"1" doc:"A task of the home" example:"7"`
	ContractorID      *int64     `json:"contractor_id" required:"false" minimum:"1" doc:"A contractor of the home" example:"5"`
	Vendor            *string    `json:"vendor" required:"false" maxLength:"200" example:"Marsh & Daughters"`
	SerialNumber      *string    `json:"serial_number" required:"false" maxLength:"100" example:"XG-40211-7"`
	ModelNumber       *string    `json:"model_number" required:"false" maxLength:"100" example:"XG40T06"`
	PurchaseDate      *date.Date `json:"purchase_date" required:"false" format:"date" example:"2025-04-12"`
	PurchasePrice     *string    `json:"purchase_price" required:"false" maxLength:"13" pattern:"^\\d{1,10}(\\.\\d{1,2})?$" patternDescription:"amount such as 129.90" example:"849.00"`
	WarrantyExpiresOn *date.Date `json:"warranty_expires_on" required:"false" format:"date" doc:"The last day of the warranty" example:"2035-04-12"`
}

// DocumentFields are what people write of a document.
type DocumentFields struct {
	Title        string       `json:"title" minLength:"1" maxLength:"200" example:"Water heater warranty"`
	DocumentType DocumentType `json:"document_type" example:"warranty"`
	DocumentDetails
}

// NewDocument is a document with the home that keeps it, and its files.
type NewDocument struct {
	ResidenceID int64 `json:"residence_id" minimum:"1" doc:"Stays what it is" example:"3"`
	DocumentFields
	UploadIDs []int64 `json:"upload_ids,omitempty" nullable:"true" maxItems:"10" doc:"Of the categories document_image and document_file" example:"[88, 89]"`
}

// DocumentChange is what a PATCH may say.
type DocumentChange struct {
	Title             patch.Field[string]       `json:"title,omitempty" nullable:"false" minLength:"1" maxLength:"200" example:"Water heater warranty"`
	DocumentType      patch.Field[DocumentType] `json:"document_type,omitempty" nullable:"false" example:"warranty"`
	Description       patch.Field[string]       `json:"description,omitempty" maxLength:"5000" example:"Ten years on the tank, two on the rest"`
	TaskID            patch.Field[int64]        `json:"task_id,omitempty" minimum:"1" doc:"A task of the home" example:"7"`
	ContractorID      patch.Field[int64]        `json:"contractor_id,omitempty" minimum:"1" doc:"A contractor of the home" example:"5"`
	Vendor            patch.Field[string]       `json:"vendor,omitempty" maxLength:"200" example:"Marsh & Daughters"`
	SerialNumber      patch.Field[string]       `json:"serial_number,omitempty" maxLength:"100" example:"XG-40211-7"`
	ModelNumber       patch.Field[string]       `json:"model_number,omitempty" maxLength:"100" example:"XG40T06"`
	PurchaseDate      patch.Field[date.Date]    `json:"purchase_date,omitempty" format:"date" example:"2025-04-12"`
	PurchasePrice     patch.Field[string]       `json:"purchase_price,omitempty" maxLength:"13" pattern:"^\\d{1,10}(\\.\\d{1,2})?$" patternDescription:"amount such as 129.90" example:"849.00"`
	WarrantyExpiresOn patch.Field[date.Date]    `json:"warranty_expires_on,omitempty" format:"date" doc:"The last day of the warranty" example:"2035-04-12"`
	UploadIDs         []int64                   `json:"upload_ids,omitempty" nullable:"true" maxItems:"10" doc:"Files to add, of the categories document_image and document_file" example:"[90]"`
}

// A Document is what a home keeps of a paper or a thing, as each of its members sees it.
type Document struct {
	ID          int64 `json:"id" example:"31"`
	ResidenceID int64 `json:"residence_id" example:"3"`
	DocumentFields
	Files       []attach.File `json:"files" nullable:"false" doc:"At most 50, under /api/media/"`
	CreatedByID *int64        `json:"created_by_id" doc:"Null once that account is gone" example:"12"`
	CreatedAt   time.Time     `json:"created_at" example:"2026-03-10T11:00:00Z"`
	UpdatedAt   time.Time     `json:"updated_at" example:"2026-03-10T11:00:00Z"`
}

// apply changes what was sent. It refuses to clear what always has a value.
func (c DocumentChange) apply(f *DocumentFields) error {
	if c.Title.Sent && c.Title.Value == nil {
		return problem.Invalid("body.title", "expected a title")
	}
	if c.DocumentType.Sent && c.DocumentType.Value == nil {
		return problem.Invalid("body.document_type", "expected a type")
	}
	patch.Apply(c.Title.Value, &f.Title)
	patch.Apply(c.DocumentType.Value, &f.DocumentType)
	c.Description.Apply(&f.Description)
	c.TaskID.Apply(&f.TaskID)
	c.ContractorID.Apply(&f.ContractorID)
	c.Vendor.Apply(&f.Vendor)
	c.SerialNumber.Apply(&f.SerialNumber)
	c.ModelNumber.Apply(&f.ModelNumber)
	c.PurchaseDate.Apply(&f.PurchaseDate)
	c.PurchasePrice.Apply(&f.PurchasePrice)
	c.WarrantyExpiresOn.Apply(&f.WarrantyExpiresOn)
	return nil
}

// tidy trims what was typed; a detail of nothing but space is none. It refuses a blank title.
func (f *DocumentFields) tidy() error {
	if f.Title = strings.TrimSpace(f.Title); f.Title == "" {
		return problem.Invalid("body.title", "expected a title that is not blank")
	}
	for _, text := range []**string{&f.Description, &f.Vendor, &f.SerialNumber, &f.ModelNumber} {
		if *text == nil {
			continue
		}
		trimmed := strings.TrimSpace(**text)
		*text = &trimmed
		if trimmed == "" {
			*text = nil
		}
	}
	return nil
}
