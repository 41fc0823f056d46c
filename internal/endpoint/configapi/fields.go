package configapi

import (
	"errors"
	"slices"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/ipallow"
)

// everyone is how the API spells an allow list that admits every address; it is
// stored as the empty list.
const everyone = "0.0.0.0/0"

// fields are those of a client that this API sets. A nil pointer: not named.
type fields struct {
	name       *string
	allowedIPs *ipallow.Setting
	features   *client.Features
}

// parseWhole reads the fields of POST and PUT: those that are absent get their
// defaults, name is required.
func parseWhole(body object) (fields, error) {
	f, err := parseNamed(body)
	if err != nil {
		return fields{}, err
	}
	if f.allowedIPs == nil {
		f.allowedIPs = &ipallow.Setting{}
	}
	if f.features == nil {
		f.features = &client.Features{}
	}
	return f, nil
}

// parseNamed reads a body whose name is required and whose other fields are
// read where they are there.
func parseNamed(body object) (fields, error) {
	if _, ok := body["name"]; !ok {
		return fields{}, errMissing
	}
	return parse(body)
}

// parsePatch reads a merge patch (RFC 7396) of the fields: null means the
// default, save for name, which has none.
func parsePatch(body object) (fields, error) {
	var f fields
	patch := object{}
	for _, field := range []string{"name", "ipWhitelist", "features"} {
		value, ok := body[field]
		switch {
		case !ok:
		case string(value) != "null" || field == "name":
			patch[field] = value
		case field == "ipWhitelist":
			f.allowedIPs = &ipallow.Setting{}
		default:
			f.features = &client.Features{}
		}
	}
	named, err := parse(patch)
	if err != nil {
		return fields{}, err
	}
	f.name = named.name
	if named.allowedIPs != nil {
		f.allowedIPs = named.allowedIPs
	}
	if named.features != nil {
		f.features = named.features
	}
	return f, nil
}

// parse reads the fields that are there, in the order of the error table.
func parse(body object) (f fields, err error) {
	if value, ok := body["name"]; ok {
		name, ok := parseString(value)
		if !ok {
			return fields{}, errNotString
		}
		name, err := client.CleanName(name)
		switch {
		case errors.Is(err, client.ErrNoName):
			return fields{}, errMissing
		case err != nil:
			return fields{}, errNotString
		}
		f.name = &name
	}
	if value, ok := body["ipWhitelist"]; ok {
		entries, ok := parseStrings(value)
		if !ok || len(entries) == 0 {
			return fields{}, errNotCIDR
		}
		if f.allowedIPs, ok = allowList(entries); !ok {
			return fields{}, errNotCIDR
		}
	}
	if value, ok := body["features"]; ok {
		names, ok := parseStrings(value)
		if !ok {
			return fields{}, errNotFeature
		}
		if f.features, ok = featureSet(names); !ok {
			return fields{}, errNotFeature
		}
	}
	return f, nil
}

func allowList(entries []string) (*ipallow.Setting, bool) {
	for _, entry := range entries {
		if _, ok := ipallow.Parse(entry); !ok {
			return nil, false
		}
	}
	if len(entries) == 1 && entries[0] == everyone {
		return &ipallow.Setting{}, true
	}
	setting := ipallow.Setting(entries)
	return &setting, true
}

func featureSet(names []string) (*client.Features, bool) {
	features := client.Features{}
	for _, name := range names {
		if !client.KnownFeature(name) {
			return nil, false
		}
		if f := client.Feature(name); !slices.Contains(features, f) {
			features = append(features, f)
		}
	}
	return &features, true
}

// apply sets the fields that are named.
func (f fields) apply(c *client.Client) {
	if f.name != nil {
		c.Name = *f.name
	}
	if f.allowedIPs != nil {
		c.Settings.AllowedIPs = *f.allowedIPs
	}
	if f.features != nil {
		c.Settings.Features = *f.features
	}
}
