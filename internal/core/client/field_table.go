package client

import (
	"strconv"
)

// Field says of one field of a client what its users need to know. The table of
// them is the only one: the reading of documents, the generated tests, `apply`,
// the command line and the documentation derive from it.
type Field struct {
	Name      string
	Type      string   // in words that follow "Write": "a string", "a whole number"
	Doc       string   // what it is and which values it takes
	Values    []string // all the values there are, where they are few
	Default   string   // as JSON; "" where it is required, derived or read only
	Derived   string   // where the default depends: on what
	Required  bool     // at creation
	Fixed     bool     // set at creation and never changed; absent in a replacement it stays
	ReadOnly  bool     // answered; ignored where it is sent
	WriteOnly bool     // taken at creation; answered only when it was just made
}

// field is a Field with what reads and stores it.
type field struct {
	Field

	into  func(f *Fields) any        // the member of Fields: a pointer to a pointer
	store func(c *Client, f *Fields) // alters c by the member, which is not nil; nil for fixed fields
	reset func(c *Client)            // back to the default; nil for fixed fields
}

// FieldTable gives the fields in the order in which they are answered.
func FieldTable() []Field {
	table := make([]Field, len(fields))
	for i := range fields {
		table[i] = fields[i].Field
	}
	return table
}

// indexed names an element of a field that is a list.
func indexed(name string, i int) string { return name + "[" + strconv.Itoa(i) + "]" }
