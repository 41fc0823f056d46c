package transfer

import (
	"encoding/json"
	"slices"

	"github.com/ostiary/ostiary/internal/core/client"
)

// akamaiClient is a client as GET /config/{app}/clients of the Akamai Identity
// Cloud gives it.
type akamaiClient struct {
	ID          string   `json:"_id"`
	Secret      *string  `json:"_secret"`
	Name        string   `json:"name"`
	Features    []string `json:"features"`
	IPWhitelist []string `json:"ipWhitelist"`
}

// anyAddress is the allow list of a client without one.
var anyAddress = []string{"0.0.0.0/0"}

func fromAkamai(raw json.RawMessage, e *Entry) {
	var c akamaiClient
	if !e.read(raw, &c) {
		return
	}
	r := &e.Record
	e.Name = c.Name
	r.ID, r.Name, r.Kind, r.Type = given(c.ID), &c.Name, new(client.Other), new(client.Confidential)
	if c.IPWhitelist != nil && !slices.Equal(c.IPWhitelist, anyAddress) {
		r.AllowedIPs = new(client.AddressList(c.IPWhitelist))
	}
	features := slices.DeleteFunc(c.Features, func(f string) bool { return f == string(client.Metadata) })
	if len(features) < len(c.Features) {
		e.note("features", "metadata is left out: the operator of the server grants it, with ostiary feature metadata grant.")
	}
	r.Features = listed(features)
	if c.Secret == nil || *c.Secret == "" {
		e.note("secret", "There is none in the file; the client has none until one is added.")
		return
	}
	r.Secret = c.Secret
}
