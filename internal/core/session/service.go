package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ostiary/ostiary/internal/cache"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/user"
)

// Service begins, finds and ends sessions. It is safe for concurrent use.
type Service struct {
	store Store
	users *user.Registry
	now   func() time.Time
	cache *cache.Cache[ID, *Session]
	ended func()

	mu      sync.Mutex
	seen    map[ID]sighting      // not yet written
	shorter map[string]shortened // by application
}

// shortened is a lifetime that is yet to be that of the sessions that are there.
type shortened struct {
	lifetime time.Duration
	revision int64  // of the application whose it is
	from     string // the user to go on from
}

// NewService makes a service that remembers at most cacheBytes.
func NewService(store Store, users *user.Registry, now func() time.Time, cacheBytes int) *Service {
	return &Service{
		store: store, users: users, now: now, ended: func() {}, seen: make(map[ID]sighting), shorter: make(map[string]shortened),
		cache: cache.New(cacheBytes, func(_ ID, s *Session) int {
			const record, entry = 500, 56 // the struct, the map's slot and short strings; a client's id
			return record + len(s.UserAgent) + entry*len(s.Clients)
		}),
	}
}

// OnEnd has ended called, after the commit, whenever sessions ended: there may
// be notices to send. It is called before the service is used.
func (s *Service) OnEnd(ended func()) { s.ended = ended }

// Ended says that sessions ended otherwise than through this service: with
// their user.
func (s *Service) Ended() { s.ended() }

// SignIn is how somebody proved who he is.
type SignIn struct {
	AMR       []string // RFC 8176
	ACR       string   // OneFactor or TwoFactors
	UserAgent string
}

// none is the answer for a session that is not there, whatever the reason.
var none = fault.NotFoundf("Nobody is signed in here, or no longer.")

// Begin makes a session of a user who proved who he is, and gives the value of
// its cookie. The source has the address that is kept with it.
func (s *Service) Begin(ctx context.Context, source audit.Source, app *application.Application, u *user.User, how SignIn) (*Session, string, error) {
	now := s.moment()
	cookie, id := newCookie()
	made := &Session{
		ID: id, SID: ident.Record(), ApplicationID: app.ID, UserID: u.UUID, UserEra: u.Era, CreatedAt: now, SeenAt: now,
	}
	made.signedIn(app, source, how, now)
	event, err := made.event(source, "session.begin", now)
	if err != nil {
		return nil, "", err
	}
	ended, err := s.store.Begin(ctx, made, event)
	if err != nil {
		return nil, "", err
	}
	s.void(ended)
	return made, cookie, nil
}

// Again notes that the user of a session proved again who he is. The cookie gets
// another value: one that somebody else may have planted opens nothing more.
func (s *Service) Again(ctx context.Context, source audit.Source, app *application.Application, before *Session, u *user.User, how SignIn) (*Session, string, error) {
	now := s.moment()
	cookie, id := newCookie()
	after := *before
	after.ID, after.UserEra, after.SeenAt = id, u.Era, now
	after.signedIn(app, source, how, now)
	event, err := after.event(source, "session.renew", now)
	if err != nil {
		return nil, "", err
	}
	defer s.cache.Void(before.ID)
	if err := s.store.Renew(ctx, before.ID, &after, event); err != nil {
		return nil, "", err
	}
	return &after, cookie, nil
}

// Rekey gives a session another cookie, by store, which is handed it as it is to
// be stored: whoever changes the user's password, and with it his era, does so in
// the same transaction. His other sessions are taken to have ended.
func (s *Service) Rekey(before *Session, store func(after *Session) error) (*Session, string, error) {
	cookie, id := newCookie()
	after := *before
	after.ID = id
	defer s.cache.Void(before.ID)
	if err := store(&after); err != nil {
		return nil, "", err
	}
	s.ended()
	return &after, cookie, nil
}

// signedIn notes the last proof.
func (s *Session) signedIn(app *application.Application, source audit.Source, how SignIn, now time.Time) {
	s.AuthTime, s.AMR, s.ACR = now, slices.Clone(how.AMR), how.ACR
	s.ExpiresAt = now.Add(app.Settings.Session())
	s.Address = ""
	if source.Address.IsValid() {
		s.Address = source.Address.String()
	}
	s.UserAgent = strings.ToValidUTF8(how.UserAgent[:min(len(how.UserAgent), MaxUserAgent)], "")
	s.UserAgent = strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, s.UserAgent)
}

// Find gives the session that a cookie's value is of, and its user. A fault
// NotFound says that there is none, or that it is over: it expired or was ended,
// or the user was deactivated, deleted, or has another password. An error
// otherwise says that it cannot be known.
func (s *Service) Find(ctx context.Context, app *application.Application, cookie string) (*Session, *user.User, error) {
	id, ok := idOf(cookie)
	if !ok {
		return nil, nil, none
	}
	found, err := s.cache.Load(id, func() (*Session, error) { return s.store.Get(ctx, id) })
	if err != nil {
		return nil, nil, err
	}
	now := s.now()
	// A shorter setting acts on sessions that are there; a longer one does not.
	if found.ApplicationID != app.ID || !now.Before(found.ExpiresAt) || !now.Before(found.AuthTime.Add(app.Settings.Session())) {
		return nil, nil, none
	}
	u, err := s.users.Get(ctx, app.ID, found.UserID)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil, none
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the session's user: %w", err)
	}
	if u.Inactive || u.Era != found.UserEra {
		return nil, nil, none
	}
	s.note(found, now)
	return found, u, nil
}

// Join remembers that a client took part in a session, so that it hears of its
// end. Nothing is written where that is known already. A fault NotFound says
// that the session ended meanwhile.
func (s *Service) Join(ctx context.Context, in *Session, clientID string) error {
	if _, known := slices.BinarySearch(in.Clients, clientID); known {
		return nil
	}
	defer s.cache.Void(in.ID)
	return s.store.Join(ctx, in, clientID)
}

// End ends a session; again does nothing.
func (s *Service) End(ctx context.Context, source audit.Source, over *Session) error {
	_, err := s.EndSID(ctx, source, over.ApplicationID, over.UserID, over.SID)
	return err
}

// EndSID ends the session of a user that has the SID; false where there is none.
// A userID of "" is any user's.
func (s *Service) EndSID(ctx context.Context, source audit.Source, applicationID, userID, sid string) (bool, error) {
	event := audit.New(source, applicationID, "session.end", "session:"+sid, s.moment())
	ended, ok, err := s.store.End(ctx, applicationID, userID, sid, event)
	if err != nil || !ok {
		return false, err
	}
	s.void([]Ended{ended})
	return true, nil
}

// EndAll ends the sessions of a user, save the one of the SID except ("": none),
// and says how many.
func (s *Service) EndAll(ctx context.Context, source audit.Source, applicationID, userID, except string) (int, error) {
	ended, err := s.store.EndAll(ctx, applicationID, userID, except, func(ended []Ended) (audit.Event, error) {
		event := audit.New(source, applicationID, "session.end_all", "user:"+userID, s.moment())
		sids := make([]string, len(ended))
		for i, e := range ended {
			sids[i] = e.SID
		}
		var err error
		event.Before, err = json.Marshal(map[string][]string{"sessions": sids})
		return event, err
	})
	if err != nil {
		return 0, err
	}
	s.void(ended)
	return len(ended), nil
}

// List gives the live sessions of a user, the one that signed in last first.
func (s *Service) List(ctx context.Context, app *application.Application, userID string) ([]*Session, error) {
	list, err := s.store.List(ctx, app.ID, userID)
	if err != nil {
		return nil, err
	}
	u, err := s.users.Get(ctx, app.ID, userID)
	if err != nil {
		return nil, err
	}
	now := s.now()
	list = slices.DeleteFunc(list, func(e *Session) bool {
		return u.Inactive || e.UserEra != u.Era || !now.Before(e.ExpiresAt) || !now.Before(e.AuthTime.Add(app.Settings.Session()))
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range list {
		if noted := s.seen[e.ID]; noted.at.After(e.SeenAt) {
			e.SeenAt = noted.at
		}
	}
	return list, nil
}

// Shorten has the sessions of an application end by its setting, where they would
// later. The latest setting counts. It is left to Sweep: of a server that is killed before, those that are
// left open nothing, but end when they would have.
func (s *Service) Shorten(app *application.Application) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shorter[app.ID].revision <= app.Revision {
		s.shorter[app.ID] = shortened{lifetime: app.Settings.Session(), revision: app.Revision}
	}
}

// shorten takes a step at what Shorten left to be done.
func (s *Service) shorten(ctx context.Context, limit int) (done int, err error) {
	s.mu.Lock()
	todo := maps.Clone(s.shorter)
	s.mu.Unlock()
	for applicationID, was := range todo {
		last, n, err := s.store.Shorten(ctx, applicationID, was.lifetime, was.from, limit)
		if err != nil {
			return done, err
		}
		s.mu.Lock()
		switch {
		case s.shorter[applicationID] != was: // it changed again
		case n < limit:
			delete(s.shorter, applicationID)
		default:
			s.shorter[applicationID] = shortened{was.lifetime, was.revision, last}
		}
		s.mu.Unlock()
		done += n
	}
	if done > 0 {
		s.cache.VoidAll()
	}
	return done, nil
}

// Sweep ends at most limit sessions that have expired, or would by a setting that
// became shorter. It says how many it looked at: limit or more, where there may
// be more.
func (s *Service) Sweep(ctx context.Context, limit int) (int, error) {
	looked, failed := s.shorten(ctx, limit)
	n, err := s.store.RemoveExpired(ctx, s.now(), limit)
	if n > 0 {
		s.ended()
	}
	return max(n, looked), errors.Join(failed, err)
}

// VoidAll forgets every session.
func (s *Service) VoidAll() { s.cache.VoidAll() }

// void forgets sessions that ended, and says that there may be notices.
func (s *Service) void(ended []Ended) {
	if len(ended) == 0 {
		return
	}
	for _, e := range ended {
		s.cache.Void(e.ID)
	}
	s.ended()
}

// event is a session as its audit events show it.
func (s *Session) event(source audit.Source, action string, now time.Time) (audit.Event, error) {
	event := audit.New(source, s.ApplicationID, action, "user:"+s.UserID, now)
	var err error
	event.After, err = json.Marshal(struct {
		SID string   `json:"sid"`
		AMR []string `json:"amr"`
		ACR string   `json:"acr"`
	}{s.SID, s.AMR, s.ACR})
	return event, err
}

// moment is now, in the microseconds that the databases keep.
func (s *Service) moment() time.Time { return s.now().UTC().Truncate(time.Microsecond) }
