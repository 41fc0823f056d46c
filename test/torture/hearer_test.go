package torture_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// hearer is where all clients hear of the ends of sessions. It outlives the server.
type hearer struct {
	url  string
	deaf atomic.Bool // it takes what comes and does not answer

	mu      sync.Mutex
	heard   map[ending]bool
	missed  map[ending]bool // that came while it was deaf
	changed chan struct{}   // closed at the next one that is heard
}

// ending is the end of a session, as one client hears of it.
type ending struct{ sid, client string }

func newHearer(t *testing.T) *hearer {
	t.Helper()
	h := &hearer{heard: map[ending]bool{}, missed: map[ending]bool{}, changed: make(chan struct{})}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	h.url = "http://" + listener.Addr().String() + "/logout"
	return h
}

// ServeHTTP takes a logout token (OpenID Connect Back-Channel Logout 1.0 §2.5).
func (h *hearer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	end, err := readEnding(r.FormValue("logout_token"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if h.deaf.Load() {
		h.mu.Lock()
		h.missed[end] = true
		h.mu.Unlock()
		<-r.Context().Done()
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard[end] = true
	close(h.changed)
	h.changed = make(chan struct{})
}

// readEnding reads what a logout token says; its signature is looked at elsewhere.
func readEnding(text string) (end ending, err error) {
	var claims struct {
		Audience string                     `json:"aud"`
		SID      string                     `json:"sid"`
		Events   map[string]json.RawMessage `json:"events"`
	}
	if err := readClaims(text, &claims); err != nil {
		return end, err
	}
	if claims.Audience == "" || claims.SID == "" || claims.Events["http://schemas.openid.net/event/backchannel-logout"] == nil {
		return end, errors.New("it lacks something")
	}
	return ending{claims.SID, claims.Audience}, nil
}

// readClaims reads the claims of a JWT.
func readClaims(text string, into any) error {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return fmt.Errorf("%d parts are not a JWT", len(parts))
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

// await waits until an ending was heard of.
func (h *hearer) await(ctx context.Context, end ending) error {
	for {
		h.mu.Lock()
		heard, changed := h.heard[end], h.changed
		h.mu.Unlock()
		if heard {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("client %s was not told that session %s ended", end.client, end.sid)
		}
	}
}

// late is how many endings were told again, that a client had not answered to
// before.
func (h *hearer) late() (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for end := range h.missed {
		if h.heard[end] {
			n++
		}
	}
	return n
}
