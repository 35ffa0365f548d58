package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/attach"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// UploadPath names an upload.
type UploadPath struct {
	ID int64 `path:"id" minimum:"1" example:"88"`
}

// An Upload is what someone has sent or is about to send, as they see it themselves.
type Upload struct {
	ID            int64           `json:"id" example:"88"`
	Category      attach.Category `json:"category" enum:"completion_image,document_image,document_file,residence_image" example:"document_image"`
	ContentType   string          `json:"content_type" example:"image/jpeg"`
	ContentLength int64           `json:"content_length" doc:"In bytes, as it was claimed" example:"83214"`
	Filename      *string         `json:"filename" example:"boiler.jpg"`
	State         string          `json:"state" enum:"pending,cleaning,ready,failed,expired" doc:"pending until it is attached; a photo is then cleaning until nothing in it tells where it was taken, and ready or failed" example:"failed"`
	Reason        *string         `json:"reason" doc:"Why it failed" example:"truncated"`
	ExpiresAt     time.Time       `json:"expires_at" doc:"Until when it could be sent and attached" example:"2026-03-10T11:15:00Z"`
	CreatedAt     time.Time       `json:"created_at" example:"2026-03-10T11:00:00Z"`
}

// What was given up, and what became media that is gone, is not there any more.
const selectUpload = `
SELECT p.id, p.category, p.content_type, p.content_length, p.filename,
    CASE WHEN p.state = 'attached' THEN f.state WHEN p.expires_at <= now() THEN 'expired' ELSE p.state END AS state,
    f.reason, p.expires_at, p.created_at
FROM pending_uploads p LEFT JOIN upload_media f ON f.id = p.id
WHERE p.id = $1 AND p.user_id = $2 AND p.state <> 'given_up' AND (p.state <> 'attached' OR f.id IS NOT NULL)`

type uploadOutput struct{ Body Upload }

func (s *service) getUpload(ctx context.Context, in *UploadPath) (*uploadOutput, error) {
	found, err := pg.One[Upload](ctx, s.DB, selectUpload, in.ID, authn.User(ctx).ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound()
	}
	if err != nil {
		return nil, fmt.Errorf("read upload %d: %w", in.ID, err)
	}
	return &uploadOutput{found}, nil
}
