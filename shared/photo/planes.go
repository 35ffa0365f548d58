package photo

import "image"

// A plane is one channel of a picture.
type plane struct {
	pix           []byte
	stride        int
	width, height int
}

// averagePlanes is [average] of a photo as cameras store it. Its channels are averaged one by one, and colours are computed for the
// small picture alone: to compute those of every pixel would be a sixth of the time that a thumbnail takes.
func averagePlanes(picture *image.YCbCr, width, height int) *image.YCbCr {
	out := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio444)
	bounds := picture.Bounds()
	plane{picture.Y, picture.YStride, bounds.Dx(), bounds.Dy()}.average(out.Y, width, height)
	last := picture.COffset(bounds.Max.X-1, bounds.Max.Y-1)
	colourWidth, colourHeight := last%picture.CStride+1, last/picture.CStride+1
	plane{picture.Cb, picture.CStride, colourWidth, colourHeight}.average(out.Cb, width, height)
	plane{picture.Cr, picture.CStride, colourWidth, colourHeight}.average(out.Cr, width, height)
	return out
}

// average writes to as a plane of width and height whose samples are the means of those of p that they stand for; of a plane that is
// smaller already, the nearest.
func (p plane) average(to []byte, width, height int) {
	for y := range height {
		top := y * p.height / height
		bottom := max(top+1, (y+1)*p.height/height)
		for x := range width {
			left := x * p.width / width
			right := max(left+1, (x+1)*p.width/width)
			sum := 0
			for row := top; row < bottom; row++ {
				for _, sample := range p.pix[row*p.stride+left : row*p.stride+right] {
					sum += int(sample)
				}
			}
			count := (right - left) * (bottom - top)
			to[y*width+x] = byte((sum + count/2) / count) //nolint:gosec // a mean of bytes
		}
	}
}
