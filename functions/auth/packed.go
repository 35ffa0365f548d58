package main

import (
	"compress/gzip"
	"io"
	"net"
	"net/http"

	"github.com/honeydue/backend/shared/problem"
)

// What an export may hold, in bytes. Text packs to a tenth mostly, the same character over and over to a three-hundredth: without
// the second limit a small buffer could become an answer of gigabytes.
//
// In a process with 140 MiB for the collector, four password hashes take 76 MiB at once and two exports 2 × 8 MiB, with 2 × 1 MiB
// for packing and unpacking: 94 MiB, which leaves 46 MiB to everything else. Blocks keep it at that, as a buffer that
// grows would hold its old and its doubled array together, 24 MiB where 8 MiB are meant.
const (
	maxPacked   = 8 << 20
	maxUnpacked = 64 << 20
	packedBlock = 64 << 10
)

// packed is a document that is kept small until it is sent, in blocks of one size.
type packed struct{ blocks net.Buffers }

// Write adds packed bytes.
func (p *packed) Write(more []byte) (int, error) {
	for rest := more; len(rest) > 0; {
		last := len(p.blocks) - 1
		if last < 0 || len(p.blocks[last]) == packedBlock {
			p.blocks = append(p.blocks, make([]byte, 0, packedBlock))
			last++
		}
		fits := min(len(rest), packedBlock-len(p.blocks[last]))
		p.blocks[last] = append(p.blocks[last], rest[:fits]...)
		rest = rest[fits:]
	}
	return len(more), nil
}

// size returns how many bytes are kept.
func (p *packed) size() (n int) {
	for _, block := range p.blocks {
		n += len(block)
	}
	return n
}

// send writes the document as it is kept, and gives it up.
func (p *packed) send(to io.Writer) (int64, error) { return p.blocks.WriteTo(to) }

// unpack writes the document as it was, and gives it up.
func (p *packed) unpack(to io.Writer) (int64, error) {
	document, err := gzip.NewReader(&p.blocks)
	if err != nil {
		return 0, err
	}
	return io.Copy(to, document) //nolint:gosec // packed here, a moment ago, and no more than maxUnpacked
}

// bounded passes on as many bytes as are left to it, and refuses what exceeds them.
type bounded struct {
	to   io.Writer
	left int
}

func (b *bounded) Write(more []byte) (int, error) {
	if len(more) > b.left {
		return 0, problem.New(http.StatusConflict, "The account is too large to hand out in one piece, and no second try changes that. "+
			"Ask for it at hello@myhoneydue.com.")
	}
	b.left -= len(more)
	return b.to.Write(more)
}
