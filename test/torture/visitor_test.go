package torture_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/ostiary/ostiary/test/caller"
)

// visits count acknowledged answers and what became of the rest.
type visits struct {
	signIns, codes, exchanges, refreshes, repeats, revoked, thefts, logouts atomic.Int64
	unknown                                                                 atomic.Int64 // requests without an answer
	checkedSessions, checkedFamilies                                        atomic.Int64
}

func (f *visits) acknowledged() (n int64) {
	for _, kind := range []*atomic.Int64{&f.signIns, &f.codes, &f.exchanges, &f.refreshes, &f.repeats, &f.revoked, &f.thefts, &f.logouts} {
		n += kind.Load()
	}
	return n
}

// login is what the journal knows of one session.
type login struct {
	cookie  *http.Cookie
	sid     string // "": no ID token has told yet
	idToken string
	state   fate
	joined  map[string]bool // ids of the clients that were given a code
	touched bool
}

// endings are what clients must hear of, once the session is over.
func (s *login) endings() (list []ending) {
	if s.state != gone {
		return nil
	}
	for client := range s.joined {
		list = append(list, ending{s.sid, client})
	}
	return list
}

// lineage is what the journal knows of one token family.
type lineage struct {
	client  *caller.Caller
	session *login
	code    string
	refresh []string // tokens in the order of the answers; none: the code is not redeemed
	access  string   // of the last answer
	asked   bool     // the code, or the last refresh token, was presented and got no answer
	state   fate
	touched bool
}

// visitor is a user with one browser. He, and the clients that act for him, have
// one request under way at a time, so that there is never a question in which
// order two answers came to be.
type visitor struct {
	*house

	email    string
	random   *rand.Rand
	session  *login // that the browser has; nil: none
	sessions []*login
	families []*lineage
}

// outcome tells an acknowledged answer, an unknown outcome and a wrong answer
// apart.
func (v *visitor) outcome(answer *caller.Answer, err error, want int, into any) error {
	if err != nil || answer.Status == http.StatusServiceUnavailable {
		v.figures.unknown.Add(1)
		return errLost
	}
	return answer.Into(want, into)
}

// step is one request.
func (v *visitor) step(ctx context.Context) error {
	if v.session == nil {
		return v.signIn(ctx)
	}
	n, f := v.random.IntN(100), v.pick()
	switch {
	case n < 5 && v.session.sid != "":
		return v.logout(ctx)
	case n < 25 || f == nil:
		return v.authorize(ctx)
	case len(f.refresh) == 0:
		return v.redeem(ctx, f)
	case n < 32:
		return v.revoke(ctx, f)
	case n < 36 && len(f.refresh) > 2:
		return v.steal(ctx, f)
	case n < 46 && len(f.refresh) > 1:
		return v.repeat(ctx, f)
	default:
		return v.refresh(ctx, f)
	}
}

// pick chooses a family that is known to be there, rather a new one.
func (v *visitor) pick() *lineage {
	for range 8 {
		if len(v.families) == 0 {
			return nil
		}
		back := min(len(v.families), 1+v.random.IntN(8))
		if f := v.families[len(v.families)-back]; f.state == there && !f.asked {
			f.touched = true
			return f
		}
	}
	return nil
}

func (v *visitor) signIn(ctx context.Context) error {
	answer, err := v.owner.Browse(ctx, "/signin", url.Values{"email": {v.email}, "password": {password}})
	if err := v.outcome(answer, err, http.StatusSeeOther, nil); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	for _, cookie := range (&http.Response{Header: answer.Header}).Cookies() {
		if cookie.Name == "ostiary" {
			v.session = &login{cookie: cookie, joined: map[string]bool{}, touched: true}
			v.sessions = append(v.sessions, v.session)
			v.figures.signIns.Add(1)
			return nil
		}
	}
	return fmt.Errorf("signed in without a cookie: %v", answer.Header)
}

// visit goes to the authorization endpoint for a client, without pages, and gives
// the parameters that the browser is sent back with.
func (v *visitor) visit(ctx context.Context, s *login, client *caller.Caller) (url.Values, error) {
	query := url.Values{
		"response_type": {"code"}, "client_id": {client.ID}, "redirect_uri": {callback}, "scope": {"openid"}, "prompt": {"none"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	answer, err := v.owner.Browse(ctx, "/oauth2/authorize?"+query.Encode(), nil, s.cookie)
	if err := v.outcome(answer, err, http.StatusSeeOther, nil); err != nil {
		return nil, err
	}
	to, err := url.Parse(answer.Header.Get("Location"))
	if err != nil {
		return nil, err
	}
	if to.Query().Get("error") == "temporarily_unavailable" {
		v.figures.unknown.Add(1)
		return nil, errLost
	}
	return to.Query(), nil
}

func (v *visitor) authorize(ctx context.Context) error {
	s, client := v.session, v.clients[v.random.IntN(len(v.clients))]
	s.touched = true
	told, err := v.visit(ctx, s, client)
	if err != nil {
		return fmt.Errorf("authorize: %w", err)
	}
	if told.Get("code") == "" {
		return fmt.Errorf("authorize: sent back with %v", told)
	}
	s.joined[client.ID] = true
	v.families = append(v.families, &lineage{client: client, session: s, code: told.Get("code"), touched: true})
	v.figures.codes.Add(1)
	return nil
}

func (v *visitor) redeem(ctx context.Context, f *lineage) error {
	f.asked = true
	answer, err := f.client.Redeem(ctx, f.code, callback, verifier)
	if err := v.outcome(answer, err, http.StatusOK, nil); err != nil {
		return fmt.Errorf("redeem: %w", err)
	}
	v.figures.exchanges.Add(1)
	return f.take(answer)
}

func (v *visitor) refresh(ctx context.Context, f *lineage) error {
	f.asked = true
	answer, err := f.client.Refresh(ctx, f.last())
	if err := v.outcome(answer, err, http.StatusOK, nil); err != nil {
		return fmt.Errorf("refresh: %w", err)
	}
	v.figures.refreshes.Add(1)
	return f.take(answer)
}

func (f *lineage) last() string { return f.refresh[len(f.refresh)-1] }

// take journals what an exchange was answered.
func (f *lineage) take(answer *caller.Answer) error {
	var token caller.Token
	if err := answer.Into(http.StatusOK, &token); err != nil {
		return err
	}
	if token.RefreshToken == "" || token.IDToken == "" || len(f.refresh) > 0 && token.RefreshToken == f.last() {
		return fmt.Errorf("an exchange gave nothing new: %s", answer.Body)
	}
	f.asked, f.access, f.refresh = false, token.AccessToken, append(f.refresh, token.RefreshToken)
	if f.session.sid == "" {
		var claims struct {
			SID string `json:"sid"`
		}
		if err := readClaims(token.IDToken, &claims); err != nil {
			return err
		}
		if claims.SID == "" {
			return errors.New("an ID token without a session")
		}
		f.session.sid, f.session.idToken = claims.SID, token.IDToken
	}
	return nil
}

// repeat presents the refresh token before the last one, as a client does that
// got no answer: it is given the last one again.
func (v *visitor) repeat(ctx context.Context, f *lineage) error {
	var token caller.Token
	answer, err := f.client.Refresh(ctx, f.refresh[len(f.refresh)-2])
	if err := v.outcome(answer, err, http.StatusOK, &token); err != nil {
		return fmt.Errorf("refresh again: %w", err)
	}
	if token.RefreshToken != f.last() {
		return fmt.Errorf("a refresh that was repeated gave another refresh token: %s", answer.Body)
	}
	v.figures.repeats.Add(1)
	return nil
}

// steal presents a refresh token whose successor was used: the family dies.
func (v *visitor) steal(ctx context.Context, f *lineage) error {
	f.state = unknown
	answer, err := f.client.Refresh(ctx, f.refresh[v.random.IntN(len(f.refresh)-2)])
	if err := v.outcome(answer, err, http.StatusBadRequest, nil); err != nil {
		return fmt.Errorf("use a refresh token twice: %w", err)
	}
	f.state = gone
	v.figures.thefts.Add(1)
	return nil
}

func (v *visitor) revoke(ctx context.Context, f *lineage) error {
	f.state = unknown
	answer, err := f.client.Revoke(ctx, f.last())
	if err := v.outcome(answer, err, http.StatusOK, nil); err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	f.state = gone
	v.figures.revoked.Add(1)
	return nil
}

// logout ends the session; every second time from a moment on when clients do not
// answer any more, so that the server is killed with something left to tell.
func (v *visitor) logout(ctx context.Context) error {
	s := v.session
	if v.random.IntN(2) == 0 {
		v.hearer.deaf.Store(true)
	}
	s.touched, s.state = true, unknown
	answer, err := v.owner.Browse(ctx, "/oauth2/logout?id_token_hint="+s.idToken, nil, s.cookie)
	if err := v.outcome(answer, err, http.StatusOK, nil); err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	s.state, v.session = gone, nil
	v.figures.logouts.Add(1)
	return nil
}

// examine compares the server with what the visitor was answered. What was
// unknown is known after it.
func (v *visitor) examine(ctx context.Context, all bool) error {
	for _, s := range v.sessions {
		if all || s.touched {
			if err := v.examineSession(ctx, s); err != nil {
				return fmt.Errorf("session %s: %w", s.sid, err)
			}
		}
		s.touched = false
	}
	for n, f := range v.families {
		if all || f.touched {
			if err := v.examineFamily(ctx, f); err != nil {
				return fmt.Errorf("family %d, after %d exchanges: %w", n+1, len(f.refresh), err)
			}
		}
		f.touched = false
	}
	return nil
}

// examineSession asks for a code: who is signed in gets one.
func (v *visitor) examineSession(ctx context.Context, s *login) error {
	v.figures.checkedSessions.Add(1)
	client := v.clients[0]
	told, err := v.visit(ctx, s, client)
	if err != nil {
		return err
	}
	live := told.Get("code") != ""
	if !live && told.Get("error") != "login_required" {
		return fmt.Errorf("the browser was sent back with %v", told)
	}
	if s.state == unknown {
		if s.state = there; !live {
			s.state = gone
		}
	}
	switch {
	case live != (s.state == there):
		return fmt.Errorf("it is live: %t; acknowledged is its end: %t", live, s.state == gone)
	case live:
		s.joined[client.ID] = true
	case v.session == s:
		v.session = nil
	}
	return nil
}

// examineFamily redeems or refreshes: what was answered last must be good, be
// there an exchange under way or not; what was taken back must be dead.
func (v *visitor) examineFamily(ctx context.Context, f *lineage) error {
	v.figures.checkedFamilies.Add(1)
	switch {
	case f.state == unknown:
		active, err := v.active(ctx, f.last())
		if err != nil {
			return err
		}
		if f.state = there; !active {
			f.state = gone
		}
	case f.state == gone && len(f.refresh) == 0:
		return nil // a code that was redeemed, and whose answer was lost
	}
	if f.state == gone {
		return v.dead(ctx, f)
	}
	var answer *caller.Answer
	var err error
	if len(f.refresh) > 0 {
		answer, err = f.client.Refresh(ctx, f.last())
	} else {
		answer, err = f.client.Redeem(ctx, f.code, callback, verifier)
		if err == nil && f.asked && answer.Status == http.StatusBadRequest {
			f.state = gone // it was redeemed, and this was the second time
			return nil
		}
	}
	if err != nil {
		return err
	}
	if err := f.take(answer); err != nil {
		return fmt.Errorf("acknowledged, but %w", err)
	}
	return v.expect(ctx, f.access, true)
}

// dead sees that nothing of a family is good any more.
func (v *visitor) dead(ctx context.Context, f *lineage) error {
	for _, token := range []string{f.access, f.last()} {
		if err := v.expect(ctx, token, false); err != nil {
			return err
		}
	}
	answer, err := f.client.Refresh(ctx, f.last())
	if err != nil {
		return err
	}
	if err := answer.Into(http.StatusBadRequest, nil); err != nil {
		return fmt.Errorf("taken back, but a refresh %w", err)
	}
	return nil
}

// expect sees whether a token is active as it must be.
func (v *visitor) expect(ctx context.Context, token string, want bool) error {
	active, err := v.active(ctx, token)
	if err == nil && active != want {
		err = fmt.Errorf("a token: active is %t and must be %t", active, want)
	}
	return err
}

func (v *visitor) active(ctx context.Context, token string) (bool, error) {
	answer, err := v.owner.Introspect(ctx, token)
	if err != nil {
		return false, err
	}
	return answer.Active()
}
