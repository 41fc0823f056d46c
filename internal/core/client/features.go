package client

import "slices"

// Feature is a permission of the Configuration API and the user-record API.
type Feature string

// The features. Only the operator of the server grants Metadata.
const (
	AccessIssuer     Feature = "access_issuer"
	DirectAccess     Feature = "direct_access"
	DirectReadAccess Feature = "direct_read_access"
	LoginClient      Feature = "login_client"
	Owner            Feature = "owner"
	Metadata         Feature = "metadata"
)

// features in the order of their bits. Bits are stored: append only.
var features = []Feature{Owner, AccessIssuer, DirectAccess, DirectReadAccess, LoginClient, Metadata}

// AllFeatures gives them in the order of their bits.
func AllFeatures() []Feature { return slices.Clone(features) }

// KnownFeature reports whether name is a feature.
func KnownFeature(name string) bool { return slices.Contains(features, Feature(name)) }

// Features is a set of features, each once, in the order given.
type Features []Feature

// Has reports whether the set holds f.
func (fs Features) Has(f Feature) bool { return slices.Contains(fs, f) }

// Bits gives the set as a number, by which the store can search.
func (fs Features) Bits() int64 {
	var bits int64
	for _, f := range fs {
		if i := slices.Index(features, f); i >= 0 {
			bits |= 1 << i
		}
	}
	return bits
}
