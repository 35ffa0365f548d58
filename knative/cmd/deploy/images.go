package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	imagePrefix  = "ko://"
	buildTimeout = 30 * time.Minute // of all images, from an empty build cache, for every platform
)

var digest = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)

// resolveImages builds and pushes the images that chosen objects name by import path, and puts their digests in
// the place of these.
func (r *rollout) resolveImages(ctx context.Context) error {
	building, err := withImports(r.chosen)
	if err != nil {
		return err
	}
	if len(building) > 0 {
		documents, err := encode(building)
		if err != nil {
			return err
		}
		r.say("building %d images", len(building))
		// The same names as those of make images, so that one repository serves both.
		printed, err := command(ctx, buildTimeout, documents, "bin/ko", "resolve", "--base-import-paths", "--filename", "-")
		if err != nil {
			return fmt.Errorf("build images: %w", err)
		}
		resolved, err := decode(printed)
		if err != nil {
			return fmt.Errorf("build images: %w", err)
		}
		if len(resolved) != len(building) {
			return fmt.Errorf("build images: ko was given %d objects and returned %d", len(building), len(resolved))
		}
		for i, o := range building {
			o.Object = resolved[i].Object
		}
	}
	return requireDigests(r.chosen)
}

func withImports(objects []*object) ([]*object, error) {
	var chosen []*object
	for _, o := range objects {
		images, err := imagesOf(o)
		if err != nil {
			return nil, err
		}
		for _, image := range images {
			if strings.HasPrefix(image, imagePrefix) {
				chosen = append(chosen, o)
				break
			}
		}
	}
	return chosen, nil
}

// requireDigests refuses tags: what a tag names can change between two pods of one revision.
func requireDigests(objects []*object) error {
	var all []error
	for _, o := range objects {
		images, err := imagesOf(o)
		if err != nil {
			return err
		}
		for _, image := range images {
			if !digest.MatchString(image) {
				all = append(all, fmt.Errorf("%s %s: image %s is not named by its digest (…@sha256:…)", o.GetKind(), o.GetName(), image))
			}
		}
	}
	return errors.Join(all...)
}

func imagesOf(o *object) ([]string, error) {
	pod, err := podOf(o)
	if err != nil {
		return nil, err
	}
	var images []string
	for _, c := range containers(pod) {
		images = append(images, c.Image)
	}
	return images, nil
}

// podOf returns the pods that an object makes; empty for one that makes none.
func podOf(o *object) (*corev1.PodSpec, error) {
	pod := &corev1.PodSpec{}
	switch stageOf(o) {
	case stageWorkload, stageStandIn, stageMigrate, stageFunction:
		return pod, into(o, pod, "spec", "template", "spec")
	}
	return pod, nil
}

func containers(pod *corev1.PodSpec) []corev1.Container {
	all := make([]corev1.Container, 0, len(pod.InitContainers)+len(pod.Containers))
	return append(append(all, pod.InitContainers...), pod.Containers...)
}
