package apiclient_test

import (
	"net/http"
	"testing"

	"github.com/oapi-codegen/nullable"

	"github.com/ostiary/ostiary/apiclient"
	"github.com/ostiary/ostiary/internal/servertest"
)

// TestAgainstAServer writes a client as a program does that has the types.
func TestAgainstAServer(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	api, err := apiclient.NewClientWithResponses(s.URL, apiclient.WithBasic(s.OwnerID, s.OwnerSecret))
	if err != nil {
		t.Fatal(err)
	}
	var never apiclient.ClientFields_AccessTokenLifetime
	if err := never.FromClientFieldsAccessTokenLifetime1("never"); err != nil {
		t.Fatal(err)
	}
	made, err := api.CreateClientWithResponse(t.Context(), s.ApplicationID, apiclient.ClientFields{
		Name:                nullable.NewNullableWithValue("Billing"),
		Kind:                nullable.NewNullableWithValue(apiclient.ClientFieldsKindWeb),
		RedirectUris:        nullable.NewNullableWithValue([]string{"https://a.example.com/"}),
		AccessTokenLifetime: nullable.NewNullableWithValue(never),
	})
	if err != nil || made.JSON201 == nil || made.JSON201.Secret == nil {
		t.Fatalf("%v: %s", err, made.Body)
	}
	if word, err := made.JSON201.AccessTokenLifetime.AsClientAccessTokenLifetime1(); err != nil || word != "never" {
		t.Errorf("the lifetime is %q, %v", word, err)
	}

	// null is the default; what is absent stays.
	id, etag := made.JSON201.Id, made.HTTPResponse.Header.Get("ETag")
	edited, err := api.EditClientWithApplicationMergePatchPlusJSONBodyWithResponse(t.Context(), s.ApplicationID, id,
		&apiclient.EditClientParams{IfMatch: &etag}, apiclient.ClientFields{RedirectUris: nullable.NewNullNullable[[]string]()})
	if err != nil || edited.JSON200 == nil {
		t.Fatalf("%v: %s", err, edited.Body)
	}
	if c := edited.JSON200; len(c.RedirectUris) != 0 || c.AccessTokenFormat != apiclient.ClientAccessTokenFormatOpaque || !c.RateLimit.IsNull() {
		t.Errorf("%+v", c)
	}

	stale, err := api.DeleteClientWithResponse(t.Context(), s.ApplicationID, id, &apiclient.DeleteClientParams{IfMatch: &etag})
	if err != nil || stale.StatusCode() != http.StatusPreconditionFailed {
		t.Fatalf("%v: %s", err, stale.Body)
	}
	if e := apiclient.ReadError(stale.HTTPResponse, stale.Body); e.Status != http.StatusPreconditionFailed || !e.Problem || e.RequestID == "" {
		t.Errorf("%+v", e)
	}
}
