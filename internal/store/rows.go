package store

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
)

// Many rows are given to one statement, however many there are: on PostgreSQL a
// statement is a way there and back. Each row is an array in the JSON array that
// is the parameter. A single row, which is what most changes have, is given as it
// is: JSON costs SQLite half as much again.

// rowStatement is a statement about rows of one kind.
type rowStatement struct{ texts map[*dialect]rowTexts }

type rowTexts struct{ one, many string }

// newRowStatement makes a statement. columns are the names of the columns in the
// order of a row's values, each with its type where that is not TEXT: BIGINT,
// BOOLEAN, or BYTEA, which is written in hexadecimal. text puts the names and a
// SELECT of the rows in their places.
func newRowStatement(columns string, text func(names, rows string) string) *rowStatement {
	r := &rowStatement{texts: make(map[*dialect]rowTexts)}
	for _, d := range []*dialect{sqliteDialect, postgresDialect} {
		var names, parameters, elements []string
		for i, column := range strings.Split(columns, ", ") {
			name, kind, _ := strings.Cut(column, " ")
			names = append(names, name)
			parameters = append(parameters, typed(d, kind, "$"+strconv.Itoa(i+1)))
			elements = append(elements, typed(d, kind, "value->>"+strconv.Itoa(i)))
		}
		list := strings.Join(names, ", ")
		r.texts[d] = rowTexts{
			one:  text(list, `SELECT `+strings.Join(parameters, ", ")),
			many: text(list, `SELECT `+strings.Join(elements, ", ")+` FROM `+d.elements("$1")),
		}
	}
	return r
}

// newInsertion inserts rows into a table. ending is what to do on a conflict, and
// what to return.
func newInsertion(table, columns, ending string) *rowStatement {
	return newRowStatement(columns, func(names, rows string) string {
		return `INSERT INTO ` + table + ` (` + names + `) ` + rows + ` WHERE TRUE ` + ending
	})
}

// typed gives a value, which is a text, the type of its column.
func typed(d *dialect, kind, value string) string {
	switch kind {
	case "":
		return value
	case "BYTEA":
		return d.bytes(value)
	default:
		return "CAST(" + value + " AS " + kind + ")"
	}
}

// about gives the statement about some rows, and its parameters.
func (r *rowStatement) about(d *dialect, rows [][]any) (text string, args []any, err error) {
	if len(rows) == 1 {
		return r.texts[d].one, rows[0], nil
	}
	encoded, err := json.Marshal(rows)
	return r.texts[d].many, []any{string(encoded)}, err
}

// insert inserts what is in a list, where there is anything.
func insert[T any](ctx context.Context, s session, statement *rowStatement, list []T, row func(*T) []any) error {
	if len(list) == 0 {
		return nil
	}
	rows := make([][]any, len(list))
	for i := range list {
		rows[i] = row(&list[i])
	}
	text, args, err := statement.about(s.dialect, rows)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, text, args...)
	return err
}

// rowsOf gives what is in a list as a parameter: a JSON array of arrays.
func rowsOf[T any](list []T, row func(*T) []any) (string, error) {
	rows := make([][]any, len(list))
	for i := range list {
		rows[i] = row(&list[i])
	}
	encoded, err := json.Marshal(rows)
	return string(encoded), err
}

// changeRows runs a statement whose parameter is such a list, where there is
// anything in it.
func changeRows[T any](ctx context.Context, s session, text string, list []T, row func(*T) []any) error {
	if len(list) == 0 {
		return nil
	}
	rows, err := rowsOf(list, row)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, text, rows)
	return err
}

// inHex gives bytes as a value of a row; nil is NULL.
func inHex(b []byte) any {
	if b == nil {
		return nil
	}
	return hex.EncodeToString(b)
}
