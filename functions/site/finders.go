package main

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"fmt"
)

// robots lets everybody read the pages; the API's documents have their own host.
func (p *public) robots() (file, error) {
	text := "User-agent: *\nAllow: /\nDisallow: /api/\n\nSitemap: " + p.settings.PublicURL + "/sitemap.xml\n"
	return newFile("robots.txt", "text/plain; charset=utf-8", []byte(text))
}

type sitemap struct {
	XMLName xml.Name   `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
	Pages   []location `xml:"url"`
}

type location struct {
	Address string `xml:"loc"`
}

func (p *public) sitemap() (file, error) {
	var all sitemap
	for _, page := range pages() {
		all.Pages = append(all.Pages, location{p.settings.PublicURL + page.Path})
	}
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return file{}, fmt.Errorf("write sitemap: %w", err)
	}
	return newFile("sitemap.xml", "application/xml", append([]byte(xml.Header), append(text, '\n')...))
}

// newFavicon wraps the small icon for those that ask for /favicon.ico without having read a page: a directory of one entry,
// of 32 by 32 pixels, and the PNG as it is.
func newFavicon() (file, error) {
	png, err := assetFiles.ReadFile("assets/icon-32.png")
	if err != nil {
		return file{}, fmt.Errorf("read icon: %w", err)
	}
	const directory = 22
	var icon bytes.Buffer
	for _, value := range []any{
		uint16(0), uint16(1), uint16(1), // reserved, an icon, one entry
		[4]byte{32, 32}, uint16(1), uint16(32), uint32(len(png)), uint32(directory), //nolint:gosec // a small picture: no palette, one plane, 32 bits a pixel
		png,
	} {
		if err := binary.Write(&icon, binary.LittleEndian, value); err != nil {
			return file{}, fmt.Errorf("write icon: %w", err)
		}
	}
	return newFile("favicon.ico", "image/x-icon", icon.Bytes())
}
