package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// insertClient stores a new client, or refuses it.
func insertClient(ctx context.Context, s session, c *client.Client, unique client.Uniqueness) error {
	refused, err := insertClients(ctx, s, []*client.Client{c}, unique)
	if err != nil {
		return err
	}
	return refused[0]
}

// insertClients stores new clients of one application, in their order. Whoever
// is refused is left out; the fault stands at its place.
func insertClients(ctx context.Context, s session, clients []*client.Client, unique client.Uniqueness) (refused []error, err error) {
	if refused, err = judgeClients(ctx, s, clients, unique); err != nil {
		return nil, err
	}
	var made []*client.Client
	for i, c := range clients {
		if refused[i] == nil {
			made = append(made, c)
		}
	}
	if len(made) == 0 {
		return refused, nil
	}
	if err := insertClientRows(ctx, s, made); err != nil {
		return nil, err
	}
	var scopes, origins []nameRow
	var secrets []secretRow
	for _, c := range made {
		scopes = append(scopes, nameRows(c.Sequence, c.Settings.Scopes.Allowed)...)
		origins = append(origins, nameRows(c.Sequence, c.Settings.Redirect.AllOrigins())...)
		for i := range c.Secrets {
			secrets = append(secrets, secretRow{c.Sequence, i + 1, &c.Secrets[i]})
		}
	}
	applicationID := made[0].ApplicationID
	if err := clientScopes.add(ctx, s, applicationID, scopes); err != nil {
		return nil, err
	}
	if err := clientOrigins.add(ctx, s, applicationID, origins); err != nil {
		return nil, err
	}
	return refused, insertSecrets(ctx, s, secrets)
}

var addClients = newInsertion("client", "application_id, id, name, name_key, version, kind, public BOOLEAN, inactive BOOLEAN, "+
	"era BIGINT, features BIGINT, settings, revision BIGINT, created_at BIGINT, updated_at BIGINT", `ON CONFLICT DO NOTHING RETURNING id, sequence`)

// insertClientRows stores clients that nothing is in the way of. Whatever came
// into their way since that was asked begins the transaction anew.
func insertClientRows(ctx context.Context, s session, clients []*client.Client) error {
	byID := make(map[string]*client.Client, len(clients))
	list := make([][]any, len(clients))
	for i, c := range clients {
		settings, err := json.Marshal(&c.Settings)
		if err != nil {
			return err
		}
		byID[c.ID] = c
		list[i] = []any{
			c.ApplicationID, c.ID, c.Name, fold(c.Name), c.Version, string(c.Kind),
			c.Public, c.Inactive, c.Era, c.Settings.Features.Bits(), string(settings), 1, micros(c.CreatedAt), micros(c.UpdatedAt),
		}
	}
	text, args, err := addClients.about(s.dialect, list)
	if err != nil {
		return err
	}
	inserted, err := all(ctx, s, func(row scanner) (id string, err error) {
		var sequence int64
		err = row.Scan(&id, &sequence)
		if c := byID[id]; c != nil {
			c.Sequence, c.Revision = sequence, 1
		}
		return id, err
	}, text, args...)
	if err == nil && len(inserted) < len(clients) {
		err = errRaced
	}
	return err
}

// judgeClients gives, for each new client, why it cannot be stored: as if those
// before it that can were there already. What it found stays so until the commit.
func judgeClients(ctx context.Context, s session, clients []*client.Client, unique client.Uniqueness) ([]error, error) {
	inUse, err := claim(ctx, s, clients, unique)
	if err != nil {
		return nil, err
	}
	var scopes []string
	for _, c := range clients {
		scopes = append(scopes, c.Settings.Scopes.Allowed...)
	}
	there, err := findScopes(ctx, s, clients[0].ApplicationID, scopes)
	if err != nil {
		return nil, err
	}
	refused := make([]error, len(clients))
	names, ids := make(map[[2]string]string, len(clients)), make(map[string]bool, len(clients))
	for i, c := range clients {
		name := [2]string{fold(c.Name), c.Version}
		if unique == client.NameOfAnyVersion {
			name[1] = ""
		}
		namesake, named := names[name]
		switch {
		case inUse[i].namesake != "" || named && namesake != c.ID:
			refused[i] = nameInUse(unique, "name")
		case inUse[i].id || ids[c.ID]:
			refused[i] = fault.Takenf("id", "There is a client of this id already.")
		default:
			refused[i] = missingScopes(c.Settings.Scopes.Allowed, c.Settings.Scopes.Allowed, there)
		}
		if refused[i] == nil {
			names[name], ids[c.ID] = c.ID, true
		}
	}
	return refused, nil
}

// inUse says what of a client is in use already.
type inUse struct {
	namesake string // the id of another one of its name; "": there is none
	id       bool   // there is one of its id
}

// selectInUse asks what is in use of clients.
var selectInUse = map[client.Uniqueness]*rowStatement{
	client.NameAndVersion:   newSelectInUse(` AND version = asked.version`),
	client.NameOfAnyVersion: newSelectInUse(``),
}

func newSelectInUse(version string) *rowStatement {
	return newRowStatement("place BIGINT, application_id, id, name_key, version", func(names, rows string) string {
		return `WITH asked (` + names + `) AS (` + rows + `) SELECT place, (SELECT id FROM client
			WHERE application_id = asked.application_id AND name_key = asked.name_key AND id <> asked.id` + version + ` LIMIT 1),
			EXISTS (SELECT 1 FROM client WHERE application_id = asked.application_id AND id = asked.id)
			FROM asked`
	})
}

// inUseRows asks what is in use of some clients, and reads the answer.
type inUseRows struct {
	text  string
	args  []any
	found []inUse
}

func askInUse(d *dialect, clients []*client.Client, unique client.Uniqueness) (r inUseRows, err error) {
	rows := make([][]any, len(clients))
	for i, c := range clients {
		rows[i] = []any{i, c.ApplicationID, c.ID, fold(c.Name), c.Version}
	}
	r.found = make([]inUse, len(clients))
	r.text, r.args, err = selectInUse[unique].about(d, rows)
	return r, err
}

func (r *inUseRows) scan(row scanner) (struct{}, error) {
	var place int
	var namesake sql.NullString
	var id bool
	err := row.Scan(&place, &namesake, &id)
	if err == nil {
		r.found[place] = inUse{namesake.String, id}
	}
	return struct{}{}, err
}

// claim says what of clients is in use, and keeps others from taking their names
// and ids until the commit: two that inserted the same ids in different orders
// would wait for each other.
func claim(ctx context.Context, s session, clients []*client.Client, unique client.Uniqueness) ([]inUse, error) {
	locks := make([]int64, 0, 2*len(clients))
	for _, c := range clients {
		locks = append(locks, lockNumber("client name", c.ApplicationID, fold(c.Name)), lockNumber("client", c.ApplicationID, c.ID))
	}
	if err := s.dialect.lock(ctx, s, locks...); err != nil {
		return nil, err
	}
	asked, err := askInUse(s.dialect, clients, unique)
	if err != nil {
		return nil, err
	}
	_, err = all(ctx, s, asked.scan, asked.text, asked.args...)
	return asked.found, err
}

// claimName refuses a name that another client has, and keeps others from
// taking it until the commit. field is the one that is written.
func claimName(ctx context.Context, s session, c *client.Client, unique client.Uniqueness, field string) error {
	found, err := claim(ctx, s, []*client.Client{c}, unique)
	if err == nil && found[0].namesake != "" {
		err = nameInUse(unique, field)
	}
	return err
}

func nameInUse(unique client.Uniqueness, field string) error {
	what := "name and version"
	if unique == client.NameOfAnyVersion {
		what = "name"
	}
	return fault.Takenf(field, "There is a client of this %s already; choose another.", what)
}
