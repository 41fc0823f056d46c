package store

import (
	"context"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/ostiary/ostiary/internal/core/user"
)

const (
	// maxTerms bounds the words that a user is found by, and maxTerm each of them,
	// in bytes.
	maxTerms = 24
	maxTerm  = 128
	// maxUsersRead bounds the users that a search looks at: at 0.1 ms each where
	// nothing is in memory, 30 ms; else, at 25 µs to be compared with words, 8.
	maxUsersRead = 300
	// usersStep is how many it reads at a time.
	usersStep = 150
)

// named are the attributes whose words a user is found by.
var named = []string{"displayName", "givenName", "middleName", "familyName", "nickname"}

// terms gives the folded words that a user is found by, in order: those of the
// names, the address, what follows the @ in it, and the uuid.
func terms(u *user.User) []string {
	email := fold(u.Email)
	list := []string{u.UUID, email}
	if _, domain, ok := strings.Cut(email, "@"); ok {
		list = append(list, domain)
	}
	for _, name := range named {
		if text, ok := u.Attributes[name].(string); ok {
			list = append(list, wordsOf(text)...)
		}
	}
	for i, term := range list {
		list[i] = cut(term)
	}
	slices.Sort(list)
	list = slices.DeleteFunc(slices.Compact(list), func(term string) bool { return term == "" })
	return list[:min(len(list), maxTerms)]
}

// wordsOf gives the folded words of a text.
func wordsOf(text string) []string {
	return strings.FieldsFunc(fold(text), func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == ';' })
}

// cut bounds a term, between two characters.
func cut(term string) string {
	if len(term) <= maxTerm {
		return term
	}
	return strings.ToValidUTF8(term[:maxTerm], "")
}

// writeUserIndex makes the rows that a user is found by those of after.
func writeUserIndex(ctx context.Context, s session, before, after *user.User) error {
	if err := userTerms.write(ctx, s, after.ApplicationID, after.Sequence, terms(before), terms(after)); err != nil {
		return err
	}
	return userRoles.write(ctx, s, after.ApplicationID, after.Sequence, before.Roles, after.Roles)
}

const (
	usersByTerm = `SELECT term, user_sequence FROM user_term WHERE application_id = $1 AND (term, user_sequence) > ($2, $3) AND term < $4
		ORDER BY term, user_sequence LIMIT $5`
	usersByRole = `SELECT '', user_sequence FROM user_role WHERE application_id = $1 AND role = $2 AND user_sequence > $3
		ORDER BY user_sequence LIMIT $4`
	usersInactive = `SELECT '', sequence FROM user_record WHERE application_id = $1 AND sequence > $2 AND inactive
		ORDER BY sequence LIMIT $3`
	usersAll = `SELECT '', sequence FROM user_record WHERE application_id = $1 AND sequence > $2
		ORDER BY sequence LIMIT $3`
)

// usersOf gives those of some users that are as a search wants them, its words
// apart: one that is not need not be handed over.
func usersOf(d *dialect, q user.Search) string {
	text := `SELECT ` + userNames + ` FROM user_record WHERE sequence IN (SELECT CAST(value->>0 AS BIGINT) FROM ` + d.elements("$1") + `) AND application_id = $2`
	if q.Active != nil {
		text += map[bool]string{true: ` AND NOT inactive`, false: ` AND inactive`}[*q.Active]
	}
	if q.Role != "" {
		text += ` AND EXISTS (SELECT 1 FROM user_role r WHERE r.application_id = $3 AND r.role = $4 AND r.user_sequence = user_record.sequence)`
	}
	return text
}

func scanPlace(row scanner) (p user.Place, err error) {
	err = row.Scan(&p.Term, &p.Sequence)
	return p, err
}

// userSearch is one search on its way.
type userSearch struct {
	Users
	user.Search

	applicationID string
	words         []string // of the text; a user has a term that begins with each
	lead          string   // the longest of them: the list is in the order of its terms
}

// Search implements user.Store.
func (t Users) Search(ctx context.Context, applicationID string, q user.Search) ([]*user.User, user.Place, error) {
	if !storable(q.Text, q.Role, q.After.Term) {
		return nil, user.Place{}, nil
	}
	s := userSearch{Users: t, Search: q, applicationID: applicationID, words: wordsOf(q.Text)}
	for i, word := range s.words {
		s.words[i] = cut(strings.TrimLeft(word, "@"))
		if len(s.words[i]) > len(s.lead) {
			s.lead = s.words[i]
		}
	}
	var found []*user.User
	place := q.After
	for range maxUsersRead / usersStep {
		places, err := s.places(ctx, place)
		if err != nil {
			return nil, user.Place{}, err
		}
		users, err := s.read(ctx, places)
		if err != nil {
			return nil, user.Place{}, err
		}
		for _, p := range places {
			place = p
			if u := users[p.Sequence]; u != nil && s.matches(u, p) {
				if found = append(found, u); len(found) == q.Limit {
					return found, place, nil
				}
			}
		}
		if len(places) < usersStep {
			return found, user.Place{}, nil
		}
	}
	return found, place, nil
}

// places gives the next users that may match.
func (s *userSearch) places(ctx context.Context, after user.Place) ([]user.Place, error) {
	switch {
	case s.lead != "":
		if after.Term == "" {
			after = user.Place{Term: s.lead, Sequence: math.MinInt64}
		}
		return readAll(ctx, s.db, scanPlace, usersByTerm, s.applicationID, after.Term, after.Sequence, s.lead+"\U0010ffff", usersStep)
	case s.Role != "":
		return readAll(ctx, s.db, scanPlace, usersByRole, s.applicationID, s.Role, after.Sequence, usersStep)
	case s.Active != nil && !*s.Active:
		return readAll(ctx, s.db, scanPlace, usersInactive, s.applicationID, after.Sequence, usersStep)
	default:
		return readAll(ctx, s.db, scanPlace, usersAll, s.applicationID, after.Sequence, usersStep)
	}
}

// read gives those of the users that are as is wanted, their words apart, by
// their sequences.
func (s *userSearch) read(ctx context.Context, places []user.Place) (map[int64]*user.User, error) {
	if len(places) == 0 {
		return nil, nil
	}
	wanted, err := rowsOf(places, func(p *user.Place) []any { return []any{p.Sequence} })
	if err != nil {
		return nil, err
	}
	args := []any{wanted, s.applicationID}
	if s.Role != "" {
		args = append(args, s.applicationID, s.Role)
	}
	list, err := readAll(ctx, s.db, scanUser, usersOf(s.db.dialect, s.Search), args...)
	users := make(map[int64]*user.User, len(list))
	for _, u := range list {
		users[u.Sequence] = u
	}
	return users, err
}

// matches reports whether a user has the words that are searched for, and is
// shown at this place.
func (s *userSearch) matches(u *user.User, at user.Place) bool {
	if s.lead == "" {
		return true
	}
	all := terms(u)
	for _, word := range s.words {
		i, _ := slices.BinarySearch(all, word)
		if i == len(all) || !strings.HasPrefix(all[i], word) {
			return false
		}
		// Who has two terms that begin with it is shown at the first only.
		if word == s.lead && all[i] != at.Term {
			return false
		}
	}
	return true
}
