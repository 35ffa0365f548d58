package main

import (
	"strings"
	"time"

	"github.com/honeydue/backend/shared/attach"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/problem"
)

// Details are what may be unknown of a home. Their JSON names are the columns' names.
type Details struct {
	ResidenceType *string    `json:"residence_type" required:"false" enum:"house,apartment,condo,townhouse,duplex,mobile_home,cabin,other" example:"house"`
	StreetAddress *string    `json:"street_address" required:"false" maxLength:"255" example:"12 Elm Street"`
	ApartmentUnit *string    `json:"apartment_unit" required:"false" maxLength:"50" example:"B"`
	City          *string    `json:"city" required:"false" maxLength:"100" example:"Austin"`
	StateProvince *string    `json:"state_province" required:"false" maxLength:"100" example:"TX"`
	PostalCode    *string    `json:"postal_code" required:"false" maxLength:"20" example:"78701"`
	Country       *string    `json:"country" required:"false" maxLength:"100" example:"USA"`
	Bedrooms      *int       `json:"bedrooms" required:"false" minimum:"0" maximum:"1000" example:"3"`
	Bathrooms     *float64   `json:"bathrooms" required:"false" minimum:"0" maximum:"500" multipleOf:"0.5" example:"2.5"`
	SquareFootage *int       `json:"square_footage" required:"false" minimum:"0" maximum:"100000000" example:"1850"`
	LotSize       *float64   `json:"lot_size" required:"false" minimum:"0" maximum:"100000000" doc:"In the unit that the person thinks in; two decimals are kept" example:"0.25"`
	YearBuilt     *int       `json:"year_built" required:"false" minimum:"1" maximum:"9999" example:"1987"`
	Description   *string    `json:"description" required:"false" maxLength:"5000" example:"Two floors and a shed"`
	PurchaseDate  *date.Date `json:"purchase_date" required:"false" format:"date" example:"2019-06-01"`
	PurchasePrice *string    `json:"purchase_price" required:"false" maxLength:"13" pattern:"^\\d{1,10}(\\.\\d{1,2})?$" patternDescription:"amount such as 129.90" example:"315000.00"`

	Heating     *string `json:"heating" required:"false" maxLength:"100" example:"gas furnace"`
	Cooling     *string `json:"cooling" required:"false" maxLength:"100" example:"central air"`
	WaterHeater *string `json:"water_heater" required:"false" maxLength:"100" example:"tankless"`
	Roof        *string `json:"roof" required:"false" maxLength:"100" example:"asphalt shingle"`
	Pool        *bool   `json:"pool" required:"false" example:"false"`
	Sprinkler   *bool   `json:"sprinkler" required:"false" example:"true"`
	Septic      *bool   `json:"septic" required:"false" example:"false"`
	Fireplace   *bool   `json:"fireplace" required:"false" example:"true"`
	Garage      *bool   `json:"garage" required:"false" example:"true"`
	Basement    *bool   `json:"basement" required:"false" example:"false"`
	Attic       *bool   `json:"attic" required:"false" example:"true"`
	Exterior    *string `json:"exterior" required:"false" maxLength:"100" example:"brick"`
	Flooring    *string `json:"flooring" required:"false" maxLength:"100" example:"oak"`
	Landscaping *string `json:"landscaping" required:"false" maxLength:"100" example:"lawn"`
}

// Fields are what people write of a home.
type Fields struct {
	Name      string `json:"name" minLength:"1" maxLength:"200" example:"Elm Street"`
	IsPrimary bool   `json:"is_primary" required:"false" doc:"Whether it is the main one of the homes that its owner has; at most one is" example:"true"`
	Details
}

// NewResidence is [Fields] with photos of the home.
type NewResidence struct {
	Fields
	Photos
}

// Photos are what is attached to a home.
type Photos struct {
	UploadIDs []int64 `json:"upload_ids,omitempty" required:"false" nullable:"true" maxItems:"10" doc:"Photos, each sent as a residence_image, on top of those that are there; DELETE /api/media/{id}/ takes one away" example:"[88]"`
}

// A Residence is a home as one of its members sees it.
type Residence struct {
	ID int64 `json:"id" example:"7"`
	Fields
	Images      []attach.File `json:"images" nullable:"false"`
	Role        home.Role     `json:"role" enum:"owner,member,viewer" doc:"What the caller may do here: a viewer looks, a member works, the owner administers" example:"owner"`
	CreatedByID *int64        `json:"created_by_id" doc:"Null once that account is gone" example:"12"`
	CreatedAt   time.Time     `json:"created_at" example:"2026-03-10T11:00:00Z"`
	UpdatedAt   time.Time     `json:"updated_at" example:"2026-03-10T11:00:00Z"`
}

// access is what the person may do who sees this residence.
func (r Residence) access() home.Access { return home.Access{ResidenceID: r.ID, Role: r.Role} }

// tidy trims what was typed. It refuses a blank name.
func (f *Fields) tidy() error {
	if f.Name = strings.TrimSpace(f.Name); f.Name == "" {
		return problem.Invalid("body.name", "expected a name that is not blank")
	}
	trim(&f.StreetAddress, &f.ApartmentUnit, &f.City, &f.StateProvince, &f.PostalCode, &f.Country, &f.Description,
		&f.Heating, &f.Cooling, &f.WaterHeater, &f.Roof, &f.Exterior, &f.Flooring, &f.Landscaping)
	return nil
}

// trim takes away the space around texts; a text of nothing but space is none.
func trim(texts ...**string) {
	for _, text := range texts {
		if *text == nil {
			continue
		}
		trimmed := strings.TrimSpace(**text)
		*text = &trimmed
		if trimmed == "" {
			*text = nil
		}
	}
}

// ResidenceChange is [Fields] with nothing required.
type ResidenceChange struct {
	Name      *string `json:"name,omitempty" minLength:"1" maxLength:"200" example:"Elm Street"`
	IsPrimary *bool   `json:"is_primary,omitempty" example:"true"`
	Details
	Photos
}
