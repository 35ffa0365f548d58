package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7/pkg/lifecycle"

	"github.com/honeydue/backend/shared/bucket"
)

// What the sweeper has missed under sent, the bucket hides after a week and deletes a day later. Nothing of its own accord may
// touch what is under kept.
const (
	sent = "uploads/"
	kept = "media/"
)

// sentRules are two, since S3 lets no rule both hide by age and clear away the marks that hide nothing any more.
func sentRules() []lifecycle.Rule {
	filter := lifecycle.Filter{Prefix: sent}
	return []lifecycle.Rule{{
		ID: "honeydue-uploads", Status: "Enabled", RuleFilter: filter,
		Expiration:                     lifecycle.Expiration{Days: 7},
		NoncurrentVersionExpiration:    lifecycle.NoncurrentVersionExpiration{NoncurrentDays: 1},
		AbortIncompleteMultipartUpload: lifecycle.AbortIncompleteMultipartUpload{DaysAfterInitiation: 1},
	}, {
		ID: "honeydue-uploads-marks", Status: "Enabled", RuleFilter: filter,
		Expiration: lifecycle.Expiration{DeleteMarker: true},
	}}
}

func lifecycleOf(store *bucket.Bucket, name string) setting {
	return setting{
		name: "lifecycle",
		wrong: func(ctx context.Context) ([]string, error) {
			rules, err := store.Lifecycle(ctx)
			return wrongLifecycle(rules), err
		},
		write: func(ctx context.Context) error {
			rules, err := store.Lifecycle(ctx)
			if err != nil {
				return err
			}
			if rules, err = mergeLifecycle(rules); err != nil {
				return err
			}
			return store.SetLifecycle(ctx, rules)
		},
		byHand: `           Without it, what the sweeper misses stays and costs; nothing else breaks. If the key may not change settings, use
           one that may. If the provider lacks the call, set it in its console; for Backblaze B2, the rule for the prefix
           "uploads/" under Lifecycle Settings, or (with every rule that the bucket has already, since it replaces them all):
           b2 bucket update --lifecycle-rule '{"fileNamePrefix": "uploads/", "daysFromUploadingToHiding": 7,
           "daysFromHidingToDeleting": 1, "daysFromStartingToCancelingUnfinishedLargeFiles": 1}' ` + name,
	}
}

// wrongLifecycle compares what rules do, and not how they say it: Backblaze B2 tells one rule of its own as several of S3's.
func wrongLifecycle(rules []lifecycle.Rule) []string {
	var wrong, have []string
	for _, rule := range rules {
		if rule.Status != "Enabled" {
			continue
		}
		prefix, all := scope(rule)
		byAge := !rule.Expiration.IsDaysNull() || !rule.Expiration.IsDateNull() || !rule.AllVersionsExpiration.IsNull()
		if byAge && (strings.HasPrefix(kept, prefix) || strings.HasPrefix(prefix, kept)) {
			wrong = append(wrong, fmt.Sprintf("rule %q would take away what people keep under %s: remove it", rule.ID, kept))
		}
		if prefix == sent && all {
			have = append(have, deeds(rule)...)
		}
	}
	var want []string
	for _, rule := range sentRules() {
		want = append(want, deeds(rule)...)
	}
	for _, deed := range want {
		if !slices.Contains(have, deed) {
			wrong = append(wrong, "no rule for "+sent+" to "+deed)
		}
	}
	for _, deed := range have {
		if !slices.Contains(want, deed) {
			wrong = append(wrong, "a rule for "+sent+" that is not ours, to "+deed+": remove it")
		}
	}
	return wrong
}

// scope returns the prefix that a rule is about, and whether it is about all objects under it.
func scope(rule lifecycle.Rule) (prefix string, all bool) {
	filter := rule.RuleFilter
	all = filter.And.IsEmpty() && filter.Tag.IsEmpty() && filter.ObjectSizeLessThan == 0 && filter.ObjectSizeGreaterThan == 0
	return rule.Prefix + filter.Prefix + filter.And.Prefix, all
}

// deeds returns what a rule does.
func deeds(rule lifecycle.Rule) []string {
	var deeds []string
	for _, deed := range []struct {
		does bool
		text string
	}{
		{!rule.Expiration.IsDaysNull(), fmt.Sprintf("hide after %d days", rule.Expiration.Days)},
		{!rule.Expiration.IsDateNull(), "hide from a date on"},
		{!rule.NoncurrentVersionExpiration.IsDaysNull(), fmt.Sprintf("delete %d days after hiding", rule.NoncurrentVersionExpiration.NoncurrentDays)},
		{!rule.AbortIncompleteMultipartUpload.IsDaysNull(), fmt.Sprintf("abort multipart uploads after %d days", rule.AbortIncompleteMultipartUpload.DaysAfterInitiation)},
		{rule.Expiration.IsDeleteMarkerExpirationEnabled(), "clear away marks that hide nothing"},
	} {
		if deed.does {
			deeds = append(deeds, deed.text)
		}
	}
	return deeds
}

// mergeLifecycle puts our rules in the place of those with their names. A rule that could not be sent back whole is an error.
func mergeLifecycle(rules []lifecycle.Rule) ([]lifecycle.Rule, error) {
	ours := sentRules()
	merged := slices.DeleteFunc(slices.Clone(rules), func(rule lifecycle.Rule) bool {
		return slices.ContainsFunc(ours, func(own lifecycle.Rule) bool { return own.ID == rule.ID })
	})
	for _, rule := range merged {
		// There may be several of them in a rule, of which only one is read.
		if !rule.Transition.IsNull() || !rule.NoncurrentVersionTransition.IsStorageClassEmpty() {
			return nil, fmt.Errorf("rule %q moves objects between storage classes, which this command cannot keep: add ours by hand", rule.ID)
		}
	}
	return append(merged, ours...), nil
}
