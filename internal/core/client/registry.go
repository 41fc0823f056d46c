package client

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/cache"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/key"
)

// Registry gives clients from memory, where they are, and authenticates them.
type Registry struct {
	store Store
	keys  *key.Ring
	now   func() time.Time
	cache *cache.Cache[id, *Client]
	// origins remembers whether a client of an application has an origin. Any
	// change of a client voids it: browsers ask once in two hours.
	origins *cache.Cache[origin, bool]
	used    func(applicationID string, client int64, secret string, at time.Time)
}

type (
	id     struct{ application, client string }
	origin struct{ application, origin string }
)

// NewRegistry makes a registry that remembers at most cacheBytes.
func NewRegistry(store Store, keys *key.Ring, now func() time.Time, cacheBytes int) *Registry {
	return &Registry{
		store: store, keys: keys, now: now, cache: cache.New(cacheBytes/24*23, weight),
		origins: cache.New(cacheBytes/24, func(o origin, _ bool) int { return 150 + len(o.origin) }),
		used:    func(string, int64, string, time.Time) {},
	}
}

// OnUse has used called, on the way of the request, whenever an active client
// proves itself by one of its secrets: the client by its Sequence, the secret by
// its id. It is called before the registry is used.
func (r *Registry) OnUse(used func(applicationID string, client int64, secret string, at time.Time)) {
	r.used = used
}

// weight estimates the bytes that a client takes in memory.
func weight(_ id, c *Client) int {
	const (
		record = 1000 // the struct, the map's slot and short strings
		secret = 320
		entry  = 40 // of a list whose texts are short
		header = 16 // of a text in a list
	)
	s := &c.Settings
	bytes := record + secret*len(c.Secrets) + len(c.Name) + len(s.Description) + len(s.Redirect.Backchannel) +
		entry*(len(s.AllowedIPs)+len(s.Features)+len(s.GrantTypes))
	for _, texts := range [][]string{s.Scopes.Allowed, s.Redirect.URIs, s.Redirect.PostLogout, s.Redirect.Origins, s.Tags, s.Contacts} {
		for _, text := range texts {
			bytes += header + len(text)
		}
	}
	return bytes
}

// Get gives a client; a fault NotFound where there is none.
func (r *Registry) Get(ctx context.Context, applicationID, clientID string) (*Client, error) {
	k := id{applicationID, clientID}
	return r.cache.Load(k, func() (*Client, error) { return r.store.Get(ctx, applicationID, clientID) })
}

// Void forgets what is remembered of a client. Whoever changes one calls it
// after the commit and before the answer.
func (r *Registry) Void(applicationID, clientID string) {
	r.cache.Void(id{applicationID, clientID})
	r.origins.VoidAll()
}

// VoidAll forgets every client.
func (r *Registry) VoidAll() {
	r.cache.VoidAll()
	r.origins.VoidAll()
}

// maxOrigin bounds an origin that is looked for, in bytes: the longest name of a
// host, a scheme and a port.
const maxOrigin = 300

// KnowsOrigin reports whether a page of an origin may call for some client of the
// application.
func (r *Registry) KnowsOrigin(ctx context.Context, applicationID, text string) (bool, error) {
	if text == "" || text == "null" || len(text) > maxOrigin {
		return false, nil
	}
	return r.origins.Load(origin{applicationID, text}, func() (bool, error) { return r.store.HasOrigin(ctx, applicationID, text) })
}

var errCredentials = fault.Deniedf("The client is not known, or its secret is wrong or expired.")

// Authenticate gives the client whose live secret this is. An unknown client, a
// wrong and an expired secret are one fault Denied; Unavailable says that it
// cannot be known now. An inactive client is given back: the caller judges.
// With Denied the client is given too, where it is known: only to be counted.
func (r *Registry) Authenticate(ctx context.Context, applicationID, clientID, text string) (*Client, error) {
	c, err := r.Get(ctx, applicationID, clientID)
	if fault.KindOf(err) == fault.NotFound {
		// As much work as for a known client, so that ids cannot be told apart.
		_, _ = r.keys.DigestSecret(applicationID, clientID, text)
		return nil, errCredentials
	}
	if err != nil {
		return nil, err
	}
	now := r.now()
	for i := range c.Secrets {
		s := &c.Secrets[i]
		if !s.Live(now) {
			continue
		}
		ok, err := r.keys.VerifySecret(ctx, applicationID, clientID, text, s.Digest, s.DigestKey)
		if err != nil {
			return nil, err
		}
		if ok {
			if !c.Inactive {
				r.used(applicationID, c.Sequence, s.ID, now)
			}
			r.remake(ctx, c, s, text)
			return c, nil
		}
	}
	return c, errCredentials
}

// remake replaces a digest made under an older key, or by another program, now
// that the secret is at hand. It is a chance, not a duty: where it fails the next
// use tries again.
func (r *Registry) remake(ctx context.Context, c *Client, used *Secret, text string) {
	if used.DigestKey == r.keys.CurrentDigestKey() { // nearly always: this is in the way of each request
		return
	}
	slow := used.DigestKey == 0 && !strong(text)
	if slow && key.OwnHash(string(used.Digest)) {
		return
	}
	var digest []byte
	var number int32
	if slow {
		hash, err := r.keys.HashSecret(ctx, text)
		if err != nil {
			return
		}
		digest = []byte(hash)
	} else {
		digest, number = r.keys.DigestSecret(c.ApplicationID, c.ID, text)
	}
	defer r.Void(c.ApplicationID, c.ID)
	_, _ = r.store.Change(ctx, c.ApplicationID, c.ID, NameAndVersion, func(c *Client) (audit.Event, error) {
		i := slices.IndexFunc(c.Secrets, func(s Secret) bool { return s.ID == used.ID && bytes.Equal(s.Digest, used.Digest) })
		if i < 0 {
			return audit.Event{}, errRemade
		}
		s := &c.Secrets[i]
		s.Digest, s.DigestKey, s.Hint = digest, number, hint(text)
		return audit.New(audit.System(), c.ApplicationID, "client.secret.rehash", "client:"+c.ID, r.now()), nil
	})
}

// errRemade: another request was first. Nothing is to be done.
var errRemade = errors.New("client: the digest was remade already")

// hint gives what a secret is told by: its last 4 characters.
func hint(text string) string { return text[max(0, len(text)-4):] }
