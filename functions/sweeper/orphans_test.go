package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// tomorrow makes every object a day older.
func (h *house) tomorrow() {
	h.service.now = func() time.Time { return time.Now().Add(orphanAge + time.Minute) }
}

func (h *house) position(t *testing.T, prefix string) string {
	t.Helper()
	return functiontest.Value[string](t, h.Server, `SELECT after_key FROM upload_sweep WHERE prefix = $1`, prefix)
}

func TestObjectsWithoutARowGoAfterADay(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, h *house) {
		owned := slices.Concat(h.sent(t, 1, -48*time.Hour), h.attached(t, nil, nil), h.attached(t, nil, nil))
		ended := h.sent(t, 1, -time.Hour)
		h.Exec(t, `UPDATE pending_uploads SET state = 'given_up' WHERE object_key = $1`, ended[0])
		orphans := []string{"media/unclaimed/original", "media/none", "media/a/b/c", "uploads/lost", "uploads/lost", "uploads/a/b"}
		others := []string{"backup/media/x/clean", "mediate", "uploads.txt"}
		h.put(t, slices.Concat(orphans[:4], orphans[5:], others)...)
		h.put(t, orphans[4])

		h.sweep(t)
		require.ElementsMatch(t, slices.Concat(owned, ended, orphans, others), h.stored(t), "they are young")
		h.tomorrow()
		h.sweep(t)
		require.ElementsMatch(t, slices.Concat(owned, others), h.stored(t))
	})
}

// An object is owned by its whole key: the original of a clean photo, whose tombstone was lost, tells where it was taken.
func TestARowOwnsWhatItsStateNeeds(t *testing.T) {
	t.Parallel()
	h := setupHouse(t, devtest.NewBucket(t))
	var owned, all []string
	for name, c := range map[string]struct{ contentType, state, owned string }{
		"new":   {"image/jpeg", "cleaning", "/original /clean /thumb"},
		"clean": {"image/jpeg", "ready", "/clean /thumb"},
		"bad":   {"image/heic", "cleaning", "/original"},
		"lost":  {"image/heic", "failed", ""}, // it never had a tombstone
		"paper": {"application/pdf", "ready", "/original"},
		"none":  {},
	} {
		if c.state != "" {
			h.Exec(t, `
				INSERT INTO upload_media (id, residence_id, content_type, object_key, state)
				SELECT count(*) + 1, $1, $2, 'media/' || $3::text, $4 FROM upload_media`, h.home, c.contentType, name, c.state)
		}
		for _, part := range []string{"/original", "/clean", "/thumb", "/originals", "/exif"} {
			all = append(all, "media/"+name+part)
		}
		for _, part := range strings.Fields(c.owned) {
			owned = append(owned, "media/"+name+part)
		}
	}
	h.put(t, all...)
	h.sweep(t)
	require.ElementsMatch(t, all, h.stored(t))
	h.Exec(t, `UPDATE upload_media SET state = 'failed' WHERE object_key = 'media/bad'`)
	h.tomorrow()
	h.sweep(t)
	require.ElementsMatch(t, owned, h.stored(t))
}

// A database that knows nothing of the bucket is the wrong one, or was restored: nobody's photos go for that.
func TestNothingGoesWhereMostRowsAreMissing(t *testing.T) {
	t.Parallel()
	h := setupHouse(t, devtest.NewBucket(t))
	owned := h.attached(t, nil, nil)
	var lost []string
	for n := range suspicious {
		lost = append(lost, fmt.Sprintf("media/%05d/clean", n))
	}
	h.put(t, lost...)
	h.tomorrow()
	h.sweep(t)
	require.ElementsMatch(t, slices.Concat(owned, lost), h.stored(t))
	require.NoError(t, h.service.store.Delete(t.Context(), lost[0]))
	h.sweep(t)
	require.ElementsMatch(t, owned, h.stored(t), "as many as a bad day can leave")
}

func TestTheLookGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	h := setupHouse(t, devtest.NewBucket(t))
	var orphans []string
	for n := range pageLooked + 5 {
		orphans = append(orphans, fmt.Sprintf("uploads/%05d", n))
	}
	h.put(t, orphans...)
	h.put(t, "media/0/clean", "media/5/clean")
	h.Exec(t, `UPDATE upload_sweep SET after_key = CASE prefix WHEN 'media/' THEN 'media/3' ELSE 'uploads/00001' END`)
	h.tomorrow()
	n, more, err := h.service.lookThrough(t.Context(), shelves()[0])
	require.NoError(t, err)
	require.True(t, more)
	require.Equal(t, pageLooked, n)
	require.Equal(t, orphans[pageLooked+1], h.position(t, "uploads/"))

	h.sweep(t)
	require.ElementsMatch(t, append(orphans[:2], "media/0/clean"), h.stored(t), "what lies before is looked at another time")
	require.Empty(t, h.position(t, "uploads/")+h.position(t, "media/"))
	h.sweep(t)
	require.Empty(t, h.stored(t))
}
