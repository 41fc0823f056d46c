package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/ostiary/ostiary/internal/config"
)

// outcome is a step as it is printed, and what came of it.
type outcome struct {
	Action      string   `json:"action"`
	Kind        string   `json:"kind"`
	Application string   `json:"application"`
	Name        string   `json:"name"`
	ID          string   `json:"id,omitempty"` // of a client that was made
	Changes     []change `json:"changes"`
	Done        bool     `json:"done"`

	// Shown this once.
	Secret        string `json:"secret,omitempty"`
	OwnerClientID string `json:"owner_client_id,omitempty"`
	OwnerSecret   string `json:"owner_client_secret,omitempty"`
}

func (s *step) outcome() outcome {
	o := outcome{Action: s.action, Kind: s.entry.noun.name, Application: s.in.id, Name: s.name(), Changes: s.changes}
	if s.entry.noun == &clients {
		o.Name = s.entry.text("name")
		if version := s.entry.text("version"); version != "" {
			o.Name += " " + version
		}
		if s.current != nil {
			o.ID = s.current.text("id")
		}
	}
	if o.Changes == nil {
		o.Changes = []change{}
	}
	return o
}

// secret gives the secret that an entry refers to. A file is looked for beside
// the one that names it.
func (e *entry) givenSecret(directory string) (string, error) {
	if e.secret == nil {
		return "", nil
	}
	if e.secret.variable != "" {
		return config.SecretFromEnvironment(e.secret.variable)
	}
	path := e.secret.file
	if !filepath.IsAbs(path) {
		path = filepath.Join(directory, path)
	}
	return config.SecretFromFile(path)
}

// run makes a step come true.
func (s *step) run(ctx context.Context, secret string) (outcome, error) {
	o := s.outcome()
	var err error
	switch {
	case s.action == asItIs:
		return o, nil
	case s.action == toDelete:
		err = s.remove(ctx)
	case s.entry.noun.global && s.action == toCreate:
		err = s.makeApplication(ctx, &o)
	case s.action == toCreate:
		err = s.make(ctx, &o, secret)
	case s.entry.noun == &clients:
		err = s.replace(ctx)
	default:
		err = s.patch(ctx, s.changed(), s.current.etag)
	}
	o.Done = err == nil
	return o, err
}

// makeApplication makes an application with what is chosen at its creation and
// goes on as the owner client that is made with it.
func (s *step) makeApplication(ctx context.Context, o *outcome) error {
	atCreation := map[string]json.RawMessage{}
	for _, name := range []string{"id", "name", "preset"} {
		if raw, given := s.entry.fields[name]; given {
			atCreation[name] = raw
		}
	}
	text, err := body(atCreation)
	if err != nil {
		return err
	}
	r := s.in.remote
	made, err := r.take(r.api.CreateApplicationWithBody(ctx, plainJSON, text))
	if err != nil {
		return err
	}
	o.OwnerClientID, o.OwnerSecret = plainText(made, "owner_client_id"), plainText(made, "owner_client_secret")
	if s.in.remote, err = dialAs(r.server, s.in.id, o.OwnerClientID, o.OwnerSecret); err != nil {
		return err
	}
	settings := maps.Clone(s.entry.fields)
	for name := range atCreation {
		delete(settings, name)
	}
	if len(settings) == 0 {
		return nil
	}
	return s.patch(ctx, settings, "")
}

func (s *step) make(ctx context.Context, o *outcome, secret string) error {
	document := maps.Clone(s.entry.fields)
	if secret != "" {
		raw, err := json.Marshal(secret)
		if err != nil {
			return err
		}
		document["secret"] = raw
	}
	text, err := body(document)
	if err != nil {
		return err
	}
	made, err := s.in.remote.take(s.entry.noun.calls.create(ctx, s.in.remote.api, s.in.id, text))
	if err != nil {
		return err
	}
	if s.entry.noun == &clients {
		o.ID = plainText(made, "id")
		if secret == "" { // who gave it has it
			o.Secret = plainText(made, "secret")
		}
	}
	return nil
}

// replace writes a client whole, so that what follows from other fields goes on
// following.
func (s *step) replace(ctx context.Context) error {
	text, err := json.Marshal(s.entry.fields)
	if err != nil {
		return err
	}
	r := s.in.remote
	_, err = r.take(r.api.ReplaceClientWithBody(ctx, s.in.id, s.current.text("id"), nil, plainJSON, bytes.NewReader(text), ifMatch(s.current.etag)))
	return err
}

// changed gives a merge patch of what becomes another.
func (s *step) changed() map[string]json.RawMessage {
	document := map[string]json.RawMessage{}
	for _, c := range s.changes {
		document[c.Field] = c.After
	}
	return document
}

func (s *step) patch(ctx context.Context, document map[string]json.RawMessage, etag string) error {
	text, err := body(document)
	if err != nil {
		return err
	}
	key := s.entry.text(s.entry.noun.key)
	_, err = s.in.remote.take(s.entry.noun.calls.edit(ctx, s.in.remote.api, s.in.id, key, text, ifMatch(etag)))
	return err
}

// plainText gives a member that is a string, as it is.
func plainText(r *record, name string) string {
	var text string
	if json.Unmarshal(r.get(name), &text) != nil {
		return ""
	}
	return text
}

// gather reads the secrets of the clients that are to be made, before anything
// is written.
func gather(steps []step, file, directory string) ([]string, error) {
	secrets := make([]string, len(steps))
	var wrong []error
	for i := range steps {
		if steps[i].action != toCreate {
			continue
		}
		var err error
		if secrets[i], err = steps[i].entry.givenSecret(directory); err != nil {
			wrong = append(wrong, fmt.Errorf("%s:%d: secret: %w", file, steps[i].entry.line, err))
		}
	}
	if len(wrong) > 0 {
		return nil, &config.Error{Err: errors.Join(wrong...)}
	}
	return secrets, nil
}

// pending reports whether there is anything to do.
func pending(steps []step) bool {
	return slices.ContainsFunc(steps, func(s step) bool { return s.action != asItIs })
}
