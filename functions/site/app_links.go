package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
)

// appleAppSiteAssociation has the app open the address that mails lead to, and offer its passwords. nil when no app is
// configured. The form is Apple's, "Supporting associated domains".
func (s settings) appleAppSiteAssociation() any {
	if len(s.AppleAppIDs) == 0 {
		return nil
	}
	opens := []map[string]string{{"/": "/", "comment": "What mails lead to"}}
	return map[string]any{
		"applinks":       map[string]any{"details": []any{map[string]any{"appIDs": s.AppleAppIDs, "components": opens}}},
		"webcredentials": map[string]any{"apps": s.AppleAppIDs},
	}
}

// assetLinks does the same for Android: the form is that of Digital Asset Links.
func (s settings) assetLinks() any {
	if s.AndroidPackage == "" {
		return nil
	}
	return []any{map[string]any{
		"relation": []string{"delegate_permission/common.handle_all_urls", "delegate_permission/common.get_login_creds"},
		"target": map[string]any{
			"namespace": "android_app", "package_name": s.AndroidPackage, "sha256_cert_fingerprints": s.AndroidCertSHA256,
		},
	}}
}

// appLinks answers with a document about apps, or with 404 when there is none.
func (p *public) appLinks(name string, document any) http.HandlerFunc {
	if document == nil {
		return p.showNothing
	}
	return serve(sync.OnceValues(func() (file, error) {
		text, err := json.Marshal(document)
		if err != nil {
			return file{}, fmt.Errorf("write %s: %w", name, err)
		}
		return newFile(name, "application/json", text)
	}))
}
