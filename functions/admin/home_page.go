package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/problem"
)

// A homeDetail is a home with what only its own page tells.
type homeDetail struct {
	homeProfile
	Members   []inhabitant `json:"members" nullable:"false" doc:"At most 50, its owner first"`
	Documents []paper      `json:"documents" nullable:"false" doc:"The newest 50"`
}

// A homeProfile is what is known of a home itself.
type homeProfile struct {
	ID            int64      `json:"id" example:"3"`
	Name          string     `json:"name" example:"Elm Street"`
	ResidenceType *string    `json:"residence_type" example:"house"`
	StreetAddress *string    `json:"street_address" example:"12 Elm Street"`
	ApartmentUnit *string    `json:"apartment_unit" example:"B"`
	City          *string    `json:"city" example:"Austin"`
	StateProvince *string    `json:"state_province" example:"TX"`
	PostalCode    *string    `json:"postal_code" example:"78701"`
	Country       *string    `json:"country" example:"USA"`
	Bedrooms      *int       `json:"bedrooms" example:"3"`
	Bathrooms     *string    `json:"bathrooms" doc:"A decimal" example:"2.5"`
	SquareFootage *int       `json:"square_footage" example:"1850"`
	LotSize       *string    `json:"lot_size" doc:"A decimal, in the unit that the person thinks in" example:"0.25"`
	YearBuilt     *int       `json:"year_built" example:"1987"`
	Description   *string    `json:"description" example:"Two floors and a shed"`
	PurchaseDate  *date.Date `json:"purchase_date" format:"date" example:"2019-06-01"`
	PurchasePrice *string    `json:"purchase_price" example:"315000.00"`
	Heating       *string    `json:"heating" example:"gas furnace"`
	Cooling       *string    `json:"cooling" example:"central air"`
	WaterHeater   *string    `json:"water_heater" example:"tankless"`
	Roof          *string    `json:"roof" example:"asphalt shingle"`
	Pool          *bool      `json:"pool" example:"false"`
	Sprinkler     *bool      `json:"sprinkler" example:"true"`
	Septic        *bool      `json:"septic" example:"false"`
	Fireplace     *bool      `json:"fireplace" example:"true"`
	Garage        *bool      `json:"garage" example:"true"`
	Basement      *bool      `json:"basement" example:"false"`
	Attic         *bool      `json:"attic" example:"true"`
	Exterior      *string    `json:"exterior" example:"brick"`
	Flooring      *string    `json:"flooring" example:"oak"`
	Landscaping   *string    `json:"landscaping" example:"lawn"`
	SharedUntil   *time.Time `json:"shared_until" doc:"Until when a code lets somebody join; null when none does" example:"2026-06-02T08:00:00Z"`
	CreatedAt     time.Time  `json:"created_at" example:"2026-06-01T08:00:00Z"`
	UpdatedAt     time.Time  `json:"updated_at" example:"2026-06-01T08:00:00Z"`
}

// An inhabitant is who belongs to a home.
type inhabitant struct {
	PersonID int64     `json:"person_id" example:"7"`
	Email    string    `json:"email" example:"ann@example.com"`
	Role     home.Role `json:"role" enum:"owner,member,viewer" example:"owner"`
	JoinedAt time.Time `json:"joined_at" example:"2026-06-01T08:00:00Z"`
}

// A paper is a document of a home.
type paper struct {
	ID                int64      `json:"id" example:"31"`
	Title             string     `json:"title" example:"Water heater warranty"`
	DocumentType      string     `json:"document_type" example:"warranty"`
	WarrantyExpiresOn *date.Date `json:"warranty_expires_on" format:"date" example:"2035-04-12"`
	CreatedAt         time.Time  `json:"created_at" example:"2026-06-01T08:00:00Z"`
}

// $1 is the home, $2 how many.
const (
	selectHome = `
SELECT h.id, h.name, h.residence_type, h.street_address, h.apartment_unit, h.city, h.state_province, h.postal_code, h.country, h.bedrooms,
    h.bathrooms::text AS bathrooms, h.square_footage, h.lot_size::text AS lot_size, h.year_built, h.description, h.purchase_date,
    h.purchase_price::text AS purchase_price, h.heating, h.cooling, h.water_heater, h.roof, h.pool, h.sprinkler, h.septic, h.fireplace,
    h.garage, h.basement, h.attic, h.exterior, h.flooring, h.landscaping, h.created_at, h.updated_at,
    (SELECT c.expires_at FROM residence_share_code c WHERE c.residence_id = h.id AND c.expires_at > now()) AS shared_until
FROM residence_residence h WHERE h.id = $1`

	selectMembersOf = `
SELECT m.user_id AS person_id, u.email, m.role, m.joined_at
FROM residence_member m JOIN auth_user u ON u.id = m.user_id
WHERE m.residence_id = $1 ORDER BY m.role <> 'owner', m.joined_at, m.user_id LIMIT $2`

	selectDocumentsOf = `
SELECT id, title, document_type, warranty_expires_on, created_at FROM upload_document WHERE residence_id = $1 ORDER BY id DESC LIMIT $2`
)

func (s *service) loadHome(ctx context.Context, text string) (homeDetail, error) {
	id, err := idOf(text)
	if err != nil {
		return homeDetail{}, err
	}
	var found homeDetail
	batch := &pgx.Batch{}
	batch.Queue(selectHome, id).Query(oneInto(&found.homeProfile))
	batch.Queue(selectMembersOf, id, partRows).Query(into(&found.Members))
	batch.Queue(selectDocumentsOf, id, partRows).Query(into(&found.Documents))
	err = s.DB.SendBatch(ctx, batch)
	if errors.Is(err, pgx.ErrNoRows) {
		return homeDetail{}, problem.NotFound()
	}
	if err != nil {
		return homeDetail{}, fmt.Errorf("look up home %d: %w", id, err)
	}
	return found, nil
}

func (s *service) viewHome(ctx context.Context, h homeDetail) (view, error) {
	parts, err := s.partsOf(ctx, homes, h.ID, tasks, uploads)
	if err != nil {
		return view{}, fmt.Errorf("look up parts of home %d: %w", h.ID, err)
	}
	members := partWith("Members", h.Members,
		column[inhabitant]{"Person", func(i inhabitant) cell { return linked(people, &i.PersonID, i.Email) }},
		column[inhabitant]{"Role", func(i inhabitant) cell { return text(string(i.Role)) }},
		column[inhabitant]{"Joined", func(i inhabitant) cell { return instant(&i.JoinedAt) }},
	)
	documents := partWith("Documents", h.Documents,
		column[paper]{"Title", func(d paper) cell { return text(d.Title) }},
		column[paper]{"Type", func(d paper) cell { return text(d.DocumentType) }},
		column[paper]{"Warranty ends", func(d paper) cell { return day(d.WarrantyExpiresOn) }},
		column[paper]{"Added", func(d paper) cell { return instant(&d.CreatedAt) }},
	)
	return view{Title: h.Name, Facts: h.facts(), Parts: append([]part{members}, append(parts, documents)...)}, nil
}

// facts are the lines of the home's page; what nobody said of a home has none, but for where it is.
func (h homeDetail) facts() []fact {
	facts := []fact{
		{"Id", number(h.ID)},
		{"Since", instant(&h.CreatedAt)},
		{"Changed", instant(&h.UpdatedAt)},
		{"Members", counts(len(h.Members))},
		{"Open to join until", instant(h.SharedUntil)},
		{"Street", optional(h.StreetAddress)},
		{"Apartment", optional(h.ApartmentUnit)},
		{"City", optional(h.City)},
		{"State or province", optional(h.StateProvince)},
		{"Postal code", optional(h.PostalCode)},
		{"Country", optional(h.Country)},
	}
	for _, f := range []fact{
		{"Type", optional(h.ResidenceType)},
		{"Bedrooms", whole(h.Bedrooms)},
		{"Bathrooms", optional(h.Bathrooms)},
		{"Square footage", whole(h.SquareFootage)},
		{"Lot", optional(h.LotSize)},
		{"Built", whole(h.YearBuilt)},
		{"Bought", day(h.PurchaseDate)},
		{"For", optional(h.PurchasePrice)},
		{"Heating", optional(h.Heating)},
		{"Cooling", optional(h.Cooling)},
		{"Water heater", optional(h.WaterHeater)},
		{"Roof", optional(h.Roof)},
		{"Pool", yes(h.Pool)},
		{"Sprinkler", yes(h.Sprinkler)},
		{"Septic tank", yes(h.Septic)},
		{"Fireplace", yes(h.Fireplace)},
		{"Garage", yes(h.Garage)},
		{"Basement", yes(h.Basement)},
		{"Attic", yes(h.Attic)},
		{"Exterior", optional(h.Exterior)},
		{"Flooring", optional(h.Flooring)},
		{"Landscaping", optional(h.Landscaping)},
		{"Description", optional(h.Description)},
	} {
		if f.Cell != (cell{}) {
			facts = append(facts, f)
		}
	}
	return facts
}

// whole is a number, or nothing.
func whole(n *int) cell {
	if n == nil {
		return cell{}
	}
	return text(strconv.Itoa(*n))
}

// day is a date, or nothing.
func day(on *date.Date) cell {
	if on == nil {
		return cell{}
	}
	return text(on.String())
}
