package main

// A profile is what is known of a home and bears on what it needs. Nil is what nobody has said.
type profile struct {
	Country       *string
	ResidenceType *string
	YearBuilt     *float64
	Bathrooms     *float64
	Heating       *string
	Cooling       *string
	WaterHeater   *string
	Roof          *string
	Exterior      *string
	Flooring      *string
	Landscaping   *string
	Pool          *bool
	Sprinkler     *bool
	Septic        *bool
	Fireplace     *bool
	Garage        *bool
	Basement      *bool
	Attic         *bool
}

// profileColumns reads a profile from residence_residence under the alias r.
const profileColumns = `r.country, r.residence_type, r.year_built::float8 AS year_built, r.bathrooms::float8 AS bathrooms, r.heating, r.cooling,
    r.water_heater, r.roof, r.exterior, r.flooring, r.landscaping, r.pool, r.sprinkler, r.septic, r.fireplace, r.garage, r.basement, r.attic`

// The fields that conditions name, as the columns do.
const (
	residenceType = "residence_type"
	yearBuilt     = "year_built"
	bathrooms     = "bathrooms"
)

// flag returns a field that is a yes or a no, and false if there is no such field.
func (p profile) flag(field string) (*bool, bool) {
	switch field {
	case "pool":
		return p.Pool, true
	case "sprinkler":
		return p.Sprinkler, true
	case "septic":
		return p.Septic, true
	case "fireplace":
		return p.Fireplace, true
	case "garage":
		return p.Garage, true
	case "basement":
		return p.Basement, true
	case "attic":
		return p.Attic, true
	default:
		return nil, false
	}
}

// number returns a field that counts, and false if there is no such field.
func (p profile) number(field string) (*float64, bool) {
	switch field {
	case yearBuilt:
		return p.YearBuilt, true
	case bathrooms:
		return p.Bathrooms, true
	default:
		return nil, false
	}
}

// text returns a field that people describe in words, and false if there is no such field.
func (p profile) text(field string) (*string, bool) {
	switch field {
	case residenceType:
		return p.ResidenceType, true
	case "heating":
		return p.Heating, true
	case "cooling":
		return p.Cooling, true
	case "water_heater":
		return p.WaterHeater, true
	case "roof":
		return p.Roof, true
	case "exterior":
		return p.Exterior, true
	case "flooring":
		return p.Flooring, true
	case "landscaping":
		return p.Landscaping, true
	default:
		return nil, false
	}
}
