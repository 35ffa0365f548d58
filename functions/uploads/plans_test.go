package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
)

// TestPlans: what a person reads takes as long as that person's homes do, whoever else has some.
func TestPlans(t *testing.T) {
	t.Parallel()
	// Whoever is sent there finds something: what the bucket holds is not what is looked at here.
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(elsewhere.Close)
	store := functiontest.OpenBucket(t, &devtest.Bucket{Endpoint: elsewhere.URL, Region: "eu", Name: "homes", AccessKey: "id", SecretKey: "secret"}, bucket.Post)
	functiontest.CheckPlans(t, name, handlers(store), func(s *functiontest.Server) functiontest.Reader {
		ann, mia := s.Person(t, "ann"), s.Person(t, "mia")
		var at int64
		for range 10 {
			at = s.Home(t, ann)
			s.Join(t, at, mia, home.Member)
			s.Exec(t, `
				WITH made AS (
				    INSERT INTO upload_document (residence_id, title, document_type, warranty_expires_on)
				    SELECT $1::bigint, 'Marsh ' || g, 'warranty', date '2026-11-21' + g FROM generate_series(1, 100) g RETURNING id, residence_id
				), sent AS (
				    INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, state, expires_at)
				    SELECT $2::bigint, 'document_file', 'application/pdf', 1, 0, 'uploads/' || made.id || 'x', 'attached', now() FROM made
				    RETURNING id, split_part(split_part(object_key, '/', 2), 'x', 1)::bigint AS document
				)
				INSERT INTO upload_media (id, residence_id, document_id, content_type, object_key, state)
				SELECT sent.id, made.residence_id, made.id, 'application/pdf', 'media/x' || sent.id, 'ready' FROM sent JOIN made ON made.id = sent.document`, at, ann.ID)
		}
		last := functiontest.Value[int64](t, s, `SELECT max(id) FROM upload_media`)
		return functiontest.Reader{Token: ann.Token, Values: map[string]any{
			"/api/documents/{id}/ id": functiontest.Value[int64](t, s, `SELECT max(id) FROM upload_document`),
			"id":                      last,
			"residence_id":            at,
			"task_id":                 functiontest.Value[int64](t, s, `INSERT INTO task_task (residence_id, title) VALUES ($1, 'x') RETURNING id`, at),
			"contractor_id":           functiontest.Value[int64](t, s, `INSERT INTO residence_contractor (residence_id, name) VALUES ($1, 'x') RETURNING id`, at),
			"search":                  "marsh",
		}}
	})
}
