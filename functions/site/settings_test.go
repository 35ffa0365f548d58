package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var fingerprint = strings.TrimSuffix(strings.Repeat("AB:", 32), ":")

func TestAppLinks(t *testing.T) {
	t.Parallel()
	said := production(t)
	said.AppleAppIDs = []string{"ABCDE12345.com.myhoneydue.app", " ABCDE12345.com.myhoneydue.beta "}
	said.AndroidPackage, said.AndroidCertSHA256 = "com.myhoneydue.app", []string{strings.ToLower(fingerprint)}
	said, err := said.check()
	require.NoError(t, err)
	v := visit(t, said)
	for _, c := range []struct{ address, document string }{
		{"/.well-known/apple-app-site-association", `{
			"applinks": {"details": [{"appIDs": ["ABCDE12345.com.myhoneydue.app", "ABCDE12345.com.myhoneydue.beta"], "components": [{"/": "/", "comment": "What mails lead to"}]}]},
			"webcredentials": {"apps": ["ABCDE12345.com.myhoneydue.app", "ABCDE12345.com.myhoneydue.beta"]}}`},
		{"/.well-known/assetlinks.json", `[{
			"relation": ["delegate_permission/common.handle_all_urls", "delegate_permission/common.get_login_creds"],
			"target": {"namespace": "android_app", "package_name": "com.myhoneydue.app", "sha256_cert_fingerprints": ["` + fingerprint + `"]}}]`},
	} {
		answer := v.ask("GET", c.address)
		require.Equal(t, http.StatusOK, answer.StatusCode, c.address)
		require.Equal(t, "application/json", answer.Header.Get("Content-Type"))
		plain, _ := v.body(answer)
		require.True(t, json.Valid([]byte(plain)))
		require.JSONEq(t, c.document, plain)
		require.Equal(t, http.StatusNotFound, visit(t, production(t)).ask("GET", c.address).StatusCode, "unset")
	}
}

func TestSettingsThatAreWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		says  string
		spoil func(*settings)
	}{
		{"PUBLIC_URL is not the address of a whole domain: ", func(s *settings) { s.PublicURL = "hunter2" }},
		{"PUBLIC_URL is not the address of a whole domain: ", func(s *settings) { s.PublicURL = "https://example.com/hunter2" }},
		{"SUPPORT_EMAIL is not an address: ", func(s *settings) { s.SupportEmail = "hunter2 <a@example.com>" }},
		{"APP_STORE_URL is not an https address: ", func(s *settings) { s.AppStoreURL = "http://example.com/hunter2" }},
		{"PLAY_STORE_URL is not an https address: ", func(s *settings) { s.PlayStoreURL = "javascript:hunter2" }},
		{"APPLE_APP_IDS: entry 2 is not an app id: ", func(s *settings) { s.AppleAppIDs = []string{"ABCDE12345.com.myhoneydue.app", "com.hunter2.app"} }},
		{"ANDROID_CERT_SHA256 is set and ANDROID_PACKAGE is not: ", func(s *settings) { s.AndroidCertSHA256 = []string{fingerprint} }},
		{"ANDROID_PACKAGE is set and ANDROID_CERT_SHA256 is not: ", func(s *settings) { s.AndroidPackage = "com.hunter2.app" }},
		{"ANDROID_PACKAGE is not the name of a package: ", func(s *settings) { s.AndroidPackage, s.AndroidCertSHA256 = "hunter2", []string{fingerprint} }},
		{"ANDROID_CERT_SHA256: entry 1 is not the SHA-256 fingerprint", func(s *settings) { s.AndroidPackage, s.AndroidCertSHA256 = "com.hunter2.app", []string{"AB:CD"} }},
	} {
		said := production(t)
		c.spoil(&said)
		_, err := said.check()
		require.ErrorContains(t, err, c.says)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestPreferredForm(t *testing.T) {
	t.Parallel()
	f := file{forms: []form{{coding: "br"}, {coding: "gzip"}, {coding: ""}}}
	for accept, want := range map[string]string{
		"": "", "br": "br", "gzip": "gzip", "gzip, br": "br", "gzip, deflate, br, zstd": "br", "BR": "br", "deflate": "", "*": "br",
		"br;q=0.5, gzip;q=0.8": "gzip", "br;q=0, gzip": "gzip", "br;q=0, *": "gzip", "br;q=0.000, gzip;q=0.0": "", "*;q=0": "", "gzip;q=0.1": "gzip",
		"identity, br;q=0.5": "", "identity;q=0.5, br;q=0.5": "br", "identity;q=0, gzip;q=0.1": "gzip", "identity;q=0": "",
		"br;q=2": "", "br;q=NaN": "", "br;q=x, gzip": "gzip", "br; Q = 0.7 ,gzip ; q=0.7": "br", "xbr": "", "br;level=1": "", ",,br": "br",
	} {
		require.Equal(t, want, f.form(accept).coding, accept)
	}
}
