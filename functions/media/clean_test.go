package main

import (
	"bytes"
	"image"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/photo"
)

func TestPhotosAreCleaned(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		kind  photo.Type
		file  []byte
		turns string // what the clean one holds of its orientation; empty: a HEIC says it in another way
		size  image.Point
	}{
		"jpeg": {photo.JPEG, phoneJPEG(t), "Exif\x00\x00" + orientation, image.Pt(384, 512)},
		"png":  {photo.PNG, phonePNG(t), "eXIf" + orientation, image.Pt(384, 512)},
		"webp": {photo.WebP, planted(t, "webp"), "EXIF\x1a\x00\x00\x00" + orientation, image.Pt(64, 96)},
		"heic": {photo.HEIC, planted(t, "heic"), "", image.Point{}},
	}
	b := setup(t, devtest.NewBucket(t))
	for name, c := range cases {
		requirePlanted(t, c.file)
		s := b.attach(t, string(c.kind), c.file)
		require.Equal(t, http.StatusNoContent, b.deliver(t, s.event), name)
		require.Equal(t, "done 1", b.delivery(t, s.event))
		require.Equal(t, []string{partOriginal}, b.buried(t, s))

		clean, kind := b.read(t, s.key+partClean)
		require.Equal(t, string(c.kind), kind)
		requireClean(t, clean)
		require.Contains(t, string(clean), c.turns, name)
		before, err := photo.Inspect(bytes.NewReader(c.file), int64(len(c.file)))
		require.NoError(t, err)
		after, err := photo.Inspect(bytes.NewReader(clean), int64(len(clean)))
		require.NoError(t, err)
		require.Equal(t, before, after)
		if c.turns == "" {
			require.Equal(t, "ready", b.row(t, s))
			require.Equal(t, []string{partClean, partOriginal}, b.objects(t, s))
			continue
		}
		require.Equal(t, "ready with thumbnail", b.row(t, s))
		thumbnail, kind := b.read(t, s.key+partThumb)
		require.Equal(t, "image/jpeg", kind)
		requireClean(t, thumbnail)
		want, size := upright(t, c.file, c.kind)
		require.Equal(t, c.size, size, name)
		require.Equal(t, want, thumbnail, "turned as the photo is")
		again, _ := upright(t, clean, c.kind)
		require.Equal(t, want, again, "the clean one looks the same")
		if c.kind == photo.JPEG {
			require.Contains(t, string(clean), profile())
			require.Contains(t, string(thumbnail), profile())
		}
	}
}

// A phone may call a HEIC a HEIF; the clean one is called what it is.
func TestWhatAPhotoIsCalled(t *testing.T) {
	t.Parallel()
	b := setup(t, devtest.NewBucket(t))
	s := b.attach(t, "image/heif", planted(t, "heic"))
	require.Equal(t, http.StatusNoContent, b.deliver(t, s.event))
	require.Equal(t, "ready", b.row(t, s))
	_, kind := b.read(t, s.key+partClean)
	require.Equal(t, "image/heic", kind)
}

func TestWhatCannotBeCleanedFailsOnce(t *testing.T) {
	t.Parallel()
	plain := plainJPEG(t, gradient(90, 60))
	noise := slices.Concat(plain[:len(plain)/2], bytes.Repeat([]byte{0x5A}, 100), []byte{0xFF, 0xD9})
	wide := chunk("IHDR", "\x00\x00\xc3\x50\x00\x00\xc3\x50\x08\x02\x00\x00\x00")
	b := setup(t, devtest.NewBucket(t))
	for name, c := range map[string]struct {
		claimed string
		file    []byte
		reason  string
	}{
		"empty":               {"image/jpeg", []byte{}, "type"},
		"html":                {"image/jpeg", []byte("<html><script>alert(1)</script></html>"), "type"},
		"pdf":                 {"application/pdf", []byte("%PDF-1.7\n%%EOF\n"), "type"},
		"png called jpeg":     {"image/jpeg", phonePNG(t), "type"},
		"html called jpeg":    {"image/jpeg", []byte("\xff\xd8\xff\xe0<html><script>alert(1)</script></html>"), "truncated"},
		"truncated jpeg":      {"image/jpeg", plain[:len(plain)/2], "truncated"},
		"truncated heic":      {"image/heic", planted(t, "heic")[:500], "truncated"},
		"noise":               {"image/jpeg", noise, "malformed"},
		"png of 50,000²":      {"image/png", slices.Concat([]byte("\x89PNG\r\n\x1a\n"), wide, chunk("IEND", "")), "too_large"},
		"one byte over bound": {"image/jpeg", append(phoneJPEG(t), make([]byte, maxBytes)...), "too_large"},
	} {
		s := b.attach(t, c.claimed, c.file)
		for range 2 {
			require.Equal(t, http.StatusNoContent, b.deliver(t, s.event), name)
			require.Equal(t, "failed "+c.reason, b.row(t, s), name)
			require.Equal(t, "done 1", b.delivery(t, s.event), name)
		}
		require.Equal(t, []string{partClean, partOriginal, partThumb}, b.buried(t, s), name)
		require.NotContains(t, strings.Join(b.objects(t, s), " "), partClean, name)
	}
}

func TestAPanicIsAFlaw(t *testing.T) {
	t.Parallel()
	decode := func() (_ picture, err error) {
		defer endPanic(&err)
		var rows []int
		return picture{thumbnail: make([]byte, rows[7])}, nil
	}
	_, err := decode()
	require.ErrorIs(t, err, errMalformed)
}
