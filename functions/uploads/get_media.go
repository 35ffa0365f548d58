package main

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// MediaPath names a photo or paper.
type MediaPath struct {
	ID int64 `path:"id" minimum:"1" doc:"The upload's" example:"88"`
}

type getMediaInput struct {
	MediaPath
	Size string `query:"size" enum:"thumb" doc:"The small picture instead of the whole one" example:"thumb"`
}

type getMediaOutput struct {
	Location string `header:"Location" doc:"Where it is for 5 minutes" example:"https://s3.example.com/honeydue/media/7VY2/clean?X-Amz-Signature=7d0c"`
}

// A media is a row of upload_media.
type media struct {
	ID           int64
	ContentType  string
	Filename     *string
	ObjectKey    string
	State        string
	HasThumbnail bool
}

const selectMedia = `
SELECT f.id, f.content_type, f.filename, f.object_key, f.state, f.has_thumbnail
FROM upload_media f JOIN residence_member m ON m.residence_id = f.residence_id
WHERE f.id = $1 AND m.user_id = $2`

// cleaningTakes is about as long as cleaning a photo does, with the start of the function that does so.
const cleaningTakes = 2 * time.Second

func (s *service) getMedia(ctx context.Context, in *getMediaInput) (*getMediaOutput, error) {
	found, err := pg.One[media](ctx, s.DB, selectMedia, in.ID, authn.User(ctx).ID)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, problem.NotFound()
	case err != nil:
		return nil, fmt.Errorf("read media %d: %w", in.ID, err)
	case found.State == "cleaning":
		return nil, problem.NotYet("This photo is being cleaned.", cleaningTakes)
	case found.State != "ready":
		return nil, problem.Gone("This photo could not be cleaned, and is never shown.")
	}
	part, contentType := found.part(in.Size == "thumb")
	address, err := s.bucket.PresignGet(ctx, found.ObjectKey+part, contentType, found.disposition(contentType))
	if err != nil {
		return nil, err
	}
	return &getMediaOutput{address}, nil
}

// part returns which of the objects to serve, and as what.
func (m media) part(thumb bool) (suffix, contentType string) {
	switch {
	case m.ContentType == pdf:
		return "/original", pdf
	case thumb && m.HasThumbnail:
		return "/thumb", "image/jpeg"
	default:
		return "/clean", m.ContentType
	}
}

// disposition is the Content-Disposition (RFC 6266) under which it is served: a paper is saved and not shown, since it can
// hold scripts.
func (m media) disposition(contentType string) string {
	kind := "inline"
	if m.ContentType == pdf {
		kind = "attachment"
	}
	return mime.FormatMediaType(kind, map[string]string{"filename": m.name(contentType)})
}

// name is what people called it, with an ending that says what it is, so that nothing opens as something else.
func (m media) name(contentType string) string {
	endings := endingsOf(contentType)
	if m.Filename == nil {
		return strconv.FormatInt(m.ID, 10) + endings[0]
	}
	if slices.Contains(endings, strings.ToLower(path.Ext(*m.Filename))) {
		return *m.Filename
	}
	return *m.Filename + endings[0]
}

// endingsOf returns how names of files of that type end, the usual one first.
func endingsOf(contentType string) []string {
	switch contentType {
	case pdf:
		return []string{".pdf"}
	case "image/png":
		return []string{".png"}
	case "image/heic":
		return []string{".heic"}
	case "image/heif":
		return []string{".heif", ".hif"}
	case "image/webp":
		return []string{".webp"}
	default:
		return []string{".jpg", ".jpeg"}
	}
}
