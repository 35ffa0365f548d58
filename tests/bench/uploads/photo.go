package main

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
)

// takePhoto returns a JPEG of that size in pixels, with as much noise as makes it as long as a phone's.
func takePhoto(width, height int) ([]byte, error) {
	const noise = 31
	picture := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	source := rand.New(rand.NewPCG(1, 2))
	for i := range picture.Y {
		picture.Y[i] = byte(64 + i*64/len(picture.Y) + source.IntN(noise))
	}
	for i := range picture.Cb {
		picture.Cb[i], picture.Cr[i] = 120, 136
	}
	var to bytes.Buffer
	if err := jpeg.Encode(&to, picture, nil); err != nil {
		return nil, fmt.Errorf("encode photo: %w", err)
	}
	return to.Bytes(), nil
}
