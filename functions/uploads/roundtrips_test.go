package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function/functiontest"
)

func TestRoundTrips(t *testing.T) {
	t.Parallel()
	store := functiontest.OpenBucket(t, devtest.NewBucket(t), bucket.Post)
	server, counter := functiontest.StartCounted(t, name, handlers(store))
	b := people(t, server, store)
	b.Base.Cache.Born(t.Context(), b.ann.ID)
	b.Call(t, "GET", documentsPath, b.ann.Token, nil)
	file := b.upload(t, b.ann, "document_file", pdf, paper())
	kept := functiontest.Read[Document](t, b.Call(t, "POST", documentsPath, b.ann.Token, b.filed(file)), 201)
	waiting := b.presign(t, b.ann, "document_file", pdf, 10).UploadID
	pictures := []int64{b.upload(t, b.ann, "document_image", "image/jpeg", photo(t)), b.upload(t, b.ann, "document_image", "image/jpeg", photo(t))}
	for _, c := range []struct {
		what, method, path string
		body               any
		want               int64
	}{
		{"presign", "POST", presignPath, asked, 1},
		{"upload", "GET", uploadPath(waiting), nil, 1},
		{"give up", "DELETE", uploadPath(waiting), nil, 1},
		{"documents", "GET", documentsPath + "?search=x&type=manual&expiring_within_days=3", nil, 1},
		{"document", "GET", documentPath(kept.ID), nil, 1},
		{"create document", "POST", documentsPath, object{"residence_id": b.home, "title": "x", "document_type": "other"}, 4},
		{"with a picture", "POST", documentsPath, b.filed(pictures[0]), 5},
		{"change document", "PATCH", documentPath(kept.ID), object{"title": "x"}, 4},
		{"add a picture", "PATCH", documentPath(kept.ID), object{"upload_ids": pictures[1:]}, 5},
		{"delete media", "DELETE", mediaPath(file), nil, 3},
		{"delete document", "DELETE", documentPath(kept.ID), nil, 3},
	} {
		before := counter.Counts().RoundTrips
		r := b.Call(t, c.method, c.path, b.ann.Token, c.body)
		require.Less(t, r.Status, 300, "%s: %s", c.what, r.Body)
		require.Equal(t, c.want, counter.Counts().RoundTrips-before, c.what)
	}
}
