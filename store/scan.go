package store

import (
	"database/sql"
	"encoding/json"
	"errors"
)

// scanner is a *sql.Row or *sql.Rows.
type scanner interface{ Scan(dest ...any) error }

// collect reads all rows of a query, which it closes.
func collect[T any](rows *sql.Rows, err error, scan func(*T, scanner) error) (out []T, _ error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var v T
		if err := scan(&v, rows); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// toJSON encodes what cannot fail to encode: strings, numbers, slices, structs.
func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("store: " + err.Error())
	}
	return string(b)
}

// fromJSON decodes a column; an empty one leaves v as it is.
func fromJSON(s string, v any) error {
	if s == "" {
		return nil
	}
	return json.Unmarshal([]byte(s), v)
}

// scanJSON runs Scan and then decodes the columns named in pairs.
func scanJSON(err error, pairs ...any) error {
	if err != nil {
		return err
	}
	var errs []error
	for i := 0; i < len(pairs); i += 2 {
		errs = append(errs, fromJSON(pairs[i].(string), pairs[i+1]))
	}
	return errors.Join(errs...)
}
