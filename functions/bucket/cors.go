package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7/pkg/cors"

	"github.com/honeydue/backend/shared/bucket"
)

// pageRule lets pages of our own origins send and fetch by signed addresses.
func pageRule(origins []string) cors.Rule {
	return cors.Rule{
		ID:            "honeydue",
		AllowedOrigin: origins,
		AllowedMethod: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut},
		AllowedHeader: []string{"content-type"},
		MaxAgeSeconds: 3600,
	}
}

func corsOf(store *bucket.Bucket, name string, origins []string) setting {
	ours := pageRule(origins)
	return setting{
		name: "CORS",
		wrong: func(ctx context.Context) ([]string, error) {
			rules, err := store.CORS(ctx)
			return wrongCORS(rules, ours), err
		},
		write: func(ctx context.Context) error {
			rules, err := store.CORS(ctx)
			if err != nil {
				return err
			}
			return store.SetCORS(ctx, mergeCORS(rules, ours))
		},
		byHand: `           Without it, the apps work and pages in a browser cannot send. If the key may not change settings, use one that may.
           If the provider lacks the call, or the rules were made with its own one, set them in its console; for Backblaze B2:
           b2 bucket update --cors-rules '[{"corsRuleName": "honeydue", "allowedOrigins": ["` + strings.Join(origins, `", "`) + `"],
           "allowedOperations": ["s3_get", "s3_head", "s3_post", "s3_put"], "allowedHeaders": ["content-type"],
           "maxAgeSeconds": 3600}]' ` + name,
	}
}

// wrongCORS says what our pages may not do, and who may still do what was once ours to do.
func wrongCORS(rules []cors.Rule, ours cors.Rule) []string {
	var wrong []string
	for _, origin := range ours.AllowedOrigin {
		for _, method := range ours.AllowedMethod {
			if !slices.ContainsFunc(rules, func(rule cors.Rule) bool { return allows(rule, origin, method, ours.AllowedHeader) }) {
				wrong = append(wrong, fmt.Sprintf("pages of %s may not %s", origin, method))
			}
		}
	}
	for _, rule := range rules {
		for _, origin := range rule.AllowedOrigin {
			if isOurs(rule, ours) && !slices.Contains(ours.AllowedOrigin, origin) {
				wrong = append(wrong, fmt.Sprintf("pages of %s still may", origin))
			}
		}
	}
	return wrong
}

func allows(rule cors.Rule, origin, method string, headers []string) bool {
	for _, header := range headers {
		if !slices.ContainsFunc(rule.AllowedHeader, func(allowed string) bool { return allowed == "*" || strings.EqualFold(allowed, header) }) {
			return false
		}
	}
	return slices.Contains(rule.AllowedMethod, method) && (slices.Contains(rule.AllowedOrigin, origin) || slices.Contains(rule.AllowedOrigin, "*"))
}

// isOurs knows our rule by its name, or where a provider forgets names by what it allows.
func isOurs(rule, ours cors.Rule) bool {
	if rule.ID != "" {
		return rule.ID == ours.ID
	}
	methods := slices.Sorted(slices.Values(rule.AllowedMethod))
	return slices.Equal(methods, ours.AllowedMethod) && slices.Equal(rule.AllowedHeader, ours.AllowedHeader)
}

// mergeCORS puts our rule in the place of the one that was ours.
func mergeCORS(rules []cors.Rule, ours cors.Rule) []cors.Rule {
	others := slices.DeleteFunc(slices.Clone(rules), func(rule cors.Rule) bool { return isOurs(rule, ours) })
	return append(others, ours)
}
