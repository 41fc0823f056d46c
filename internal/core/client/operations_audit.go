package client

import (
	"encoding/json"
	"time"
)

// record is a client as audit events show it: all that can be changed of it and
// nothing that a secret could be computed from.
type record struct {
	Name        string         `json:"name"`
	Version     string         `json:"version"`
	Kind        Kind           `json:"kind"`
	Public      bool           `json:"public"`
	Active      bool           `json:"active"`
	Settings    Settings       `json:"settings"`
	Secrets     []secretRecord `json:"secrets"`
	SecretShown string         `json:"secret_shown,omitempty"` // id of the stored secret that the answer showed
}

type secretRecord struct {
	ID        string    `json:"id"`
	Label     string    `json:"label,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

func (c *Client) document() json.RawMessage { return c.documentShowing("") }

func (c *Client) documentShowing(secret string) json.RawMessage {
	r := record{
		Name: c.Name, Version: c.Version, Kind: c.Kind, Public: c.Public, Active: !c.Inactive,
		Settings: c.Settings, Secrets: make([]secretRecord, len(c.Secrets)), SecretShown: secret,
	}
	for i := range c.Secrets {
		s := &c.Secrets[i]
		r.Secrets[i] = secretRecord{ID: s.ID, Label: s.Label, CreatedAt: s.CreatedAt, ExpiresAt: s.ExpiresAt}
	}
	return mustJSON(r)
}

// mustJSON encodes values of this package's own types, none of which can fail.
func mustJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
