package main

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

const (
	migrateTimeout = 10 * time.Minute // of a Job that sets no deadline itself
	migrateSlack   = time.Minute      // beyond its own deadline: to find a node and pull the image
)

// migrate brings the schema up to date, before any new code runs.
func (r *rollout) migrate(ctx context.Context) error {
	for _, job := range of(r.chosen, stageMigrate) {
		if err := r.runJob(ctx, job); err != nil {
			return fmt.Errorf("no function and no setting was touched and the old revisions go on serving: %w", err)
		}
	}
	return nil
}

func (r *rollout) runJob(ctx context.Context, job *object) error {
	name, namespace := job.GetName(), job.GetNamespace()
	last, err := get(ctx, namespace, "job", name)
	if err != nil {
		return fmt.Errorf("look for the last %s: %w", name, err)
	}
	if last != nil {
		// One that an interrupted rollout left running is not cut short.
		if _, _, err := awaitJob(ctx, last); err != nil {
			return err
		}
		if _, err := kubectl(ctx, nil, "delete", "job", name, "--namespace", namespace, "--cascade", "foreground", "--ignore-not-found"); err != nil {
			return fmt.Errorf("delete the last %s: %w", name, err)
		}
	}
	document, err := encode([]*object{job})
	if err != nil {
		return err
	}
	r.say("running job %s", name)
	if _, err := kubectl(ctx, document, "apply", "--filename", "-"); err != nil {
		return fmt.Errorf("apply job %s: %w", name, err)
	}
	complete, why, err := awaitJob(ctx, job)
	if err != nil {
		return err
	}
	if !complete {
		return fmt.Errorf("job %s failed: %s%s", name, why, logTail(ctx, namespace, "batch.kubernetes.io/job-name="+name))
	}
	r.say("job %s is complete", name)
	return nil
}

// awaitJob waits until a Job has ended; when it has failed, why says the reason.
func awaitJob(ctx context.Context, job *object) (complete bool, why string, err error) {
	var spec batchv1.JobSpec
	if err := into(job, &spec, "spec"); err != nil {
		return false, "", err
	}
	limit := migrateTimeout
	if spec.ActiveDeadlineSeconds != nil {
		limit = time.Duration(*spec.ActiveDeadlineSeconds)*time.Second + migrateSlack
	}
	name, namespace := job.GetName(), job.GetNamespace()
	ctx, cancel := context.WithTimeoutCause(ctx, limit,
		fmt.Errorf("job %s has not ended after %s: look at kubectl -n %s describe job %s", name, limit, namespace, name))
	defer cancel()
	err = watch(ctx, func(state *object) (bool, error) {
		if state == nil {
			return false, nil
		}
		var status batchv1.JobStatus
		if err := into(state, &status, "status"); err != nil {
			return false, err
		}
		for _, c := range status.Conditions {
			if c.Status != corev1.ConditionTrue {
				continue
			}
			switch c.Type {
			case batchv1.JobComplete:
				complete = true
				return true, nil
			case batchv1.JobFailed:
				why = c.Reason + ": " + c.Message
				return true, nil
			}
		}
		return false, nil
	}, "job", name, "--namespace", namespace)
	return complete, why, err
}
