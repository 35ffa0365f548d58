package main

import "time"

// A device is a phone that gets pushes. Its token is shown to nobody: who has it could be taken for that phone's app by a provider.
type device struct {
	ID           int64     `json:"id" example:"31"`
	Platform     string    `json:"platform" enum:"ios,android" example:"ios"`
	Name         *string   `json:"name" example:"Ann's iPhone"`
	AppVersion   *string   `json:"app_version" example:"2.4.1"`
	Current      bool      `json:"current" doc:"Whether this session registered it" example:"true"`
	CreatedAt    time.Time `json:"created_at" doc:"When this account had it first" example:"2026-03-10T11:00:00Z"`
	RegisteredAt time.Time `json:"registered_at" doc:"When its token was last sent" example:"2026-03-12T07:30:00Z"`
}

// deviceColumns are the columns of device, of auth_device as d, where $1 is the session that asks.
const deviceColumns = `d.id, d.platform, d.name, d.app_version, d.session_id = $1::bigint AS current, d.created_at, d.registered_at`
