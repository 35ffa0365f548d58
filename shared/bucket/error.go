package bucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/minio/minio-go/v7"
)

// ErrNotFound means that there is no object under the key.
var ErrNotFound = errors.New("no such object")

// Unavailable returns whether err says that the bucket, and not the request, is what is wrong: unreachable, overloaded
// or too slow. Such an error also has a method Unavailable that returns true.
func Unavailable(err error) bool {
	var a *awayError
	return errors.As(err, &a)
}

// An awayError is an error of a bucket that is away.
type awayError struct{ err error }

func (e *awayError) Error() string     { return "bucket is away: " + e.err.Error() }
func (e *awayError) Unwrap() error     { return e.err }
func (e *awayError) Unavailable() bool { return true }

// explain says what was being done and what err means for it. Of a refusal it keeps the code alone: its message may hold
// the key.
func explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	var refused minio.ErrorResponse
	var request *url.Error
	switch {
	case errors.As(err, &refused):
		err = refusal(refused)
	case errors.Is(err, context.Canceled):
		err = context.Canceled
	case errors.As(err, &request):
		// It would show the address, and the key in it.
		err = &awayError{request.Err}
	default:
		err = &awayError{err}
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func refusal(r minio.ErrorResponse) error {
	err := fmt.Errorf("bucket refused: %s, status %d", r.Code, r.StatusCode)
	switch r.Code {
	case minio.NoSuchKey, minio.NoSuchVersion:
		return ErrNotFound
	case "InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown":
		return &awayError{err}
	}
	switch r.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return &awayError{err}
	}
	return err
}
