package session

import (
	"context"
	"time"
)

// Notice tells a client, at its back-channel logout URI, that a session in which
// it took part is over (OpenID Connect Back-Channel Logout 1.0). It is a row
// from the moment at which the session ends until it is delivered or given up.
type Notice struct {
	ApplicationID string
	ClientID      string
	UserID        string
	SID           string
	EndedAt       time.Time
	Attempts      int // that failed
	DueAt         time.Time
}

// Notices keeps notices until they are settled.
type Notices interface {
	// Due gives at most limit notices whose time has come, the longest due first.
	Due(ctx context.Context, now time.Time, limit int) ([]Notice, error)
	// Settle removes those that are done, and stores Attempts and DueAt of those
	// that are to be tried again.
	Settle(ctx context.Context, done, again []Notice) error
}
