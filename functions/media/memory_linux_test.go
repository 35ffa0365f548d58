package main

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
)

// The largest photos of which a thumbnail is made, each in a file of 10 MB, take less than 150 MB.
func TestMemory(t *testing.T) {
	t.Parallel()
	b := setup(t, devtest.NewBucket(t))
	cmd := b.run(t, build(t), b.at.Endpoint)
	t.Logf("idle: %d MB", peak(t, cmd)/1e6)
	for range 2 {
		for _, c := range []struct {
			name, kind string
			file       []byte
		}{
			{"jpeg of 60 megapixels", "image/jpeg", blackJPEG(0xC0, 8940, 6710)},
			{"progressive jpeg of 12.6 megapixels", "image/jpeg", blackJPEG(0xC2, 4096, 3072)},
			{"png of 11.8 megapixels of 16 bits", "image/png", blackPNG(t, 4096, 2880)},
			{"webp of 42 megapixels", "image/webp", greyWebP(7000, 6000)},
		} {
			s := b.attach(t, c.kind, c.file)
			require.Equal(t, http.StatusNoContent, b.deliver(t, s.event))
			require.Equal(t, "ready with thumbnail", b.row(t, s), c.name)
			t.Logf("after a %s: at most %d MB", c.name, peak(t, cmd)/1e6)
		}
	}
	require.Less(t, peak(t, cmd), 150_000_000)
}

// peak returns the most memory that a process ever held, in bytes.
func peak(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/status")
	require.NoError(t, err)
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	require.NotNil(t, found)
	kilobytes, err := strconv.Atoi(string(found[1]))
	require.NoError(t, err)
	return kilobytes << 10
}

const filler = 9_800_000

// blackJPEG writes a picture of 4:2:0 whose every block says nothing, as a baseline (0xC0) or the first scan of a progressive
// (0xC2) JPEG, in a file that comments make large.
func blackJPEG(frame byte, width, height int) []byte {
	blocks := 6 * ((width + 15) / 16) * ((height + 15) / 16)
	bits, last := 2*blocks, "\x3f" // no difference to the block before, and the end of the block
	if frame == 0xC2 {
		bits, last = blocks, "\x00"
	}
	size := string(binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, uint16(height)), uint16(width)))
	oneCode := "\x01" + strings.Repeat("\x00", 16) // a single code, of one bit, for the symbol 0
	return slices.Concat([]byte{0xFF, 0xD8},
		bytes.Repeat(segment(0xFE, strings.Repeat("x", 65_533)), filler/65_537),
		segment(0xDB, "\x00"+strings.Repeat("\x01", 64)),
		segment(frame, "\x08"+size+"\x03\x01\x22\x00\x02\x11\x00\x03\x11\x00"),
		segment(0xC4, "\x00"+oneCode+"\x10"+oneCode),
		segment(0xDA, "\x03\x01\x00\x02\x00\x03\x00\x00"+last+"\x00"), make([]byte, (bits+7)/8), []byte{0xFF, 0xD9})
}

// blackPNG writes a picture of three samples of 16 bits, in a file that a chunk of nobody's makes large.
func blackPNG(t *testing.T, width, height int) []byte {
	t.Helper()
	var data bytes.Buffer
	w := zlib.NewWriter(&data)
	row := make([]byte, 1+6*width)
	for range height {
		_, err := w.Write(row)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	size := string(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(width)), uint32(height)))
	return slices.Concat([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", size+"\x10\x02\x00\x00\x00"),
		chunk("prVt", strings.Repeat("x", filler)), chunk("IDAT", data.String()), chunk("IEND", ""))
}

// greyWebP writes a lossy picture of zeroes alone, whose data makes the file large.
func greyWebP(width, height int) []byte {
	const partition = 500_000 // the first, with how each block is predicted
	size := binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, uint16(width)), uint16(height))
	tag := uint32(partition<<5 | 1<<4) // a key frame that is shown
	frame := slices.Concat([]byte{byte(tag), byte(tag >> 8), byte(tag >> 16), 0x9D, 0x01, 0x2A}, size, make([]byte, filler-10))
	riff := func(kind string, data []byte) []byte {
		return append(binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(data))), data...)
	}
	return riff("RIFF", append([]byte("WEBP"), riff("VP8 ", frame)...))
}
