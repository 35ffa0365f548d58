// Package encoding is about the form in which an answer travels.
package encoding

import "strings"

// TakesGzip returns whether a caller with that Accept-Encoding can unpack, by RFC 9110: named and not refused with q=0. One
// that says nothing of encodings gets none.
func TakesGzip(acceptEncoding string) bool {
	for coding := range strings.SplitSeq(acceptEncoding, ",") {
		name, quality, _ := strings.Cut(coding, ";")
		name, quality = strings.TrimSpace(name), strings.ReplaceAll(quality, " ", "")
		if strings.EqualFold(name, "gzip") {
			return strings.Trim(strings.TrimPrefix(strings.ToLower(quality), "q="), "0.") != "" || quality == ""
		}
	}
	return false
}
