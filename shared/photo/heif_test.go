package photo_test

import (
	"encoding/binary"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/photo"
)

// crowded is a HEIF of so many tiles, each in extents pieces that do not touch and of a size of its own, with spare bytes among its
// metadata.
func crowded(tiles, extents, spare int) []byte {
	number := func(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }
	var names, sizes, places []byte
	at := 32
	for n := 1; n <= tiles; n++ {
		names = append(names, fullBox("infe", 2, number(n), []byte("\x00\x00hvc1\x00"))...)
		sizes = append(sizes, fullBox("ispe", 0, []byte{0, 0, 2, 0, 0, 0, 2, 0})...)
		places = append(append(append(places, number(n)...), 0, 0, 0, 0), number(extents)...)
		for range extents {
			places = append(binary.BigEndian.AppendUint32(places, uint32(at)), 0, 0, 0, 5)
			at += 6
		}
	}
	return slices.Concat(
		isoBox("ftyp", []byte("heic\x00\x00\x00\x00mif1heic")),
		isoBox("mdat", make([]byte, at-32)),
		fullBox("meta", 0,
			isoBox("iprp", isoBox("ipco", sizes), fullBox("ipma", 0, []byte{0, 0, 0, 1, 0, 1, 1, 1})),
			fullBox("iinf", 0, number(tiles), names),
			fullBox("iloc", 1, []byte{0x44, 0}, number(tiles), places),
			isoBox("free", make([]byte, spare)),
			fullBox("pitm", 0, []byte{0, 1})))
}

// TestCrowdedHEIF is not parallel, so that what all of the process allocates is what Inspect does.
//
//nolint:paralleltest // see above
func TestCrowdedHEIF(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"200 tiles":               {crowded(200, 1, 0), nil},
		"as many as there may be": {crowded(2048, 1, 350<<10), nil},
		"too many tiles":          {crowded(2049, 1, 0), photo.ErrMalformed},
		"too many extents":        {crowded(2, 1025, 0), photo.ErrMalformed},
		"far too many":            {crowded(40_000, 1, 0), photo.ErrMalformed},
		"too much metadata":       {crowded(200, 1, 512<<10), photo.ErrMalformed},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := inspect(c.file)
		runtime.ReadMemStats(&after)
		require.ErrorIs(t, err, c.want, name)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2<<20), name)
	}
}
