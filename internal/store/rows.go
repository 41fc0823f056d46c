package store

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
)

// Many rows are written by one statement for each kind of row, however many
// there are: on PostgreSQL a statement is a way there and back. Each row is an
// array in the JSON array that is the parameter.

// insertRows inserts rows into a table. columns are their names in the order of
// a row's values, each with its type where that is not TEXT: BIGINT, BOOLEAN, or
// BYTEA, which is written in hexadecimal. What to do on a conflict, and what to
// return, may follow.
func insertRows(d *dialect, table, columns string) string {
	var names, values []string
	for i, column := range strings.Split(columns, ", ") {
		name, kind, _ := strings.Cut(column, " ")
		value := "value->>" + strconv.Itoa(i)
		switch kind {
		case "":
		case "BYTEA":
			value = d.bytes(value)
		default:
			value = "CAST(" + value + " AS " + kind + ")"
		}
		names, values = append(names, name), append(values, value)
	}
	return `INSERT INTO ` + table + ` (` + strings.Join(names, ", ") + `) SELECT ` + strings.Join(values, ", ") +
		` FROM ` + d.elements("$1") + ` WHERE TRUE `
}

// rowsOf gives what is in a list as the parameter of such a statement.
func rowsOf[T any](list []T, row func(*T) []any) (string, error) {
	rows := make([][]any, len(list))
	for i := range list {
		rows[i] = row(&list[i])
	}
	encoded, err := json.Marshal(rows)
	return string(encoded), err
}

// addRows runs such a statement, where there is anything to be written.
func addRows[T any](ctx context.Context, s session, text string, list []T, row func(*T) []any) error {
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
