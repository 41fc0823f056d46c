package configapi_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/client"
)

// world is a rig with the clients that the rows of the error table need.
type world struct {
	*rig
	plain, away, inactive, second creds // no feature; allowed elsewhere only; switched off; another owner
}

func newWorld(t *testing.T) *world {
	w := &world{rig: newRig(t)}
	w.plain = w.create(`{"name":"Plain"}`)
	w.away = w.create(`{"name":"Away","features":["owner"],"ipWhitelist":["203.0.113.0/24"]}`)
	w.inactive = w.create(`{"name":"Inactive","features":["owner"]}`)
	w.alter(w.inactive.id, func(c *client.Client) { c.Inactive = true })
	w.second = w.create(`{"name":"Second owner","features":["owner"]}`)
	return w
}

// throttled fails often enough from an address to be refused for a while.
func (w *world) throttled() *rig {
	blocked := w.from("203.0.113.200")
	for range 5 {
		blocked.do(http.MethodGet, w.path("/clients"), "", creds{w.owner.id, "wrong"})
	}
	return blocked
}

// errorRow is a row of the error table: each request breaks the row's rule and,
// wherever it can, those of the rows after it, and is answered with the row's.
type errorRow struct {
	row    string
	from   *rig // nil: the rig's own address
	as     creds
	method string
	path   string
	body   string
	status int
	text   string
}

const tooLong = 1<<20 + 1

func (w *world) rowsOfAccess() []errorRow {
	ghost, wrong := creds{"ghost", "secret"}, creds{w.away.id, "wrong"}
	big := strings.Repeat("x", tooLong)
	clients, unknown, nowhere := w.path("/clients"), w.clientPath("unknown"), "/config/unknown-application/clients"
	blocked := w.throttled()
	return []errorRow{
		{"1 before 2: route", blocked, nobody, "GET", w.path("/nothing"), "", 404, "Not found."},
		{"1 before 2: method", blocked, nobody, "DELETE", clients, "", 405, "Method not allowed."},
		{"2 before 3", blocked, nobody, "GET", clients, "", 429, "Too many requests."},
		{"2 with the right secret", blocked, w.owner, "GET", clients, "", 429, "Too many requests."},
		{"3 before 4", nil, nobody, "GET", nowhere, "", 401, "Authentication required."},
		{"4 before 5", nil, ghost, "GET", nowhere, "", 404, "Application ID not found."},
		{"4 before 8", nil, w.owner, "POST", nowhere, big, 404, "Application ID not found."},
		{"5 before 6: unknown client", nil, ghost, "GET", clients, "", 401, "Authentication required."},
		{"5 before 6: wrong secret", nil, wrong, "POST", clients, "", 401, "Authentication required."},
		{"5 before 7: wrong secret of an inactive one", nil, creds{w.inactive.id, "wrong"}, "GET", clients, "", 401, "Authentication required."},
		{"6 before 8", nil, w.away, "POST", clients, big, 403, "Authentication required."},
		{"7 before 8: no owner", nil, w.plain, "POST", clients, big, 403, "Authentication required."},
		{"7 before 9: inactive", nil, w.inactive, "GET", unknown, "", 403, "Authentication required."},
		{"7: writing one's own settings", nil, w.plain, "PUT", w.clientPath(w.plain.id) + "/settings", "{}", 403, "Authentication required."},
		{"7: settings of another", nil, w.plain, "GET", w.clientPath(w.second.id) + "/settings", "", 403, "Authentication required."},
		{"7: one's own settings while inactive", nil, w.inactive, "GET", w.clientPath(w.inactive.id) + "/settings", "", 403, "Authentication required."},
		{"7: one's own record is not one's settings", nil, w.plain, "GET", w.clientPath(w.plain.id), "", 403, "Authentication required."},
		{"8 before 9", nil, w.owner, "PUT", unknown, big, 413, "Request body too large."},
		{"8 before 10", nil, w.owner, "POST", clients, big, 413, "Request body too large."},
		{"9 before 10", nil, w.owner, "PUT", unknown, "{", 404, "Client ID not found."},
		{"9 before 19", nil, w.owner, "PUT", unknown + "/secret", "{}", 404, "Client ID not found."},
		{"9: GET", nil, w.owner, "GET", unknown, "", 404, "Client ID not found."},
		{"9: PATCH", nil, w.owner, "PATCH", unknown, "[", 404, "Client ID not found."},
		{"9: DELETE", nil, w.owner, "DELETE", unknown, "", 404, "Client ID not found."},
		{"9: settings", nil, w.owner, "GET", unknown + "/settings", "", 404, "Client ID not found."},
		{"9 before 10: settings", nil, w.owner, "PUT", unknown + "/settings", "[", 404, "Client ID not found."},
		{"9: an id that none can have", nil, w.owner, "GET", w.clientPath("%00%ff"), "", 404, "Client ID not found."},
		{"4: an id that none can have", nil, w.owner, "GET", "/config/%00%ff/clients", "", 404, "Application ID not found."},
		{"5: an id that none can have", nil, creds{"\x00\xff", "x"}, "GET", clients, "", 401, "Authentication required."},
	}
}

func TestRowsOfAccess(t *testing.T) {
	w := newWorld(t)
	for _, row := range w.rowsOfAccess() {
		t.Run(row.row, func(t *testing.T) { w.check(t, row) })
	}
}

func (w *world) check(t *testing.T, row errorRow) {
	from := w.rig
	if row.from != nil {
		from = row.from
	}
	from.refused(t, from.request(row.method, row.path, row.body, row.as), row.status, row.text)
}

// The rows of the fields, in POST and, for a client that is there, in PUT.
func TestRowsOfFields(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("a", 256)
	const missing, text = "Missing data for required field.", "Not a valid string."
	const cidr, feature = "Not a valid CIDR address.", "Not a valid feature name."
	const metadata = "The metadata feature can only be applied to a client by Akamai."
	const login = "Clients with the login_client feature cannot have any other features."
	for _, row := range []struct {
		row, body string
		status    int
		text      string
	}{
		{"10: an array", `[]`, 400, "Invalid JSON."},
		{"10: a string", `"name"`, 400, "Invalid JSON."},
		{"10: null", `null`, 400, "Invalid JSON."},
		{"10: cut short", `{"name":`, 400, "Invalid JSON."},
		{"10: something after it", `{"name":"x"} {}`, 400, "Invalid JSON."},
		{"10: broken UTF-8", "{\"name\":\"a\xff\"}", 400, "Invalid JSON."},
		{"10: a byte order mark", "\ufeff{}", 400, "Invalid JSON."},
		{"10: white space", " \n", 400, "Invalid JSON."},
		{"10: a form", `name=x&features=owner`, 400, "Invalid JSON."},
		{"11: no body", ``, 400, missing},
		{"11 before 13", `{"ipWhitelist":[]}`, 400, missing},
		{"11: empty", `{"name":"","ipWhitelist":[]}`, 400, missing},
		{"11 before 12: a line break is trimmed away", `{"name":" \n\t "}`, 400, missing},
		{"11: names are case-sensitive", `{"Name":"x"}`, 400, missing},
		{"12 before 13: a number", `{"name":5,"ipWhitelist":[]}`, 400, text},
		{"12: null", `{"name":null,"ipWhitelist":[]}`, 400, text},
		{"12: an object", `{"name":{},"features":["x"]}`, 400, text},
		{"12: 256 characters", `{"name":"` + long + `"}`, 400, text},
		{"12: a control character", `{"name":"a\u0000b"}`, 400, text},
		{"12: a line break inside", `{"name":"a\nb"}`, 400, text},
		{"12: half a surrogate pair", `{"name":"a\ud800b"}`, 400, text},
		{"13 before 14: empty", `{"name":"x","ipWhitelist":[],"features":["x"]}`, 400, cidr},
		{"13: null", `{"name":"x","ipWhitelist":null}`, 400, cidr},
		{"13: a string", `{"name":"x","ipWhitelist":"10.0.0.0/8"}`, 400, cidr},
		{"13: a number in it", `{"name":"x","ipWhitelist":["10.0.0.0/8",1]}`, 400, cidr},
		{"13: no prefix length", `{"name":"x","ipWhitelist":["10.0.0.1"]}`, 400, cidr},
		{"13: one of two", `{"name":"x","ipWhitelist":["10.0.0.0/8","10.0.0.0/33"]}`, 400, cidr},
		{"14 before 15", `{"name":"x","features":["metadata","x"]}`, 400, feature},
		{"14 before 16", `{"name":"x","features":["login_client","owner","x"]}`, 400, feature},
		{"14: null", `{"name":"x","features":null}`, 400, feature},
		{"14: a string", `{"name":"x","features":"owner"}`, 400, feature},
		{"14: a number in it", `{"name":"x","features":[1]}`, 400, feature},
		{"14: case matters", `{"name":"x","features":["Owner"]}`, 400, feature},
		{"15 before 16", `{"name":"x","features":["metadata","login_client"]}`, 400, metadata},
		{"15 before 18", `{"name":"PLAIN","features":["metadata"]}`, 400, metadata},
		{"16 before 18", `{"name":"Plain","features":["login_client","direct_access"]}`, 400, login},
		{"18", `{"name":" pLAIN\t"}`, 409, "API client pLAIN already exists."},
		{"18: escapes are read", `{"name":"Pl\u0061in"}`, 409, "API client Plain already exists."},
	} {
		for _, target := range []struct{ method, path string }{
			{http.MethodPost, w.path("/clients")}, {http.MethodPut, w.clientPath(w.second.id)},
		} {
			t.Run(target.method+" "+row.row, func(t *testing.T) {
				w.refused(t, w.request(target.method, target.path, row.body, w.owner), row.status, row.text)
			})
		}
	}
}

// The rows that depend on who asks and on what is stored.
func TestRowsOfTheRow(t *testing.T) {
	w := newWorld(t)
	own, second, plain := w.clientPath(w.owner.id), w.clientPath(w.second.id), w.clientPath(w.plain.id)
	const dropped = "An owner cannot remove the owner feature from itself."
	const missing, integer, outside = "Missing data for required field.", "Not a valid integer.", "Must be between 0 and 168."
	for _, row := range []errorRow{
		{"16 before 17", nil, w.owner, "PUT", own, `{"name":"x","features":["login_client","direct_access"]}`, 400, "Clients with the login_client feature cannot have any other features."},
		{"15 before 17", nil, w.owner, "PUT", own, `{"name":"x","features":["metadata"]}`, 400, "The metadata feature can only be applied to a client by Akamai."},
		{"17 before 18: PUT", nil, w.owner, "PUT", own, `{"name":"Plain"}`, 403, dropped},
		{"17: other features", nil, w.owner, "PUT", own, `{"name":"x","features":["direct_access"]}`, 403, dropped},
		{"17: PATCH", nil, w.owner, "PATCH", own, `{"features":null}`, 403, dropped},
		{"17: PATCH to none", nil, w.owner, "PATCH", own, `{"features":[]}`, 403, dropped},
		{"17: deletion of another owner", nil, w.owner, "DELETE", second, ``, 403, "Clients with the owner feature cannot be deleted."},
		{"17: deletion of oneself", nil, w.owner, "DELETE", own, ``, 403, "Clients with the owner feature cannot be deleted."},
		{"10: PATCH", nil, w.owner, "PATCH", plain, `[]`, 400, "Invalid JSON."},
		{"11: PATCH", nil, w.owner, "PATCH", plain, `{"name":" "}`, 400, missing},
		{"12: PATCH with null", nil, w.owner, "PATCH", plain, `{"name":null,"ipWhitelist":[]}`, 400, "Not a valid string."},
		{"12: PATCH of a part of it", nil, w.owner, "PATCH", plain, `{"name":{"x":null}}`, 400, "Not a valid string."},
		{"13: PATCH", nil, w.owner, "PATCH", plain, `{"ipWhitelist":[],"features":["x"]}`, 400, "Not a valid CIDR address."},
		{"14: PATCH", nil, w.owner, "PATCH", plain, `{"features":["x"]}`, 400, "Not a valid feature name."},
		{"18: PATCH", nil, w.owner, "PATCH", plain, `{"name":"second OWNER"}`, 409, "API client second OWNER already exists."},
		{"10 before 19", nil, w.owner, "PUT", plain + "/secret", `{"hoursToLive":5`, 400, "Invalid JSON."},
		{"19: absent", nil, w.owner, "PUT", plain + "/secret", `{"hourstolive":5}`, 400, missing},
		{"19: no body", nil, w.owner, "PUT", plain + "/secret", ``, 400, missing},
		{"19: null", nil, w.owner, "PUT", plain + "/secret", `{"hoursToLive":null}`, 400, integer},
		{"19: a string", nil, w.owner, "PUT", plain + "/secret", `{"hoursToLive":"5"}`, 400, integer},
		{"19: 5.0", nil, w.owner, "PUT", plain + "/secret", `{"hoursToLive":5.0}`, 400, integer},
		{"19: 1e1", nil, w.owner, "PUT", plain + "/secret", `{"hoursToLive":1e1}`, 400, integer},
		{"19: true", nil, w.owner, "PUT", plain + "/secret", `{"hoursToLive":true}`, 400, integer},
		{"19: an array", nil, w.owner, "PUT", plain + "/secret", `{"hoursToLive":[5]}`, 400, integer},
		{"19: -1", nil, w.owner, "PUT", plain + "/secret", `{"hoursToLive":-1}`, 400, outside},
		{"19: 169", nil, w.owner, "PUT", plain + "/secret", `{"hoursToLive":169}`, 400, outside},
		{"19: a huge integer", nil, w.owner, "PUT", plain + "/secret", `{"hoursToLive":1` + strings.Repeat("0", 400) + `}`, 400, outside},
	} {
		t.Run(row.row, func(t *testing.T) { w.check(t, row) })
	}
}

func TestTheVendorNameIsInTheText(t *testing.T) {
	r := newRig(t, "vendor_name=Example & Söhne")
	r.refused(t, r.request("POST", r.path("/clients"), `{"name":"x","features":["metadata"]}`, r.owner),
		400, "The metadata feature can only be applied to a client by Example & Söhne.")
	if a := r.ask("PUT", r.path("/settings"), `{"vendor_name":"Other <Inc>"}`); a.status != 200 {
		t.Fatal(a)
	}
	r.refused(t, r.request("POST", r.path("/clients"), `{"name":"x","features":["metadata"]}`, r.owner),
		400, "The metadata feature can only be applied to a client by Other <Inc>.")
}

func TestMalformedAuthorization(t *testing.T) {
	r := newRig(t)
	good := r.request("GET", r.path("/clients"), "", r.owner).Header.Get("Authorization")
	for name, lines := range map[string][]string{
		"none":          nil,
		"empty":         {""},
		"two":           {good, good},
		"bearer":        {"Bearer abc"},
		"no base64":     {"Basic !!!"},
		"no colon":      {"Basic b3duZXI="},
		"only a scheme": {"Basic"},
		"a list":        {good + ", " + good},
	} {
		t.Run(name, func(t *testing.T) {
			request := r.request("GET", r.path("/clients"), "", nobody)
			request.Header["Authorization"] = lines
			r.refused(t, request, 401, "Authentication required.")
		})
	}
	request := r.request("GET", r.path("/clients"), "", nobody)
	request.Header.Set("Authorization", strings.Replace(good, "Basic", "bASIC", 1))
	if a := r.send(request); a.status != 200 {
		t.Errorf("the scheme's case matters: %v", a)
	}
}

// Row 20: nothing is answered from memory while the database is out of reach.
func TestOutOfReach(t *testing.T) {
	w := newWorld(t)
	w.loseLease()
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		w.refused(t, w.request(method, w.clientPath(w.second.id), `{"name":"x"}`, w.owner), 503, "Service unavailable.")
	}
	w.refused(t, w.request("GET", w.path("/clients"), "", creds{w.owner.id, "wrong"}), 503, "Service unavailable.")
	w.refused(t, w.request("GET", w.path("/clients"), "", nobody), 401, "Authentication required.")
}

// The throttle forgives with time.
func TestTooManyRequests(t *testing.T) {
	w := newWorld(t)
	blocked := w.throttled()
	a := blocked.do("GET", w.path("/clients"), "", w.owner)
	if a.status != 429 || a.header.Get("Retry-After") != "1" {
		t.Fatalf("%d, Retry-After %q", a.status, a.header.Get("Retry-After"))
	}
	if a := w.ask("GET", w.path("/clients"), ""); a.status != 200 {
		t.Errorf("another address is refused too: %v", a)
	}
	w.clock.Advance(1e9)
	if a := blocked.do("GET", w.path("/clients"), "", w.owner); a.status != 200 {
		t.Errorf("after the time it was told: %v", a)
	}
}

// A body that breaks off is no JSON, and not the server's fault.
func TestABodyThatBreaksOff(t *testing.T) {
	r := newRig(t)
	request := httptest.NewRequestWithContext(t.Context(), "POST", r.path("/clients"), brokenBody{})
	request.SetBasicAuth(r.owner.id, r.owner.secret)
	request.ContentLength = 100
	r.refused(t, request, 400, "Invalid JSON.")
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, errors.New("connection reset") }
