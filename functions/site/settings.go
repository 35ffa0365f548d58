package main

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
)

// settings are what the public pages say that is not the same everywhere.
type settings struct {
	PublicURL    string `envconfig:"PUBLIC_URL" default:"https://myhoneydue.com"` // of the bare domain
	SupportEmail string `envconfig:"SUPPORT_EMAIL" default:"hello@myhoneydue.com"`
	AppStoreURL  string `envconfig:"APP_STORE_URL"`  // empty: no button
	PlayStoreURL string `envconfig:"PLAY_STORE_URL"` // as above

	AppleAppIDs       []string `envconfig:"APPLE_APP_IDS"` // empty: no app opens our links on an iPhone
	AndroidPackage    string   `envconfig:"ANDROID_PACKAGE"`
	AndroidCertSHA256 []string `envconfig:"ANDROID_CERT_SHA256"` // empty, as the package then is: nor on an Android phone
}

var (
	appleAppID     = regexp.MustCompile(`^[A-Z0-9]{10}(\.[A-Za-z0-9-]+)+$`)
	androidPackage = regexp.MustCompile(`^[A-Za-z]\w*(\.[A-Za-z]\w*)+$`)
	certificate    = regexp.MustCompile(`^[0-9A-F]{2}(:[0-9A-F]{2}){31}$`)
)

// check returns the settings as they are used: without blanks around values, addresses without a last slash, fingerprints
// in capitals. Its error names the variable, never its value, and how to mend it.
func (s settings) check() (settings, error) {
	s.PublicURL = strings.TrimSuffix(s.PublicURL, "/")
	if u, err := url.Parse(s.PublicURL); err != nil || !web(u) || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return s, errors.New("PUBLIC_URL is not the address of a whole domain: write it like https://myhoneydue.com")
	}
	if a, err := mail.ParseAddress(s.SupportEmail); err != nil || a.Address != s.SupportEmail {
		return s, errors.New("SUPPORT_EMAIL is not an address: write it like hello@myhoneydue.com, without a name")
	}
	for name, address := range map[string]string{"APP_STORE_URL": s.AppStoreURL, "PLAY_STORE_URL": s.PlayStoreURL} {
		if u, err := url.Parse(address); address != "" && (err != nil || !web(u) || u.Scheme != "https") {
			return s, fmt.Errorf("%s is not an https address: copy it from the store's page, or leave it out", name)
		}
	}
	return s.checkApps()
}

func (s settings) checkApps() (settings, error) {
	s.AppleAppIDs = trimmed(s.AppleAppIDs)
	for i, id := range s.AppleAppIDs {
		if !appleAppID.MatchString(id) {
			return s, fmt.Errorf("APPLE_APP_IDS: entry %d is not an app id: write the team's ten letters and digits, a dot and the bundle id, "+
				"like ABCDE12345.com.myhoneydue.app, with commas between entries", i+1)
		}
	}
	s.AndroidPackage, s.AndroidCertSHA256 = strings.TrimSpace(s.AndroidPackage), trimmed(s.AndroidCertSHA256)
	switch {
	case s.AndroidPackage == "" && len(s.AndroidCertSHA256) > 0:
		return s, errors.New("ANDROID_CERT_SHA256 is set and ANDROID_PACKAGE is not: set both, or neither")
	case s.AndroidPackage != "" && len(s.AndroidCertSHA256) == 0:
		return s, errors.New("ANDROID_PACKAGE is set and ANDROID_CERT_SHA256 is not: set both, or neither")
	case s.AndroidPackage != "" && !androidPackage.MatchString(s.AndroidPackage):
		return s, errors.New("ANDROID_PACKAGE is not the name of a package: write it like com.myhoneydue.app")
	}
	for i, print := range s.AndroidCertSHA256 {
		s.AndroidCertSHA256[i] = strings.ToUpper(print)
		if !certificate.MatchString(s.AndroidCertSHA256[i]) {
			return s, fmt.Errorf("ANDROID_CERT_SHA256: entry %d is not the SHA-256 fingerprint of a certificate: write 32 bytes in hexadecimal with colons "+
				"between them, as the Play Console shows them under app signing, with commas between entries", i+1)
		}
	}
	return s, nil
}

func web(u *url.URL) bool {
	return (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

// trimmed returns a copy of list without the blanks around its entries.
func trimmed(list []string) []string {
	var cut []string
	for _, entry := range list {
		cut = append(cut, strings.TrimSpace(entry))
	}
	return cut
}
