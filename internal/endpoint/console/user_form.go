package console

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

// userForm is the form of a user: what every user has, and attributes by their
// schema. Those of simple types have inputs of their own, in groups; the others
// are written as JSON.
type userForm struct {
	Main   []*field
	Groups []fieldGroup
	JSON   []*field
	Open   bool // whether JSON is to be seen
}

type fieldGroup struct {
	Title  string
	Fields []*field
}

// all are the inputs of the form.
func (f *userForm) all() []*field {
	list := slices.Clone(f.Main)
	for _, g := range f.Groups {
		list = append(list, g.Fields...)
	}
	return append(list, f.JSON...)
}

// ofAttributes begins the names of their inputs, as the places in refusals.
const ofAttributes = "attributes"

// userForm gives the form of a user; nil: another one.
func (v *visit) userForm(u *user.User) *userForm {
	stored := u
	if stored == nil {
		stored = &user.User{}
	}
	f := &userForm{Main: userInputs(u)}
	simple := fieldGroup{Title: "Attributes"}
	var objects []fieldGroup
	for _, d := range v.Users.Schema(v.app.ID) {
		name := ofAttributes + "." + d.Name
		switch {
		case flat(&d):
			group := fieldGroup{Title: inWords(d.Name)}
			members, _ := stored.Attributes[d.Name].(map[string]any)
			for _, member := range d.AttrDefs {
				group.Fields = append(group.Fields, attributeInput(name+"."+member.Name, &member, members[member.Name]))
			}
			objects = append(objects, group)
		case asJSON(d.Type):
			f.JSON = append(f.JSON, &field{
				Name: name, Label: inWords(d.Name), Kind: "area", Rows: 4, Mono: true, Value: asTyped(stored.Attributes[d.Name]), Help: jsonHelp(&d),
			})
			f.Open = f.Open || stored.Attributes[d.Name] != nil
		default:
			simple.Fields = append(simple.Fields, attributeInput(name, &d, stored.Attributes[d.Name]))
		}
	}
	f.Groups = append([]fieldGroup{simple}, objects...)
	return f
}

// userInputs are the inputs of what every user has.
func userInputs(u *user.User) []*field {
	email := &field{Name: "email", Label: "E-mail", Kind: "email", Help: "Unique in the application. A user may have none, and then cannot sign in by password."}
	verified := &field{Name: "email_verified", Label: "E-mail verified", Kind: "select", Options: []option{
		{Value: "false", Label: "No"}, {Value: "true", Label: "Yes: the user is known to read it"},
	}}
	roles := &field{Name: "roles", Label: "Roles", Kind: "area", Rows: 3, Help: "One a line. Scopes with a required role are given to users with that role only."}
	if u == nil {
		verified.Value = "false"
		return []*field{email, verified, roles, {
			Name: "password", Label: "Password", Kind: "password",
			Help: "8 to 256 characters. Left empty, the user has none, until one is chosen by a reset link.",
		}}
	}
	now := "not verified"
	if !u.EmailVerifiedAt.IsZero() {
		now = "verified; another address is not"
	}
	verified.Options = append([]option{{Value: "", Label: "As it is: " + now}}, verified.Options...)
	email.Value, roles.Value = u.Email, inLines(u.Roles)
	return []*field{email, verified, roles}
}

// flat reports whether an attribute is an object of simple ones.
func flat(d *user.Definition) bool {
	return d.Type == user.Object && !slices.ContainsFunc(d.AttrDefs, func(m user.Definition) bool { return m.Type == user.Object || asJSON(m.Type) })
}

func asJSON(t user.Type) bool { return t == user.Plural || t == user.JSON || t == user.Object }

func jsonHelp(d *user.Definition) string {
	if d.Type != user.Plural {
		return "JSON."
	}
	names := make([]string, len(d.AttrDefs))
	for i := range d.AttrDefs {
		names[i] = d.AttrDefs[i].Name
	}
	return "A JSON array of objects with " + strings.Join(names, ", ") + "."
}

// attributeInput is the input of an attribute of a simple type.
func attributeInput(name string, d *user.Definition, v any) *field {
	f := &field{Name: name, Label: inWords(d.Name), Value: asTyped(v)}
	const long = 1000 // characters, from which on an area is the better input
	switch d.Type {
	case user.String:
		if d.Length == 0 || d.Length > 2*long {
			f.Kind, f.Rows = "area", 2
		}
	case user.Date:
		f.Kind = "date"
	case user.DateTime:
		f.Placeholder = "2006-01-02T15:04:05Z"
	case user.Boolean:
		f.Kind, f.Options = "select", []option{{}, {Value: "true", Label: "yes"}, {Value: "false", Label: "no"}}
	case user.Integer, user.Decimal:
		f.Mono = true
	case user.Object, user.Plural, user.JSON: // not simple
	}
	return f
}

// inWords makes a label of a name as phoneNumber.
func inWords(name string) string {
	var b strings.Builder
	for i, r := range name {
		switch {
		case i == 0:
			r = unicode.ToUpper(r)
		case unicode.IsUpper(r):
			b.WriteByte(' ')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// asTyped gives the value of an attribute as it is typed.
func asTyped(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return ""
	}
	return strings.TrimSpace(b.String())
}

// userDocument is the form as a merge patch over the user, as the management API
// would take it. What is no JSON where JSON is asked for is refused here: it
// would be no document.
func (v *visit) userDocument(u *user.User) (document []byte, problems []page.Problem, err error) {
	stored := map[string]any{}
	if u != nil {
		stored = u.Attributes
	}
	attributes := map[string]any{}
	for _, d := range v.Users.Schema(v.app.ID) {
		name := ofAttributes + "." + d.Name
		switch {
		case flat(&d):
			members := map[string]any{}
			for _, member := range d.AttrDefs {
				if at := name + "." + member.Name; v.form.Has(at) {
					members[member.Name] = typed(member.Type, v.form.Get(at))
				}
			}
			attributes[d.Name] = members
		case !v.form.Has(name):
		case asJSON(d.Type):
			read, ok := parsed(v.form.Get(name))
			if !ok {
				problems = append(problems, page.Problem{Field: name, Text: say("This is no JSON: mend it, or leave it empty.")})
			}
			attributes[d.Name] = replacing(stored[d.Name], read)
		default:
			attributes[d.Name] = typed(d.Type, v.form.Get(name))
		}
	}
	fields := map[string]any{"email": v.form.Get("email"), "roles": v.listed("roles"), "attributes": attributes}
	if verified := v.form.Get("email_verified"); verified != "" {
		fields["email_verified"] = verified == "true"
	}
	if password := v.form.Get("password"); u == nil && password != "" {
		fields["password"] = password
	}
	document, err = json.Marshal(fields)
	return document, problems, err
}

// typed gives what was typed as a value of the type, nil where that is nothing.
// What cannot be one stays text, which the core refuses.
func typed(t user.Type, text string) any {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	switch {
	case text == "":
		return nil
	case t == user.Boolean:
		return text == "true"
	case t == user.Integer || t == user.Decimal:
		if n, ok := parsed(text); ok {
			return n
		}
	}
	return text
}

// parsed reads JSON; nil for an empty text.
func parsed(text string) (v any, ok bool) {
	if text = strings.TrimSpace(text); text == "" {
		return nil, true
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&v) != nil || d.More() {
		return nil, false
	}
	return v, true
}

// replacing makes a merge patch that leaves nothing of the value before: members
// of objects that are not in the value after are taken away.
func replacing(before, after any) any {
	from, ok := before.(map[string]any)
	to, isObject := after.(map[string]any)
	if !ok || !isObject {
		return after
	}
	for name, member := range from {
		if value, there := to[name]; there {
			to[name] = replacing(member, value)
		} else {
			to[name] = nil
		}
	}
	return to
}
