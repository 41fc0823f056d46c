package app_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/servertest"
)

// TestStopUnderLoad stops a server that is busy on kept connections. Each
// request is either answered, or refused before it was sent, once the listener
// is gone: a connection that breaks under a request is a failure. The delay is
// the default one: who rests for longer between requests may find the end.
func TestStopUnderLoad(t *testing.T) {
	s := servertest.Start(t, servertest.Options{Configure: func(c *config.Config) { c.DrainDelay = time.Second }})
	var answered, closing atomic.Int64
	busy := make(chan struct{})
	var workers sync.WaitGroup
	for range 16 {
		workers.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			for {
				status, last, err := tokenRequest(s, transport)
				if errors.Is(err, syscall.ECONNREFUSED) {
					return
				}
				if err != nil || status != http.StatusOK {
					t.Errorf("status %d, %v", status, err)
					return
				}
				if answered.Add(1) == 500 {
					close(busy)
				}
				if last {
					closing.Add(1)
				}
			}
		})
	}
	ended := make(chan struct{})
	go func() { workers.Wait(); close(ended) }()
	select {
	case <-busy:
	case <-ended: // all of them failed, and said so
	}
	s.Stop()
	workers.Wait()
	if closing.Load() == 0 {
		t.Error("no answer asked its client to leave the connection")
	}
}

// tokenRequest asks for a token; last says that the connection ends with it.
func tokenRequest(s *servertest.Server, transport *http.Transport) (status int, last bool, err error) {
	r, err := http.NewRequest(http.MethodPost, s.Issuer+"/oauth2/token", io.NopCloser(strings.NewReader("grant_type=client_credentials"))) //nolint:noctx // bounded by the server
	if err != nil {
		return 0, false, err
	}
	r.SetBasicAuth(s.OwnerID, s.OwnerSecret)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return 0, false, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, answer.Close, err
}
