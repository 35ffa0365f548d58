package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// A drawing is an SVG of few words: paths of M, l, h, v, q and z, rectangles, circles and lines of text, all of them filled.
type drawing struct {
	ViewBox string  `xml:"viewBox,attr"`
	Shapes  []shape `xml:",any"`
}

type shape struct {
	XMLName xml.Name
	X       float32 `xml:"x,attr"`
	Y       float32 `xml:"y,attr"`
	Width   float32 `xml:"width,attr"`
	Height  float32 `xml:"height,attr"`
	Rounded float32 `xml:"rx,attr"`
	CenterX float32 `xml:"cx,attr"`
	CenterY float32 `xml:"cy,attr"`
	Radius  float32 `xml:"r,attr"`
	Path    string  `xml:"d,attr"`
	Size    float64 `xml:"font-size,attr"`
	Fill    string  `xml:"fill,attr"`
	Text    string  `xml:",chardata"`
}

// A pen draws on a canvas in the units of a drawing.
type pen struct {
	canvas *image.RGBA
	scale  float32 // pixels of a unit
	letter *opentype.Font
	raster *vector.Rasterizer
}

// drawn returns the drawing in that file, as wide as so many pixels.
func drawn(path string, width int) (image.Image, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var d drawing
	if err := xml.Unmarshal(text, &d); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	var wide, high float32
	if _, err := fmt.Sscanf(d.ViewBox, "0 0 %f %f", &wide, &high); err != nil {
		return nil, fmt.Errorf("read size of %s: %w", path, err)
	}
	face, err := os.ReadFile("testdata/figtree-bold.ttf")
	if err != nil {
		return nil, err
	}
	letter, err := opentype.Parse(face)
	if err != nil {
		return nil, err
	}
	scale := float32(width) / wide
	p := pen{image.NewRGBA(image.Rect(0, 0, width, int(high*scale))), scale, letter, &vector.Rasterizer{}}
	for _, s := range d.Shapes {
		if err := p.draw(s); err != nil {
			return nil, fmt.Errorf("draw %s of %s: %w", s.XMLName.Local, path, err)
		}
	}
	return p.canvas, nil
}

func (p pen) draw(s shape) error {
	var r, g, b uint8
	if _, err := fmt.Sscanf(s.Fill, "#%02x%02x%02x", &r, &g, &b); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	paint := image.NewUniform(color.RGBA{r, g, b, 255})
	p.raster.Reset(p.canvas.Rect.Dx(), p.canvas.Rect.Dy())
	switch s.XMLName.Local {
	case "path":
		if err := p.path(s.Path); err != nil {
			return err
		}
	case "rect":
		p.rounded(s.X, s.Y, s.Width, s.Height, s.Rounded)
	case "circle":
		p.rounded(s.CenterX-s.Radius, s.CenterY-s.Radius, 2*s.Radius, 2*s.Radius, s.Radius)
	case "text":
		return p.write(s, paint)
	default:
		return errors.New("no such shape")
	}
	p.raster.Draw(p.canvas, p.canvas.Rect, paint, image.Point{})
	return nil
}

func (p pen) path(d string) error {
	var x, y float32
	for _, step := range regexp.MustCompile(`[A-Za-z][^A-Za-z]*`).FindAllString(d, -1) {
		var n []float32
		for word := range strings.FieldsSeq(step[1:]) {
			v, err := strconv.ParseFloat(word, 32)
			if err != nil {
				return err
			}
			n = append(n, float32(v))
		}
		switch {
		case step[0] == 'M' && len(n) == 2:
			x, y = n[0], n[1]
			p.raster.MoveTo(x*p.scale, y*p.scale)
			continue
		case step[0] == 'h' && len(n) == 1:
			x += n[0]
		case step[0] == 'v' && len(n) == 1:
			y += n[0]
		case step[0] == 'l' && len(n) == 2:
			x, y = x+n[0], y+n[1]
		case step[0] == 'q' && len(n) == 4:
			p.raster.QuadTo((x+n[0])*p.scale, (y+n[1])*p.scale, (x+n[2])*p.scale, (y+n[3])*p.scale)
			x, y = x+n[2], y+n[3]
			continue
		case step == "z":
			p.raster.ClosePath()
			continue
		default:
			return fmt.Errorf("no such step: %s", step)
		}
		p.raster.LineTo(x*p.scale, y*p.scale)
	}
	return nil
}

// rounded is a rectangle, or with half its side as radius a circle.
func (p pen) rounded(x, y, w, h, r float32) {
	k := p.scale
	x, y, w, h, r = x*k, y*k, w*k, h*k, r*k
	c := r * 0.4477 // from a corner of the square around a quarter of a circle to a control point
	p.raster.MoveTo(x+r, y)
	p.raster.LineTo(x+w-r, y)
	p.raster.CubeTo(x+w-c, y, x+w, y+c, x+w, y+r)
	p.raster.LineTo(x+w, y+h-r)
	p.raster.CubeTo(x+w, y+h-c, x+w-c, y+h, x+w-r, y+h)
	p.raster.LineTo(x+r, y+h)
	p.raster.CubeTo(x+c, y+h, x, y+h-c, x, y+h-r)
	p.raster.LineTo(x, y+r)
	p.raster.CubeTo(x, y+c, x+c, y, x+r, y)
	p.raster.ClosePath()
}

func (p pen) write(s shape, paint image.Image) error {
	face, err := opentype.NewFace(p.letter, &opentype.FaceOptions{Size: s.Size * float64(p.scale), DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return err
	}
	at := fixed.Point26_6{X: fixed.Int26_6(s.X * p.scale * 64), Y: fixed.Int26_6(s.Y * p.scale * 64)}
	(&font.Drawer{Dst: p.canvas, Src: paint, Face: face, Dot: at}).DrawString(s.Text)
	return face.Close()
}
