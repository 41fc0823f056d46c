package apiclient_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ostiary/ostiary/apiclient"
)

func TestReadError(t *testing.T) {
	const problem = "application/problem+json; charset=utf-8"
	for _, test := range []struct {
		name, kind, body string
		want             string
		refusals         int
	}{
		{"a problem document", problem, `{"title":"Unprocessable Entity","status":422,"detail":"Some values were refused.","errors":[{"location":"body.name","message":"Write more."}]}`, "Some values were refused.; body.name: Write more.", 1},
		{"without a detail", problem, `{"title":"Conflict","status":409}`, "Conflict", 0},
		{"of a proxy", "text/html", "<html>bad gateway</html>", "The server answers 422 Unprocessable Entity.", 0},
		{"of another server", "application/json", `{"detail":"no"}`, "The server answers 422 Unprocessable Entity.", 0},
		{"of another shape", problem, `{"errors":"no"}`, "The server answers 422 Unprocessable Entity.", 0},
		{"empty", "", "", "The server answers 422 Unprocessable Entity.", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer := &http.Response{StatusCode: http.StatusUnprocessableEntity, Status: "422 Unprocessable Entity", Header: http.Header{"Retry-After": {"7"}, "X-Request-Id": {"r1"}, "Content-Type": {test.kind}}}
			got := apiclient.ReadError(answer, []byte(test.body))
			if got.Error() != test.want || len(got.Refusals) != test.refusals {
				t.Errorf("%q with %d refusals, want %q with %d", got, len(got.Refusals), test.want, test.refusals)
			}
			if got.Status != http.StatusUnprocessableEntity || got.RetryAfter != 7*time.Second || got.RequestID != "r1" {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestCallers(t *testing.T) {
	for _, test := range []struct {
		option apiclient.ClientOption
		want   string
	}{
		{apiclient.WithBasic("id", "secret"), "Basic aWQ6c2VjcmV0"},
		{apiclient.WithBearer("ost_at_x"), "Bearer ost_at_x"},
	} {
		got := ""
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("Authorization") }))
		client, err := apiclient.NewClient(server.URL, test.option)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.GetApplication(t.Context(), "shop")
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		server.Close()
		if got != test.want {
			t.Errorf("Authorization %q, want %q", got, test.want)
		}
	}
}
