package application

import "strings"

// Issuers gives the applications of an instance their issuer identifiers.
type Issuers struct {
	PublicURL string // of the instance, without a slash at the end
	Root      string // id of the application whose issuer is PublicURL itself; "": none
}

// Of is an application's issuer identifier (RFC 8414 §2). Its endpoints are
// below it.
func (i Issuers) Of(applicationID string) string {
	if applicationID == i.Root {
		return i.PublicURL
	}
	return i.PublicURL + "/" + applicationID
}

// ApplicationOf is the other way round: the id that an issuer identifier is of,
// whether there is such an application or not; "" where it is of none.
func (i Issuers) ApplicationOf(issuer string) string {
	if issuer == i.PublicURL {
		return i.Root
	}
	id, ok := strings.CutPrefix(issuer, i.PublicURL+"/")
	if !ok || id == i.Root {
		return ""
	}
	return id
}
