package photo

import (
	"image"
	stddraw "image/draw"

	"golang.org/x/image/draw"
)

// fit scales width and height down until neither is beyond side.
func fit(width, height, side int) (int, int) {
	longer := max(width, height)
	if longer <= side {
		return width, height
	}
	return max(1, (width*side+longer/2)/longer), max(1, (height*side+longer/2)/longer)
}

// shrink averages whole pixels until the picture is less than twice as large as wanted, and interpolates the rest. Of the scalers of
// x/image/draw the quick ones alone would skip pixels, and the others keep 32 bytes for each of the wanted columns in every row
// of the original: 110 MB for a photo of 60 megapixels.
func shrink(picture image.Image, width, height int) *image.RGBA {
	bounds := picture.Bounds()
	small := average(picture, bounds.Dx()/(bounds.Dx()/width), bounds.Dy()/(bounds.Dy()/height))
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(out, out.Bounds(), image.White, image.Point{}, draw.Src)
	draw.ApproxBiLinear.Scale(out, out.Bounds(), small, small.Bounds(), draw.Over, nil)
	return out
}

// average scales down to width and height, each pixel being the mean of those that it stands for.
func average(picture image.Image, width, height int) image.Image {
	if picture, ok := picture.(*image.YCbCr); ok {
		return averagePlanes(picture, width, height)
	}
	bounds := picture.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	tallest := bounds.Dy()/height + 1
	band := image.NewRGBA(image.Rect(0, 0, bounds.Dx(), tallest))
	for y := range height {
		top, bottom := y*bounds.Dy()/height, (y+1)*bounds.Dy()/height
		// The standard library's Draw converts every kind of picture that the decoders make without a detour.
		rows := image.Rect(0, 0, bounds.Dx(), bottom-top)
		stddraw.Draw(band, rows, picture, bounds.Min.Add(image.Pt(0, top)), stddraw.Src)
		for x := range width {
			left, right := x*bounds.Dx()/width, (x+1)*bounds.Dx()/width
			mean(out.Pix[out.PixOffset(x, y):], band, image.Rect(left, 0, right, bottom-top))
		}
	}
	return out
}

func mean(pixel []byte, band *image.RGBA, area image.Rectangle) {
	var sums [4]int
	for y := area.Min.Y; y < area.Max.Y; y++ {
		row := band.Pix[band.PixOffset(area.Min.X, y):band.PixOffset(area.Max.X, y)]
		for ; len(row) >= 4; row = row[4:] {
			sums[0] += int(row[0])
			sums[1] += int(row[1])
			sums[2] += int(row[2])
			sums[3] += int(row[3])
		}
	}
	count := area.Dx() * area.Dy()
	for i, sum := range sums {
		pixel[i] = byte((sum + count/2) / count) //nolint:gosec // a mean of bytes
	}
}

// turn applies an EXIF orientation.
func turn(picture *image.RGBA, orientation int) *image.RGBA {
	if orientation == upright {
		return picture
	}
	width, height := picture.Rect.Dx(), picture.Rect.Dy()
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	if orientation >= 5 {
		out = image.NewRGBA(image.Rect(0, 0, height, width))
	}
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			from := origin(orientation, x, y, width, height)
			copy(out.Pix[out.PixOffset(x, y):][:4], picture.Pix[picture.PixOffset(from.X, from.Y):][:4])
		}
	}
	return out
}

// origin is the pixel of a stored picture, of width and height, that is seen at x and y.
func origin(orientation, x, y, width, height int) image.Point {
	right, bottom := width-1, height-1
	switch orientation {
	case 2:
		return image.Pt(right-x, y)
	case 3:
		return image.Pt(right-x, bottom-y)
	case 4:
		return image.Pt(x, bottom-y)
	case 5:
		return image.Pt(y, x)
	case 6:
		return image.Pt(y, bottom-x)
	case 7:
		return image.Pt(right-y, bottom-x)
	case 8:
		return image.Pt(right-y, x)
	}
	return image.Pt(x, y)
}
