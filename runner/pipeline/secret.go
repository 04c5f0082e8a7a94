package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// fromSecretKey marks, in files and in templates, a value that is a secret's.
const fromSecretKey = "from_secret"

// A Template is a plugin's setting with secrets in it. A plan is stored and
// shown, and never has a secret's value; the template has its name instead.
type Template struct {
	// Value is JSON in which {"from_secret": "name"} stands for a secret's value
	// as a string.
	Value json.RawMessage `json:"value"`
	// Join: Value is a list of single values, to be joined by commas.
	Join bool `json:"join,omitempty"`
}

// SecretNames returns the names of the secrets that the step needs, sorted.
func (s *Step) SecretNames() []string {
	names := map[string]bool{}
	lookup := func(name string) (string, bool) {
		names[name] = true
		return "", true
	}
	if _, _, err := s.Resolve(lookup); err != nil {
		return nil // a template that is no JSON; running the step says so
	}
	return slices.Sorted(maps.Keys(names))
}

// Resolve returns the step's own environment with the secrets in it, and what
// must not be shown: the secrets' values, in every form in which they are in
// the environment. lookup returns a secret's value and whether there is one; a
// secret that is missing is an error that names it.
func (s *Step) Resolve(lookup func(name string) (value string, ok bool)) (env map[string]string, values []string, err error) {
	r := resolver{lookup: lookup, seen: map[string]bool{}, quoted: map[string]bool{}}
	env = make(map[string]string, len(s.Environment)+len(s.Secrets)+len(s.Templates))
	maps.Copy(env, s.Environment)
	for _, name := range slices.Sorted(maps.Keys(s.Secrets)) {
		if env[name], err = r.secret(s.Secrets[name]); err != nil {
			return nil, nil, fmt.Errorf("resolve %s: %w", name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Templates)) {
		if env[name], err = r.template(s.Templates[name]); err != nil {
			return nil, nil, fmt.Errorf("resolve %s: %w", name, err)
		}
	}
	maps.Copy(r.quoted, r.seen)
	return env, slices.Sorted(maps.Keys(r.quoted)), nil
}

// resolver puts the values of secrets in their places and notes them.
type resolver struct {
	lookup func(string) (string, bool)
	seen   map[string]bool // values
	quoted map[string]bool // values as they look in JSON
}

func (r *resolver) secret(name string) (string, error) {
	value, ok := r.lookup(name)
	if !ok {
		return "", fmt.Errorf("there is no secret `%s`", clip(name))
	}
	if value != "" {
		r.seen[value] = true
	}
	return value, nil
}

// quote notes how the secrets look in JSON: that must not be shown either.
func (r *resolver) quote() {
	for value := range r.seen {
		if quoted, err := encodeJSON(value); err == nil {
			r.quoted[quoted[1:len(quoted)-1]] = true
		}
	}
}

func (r *resolver) template(t Template) (string, error) {
	dec := json.NewDecoder(bytes.NewReader(t.Value))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return "", fmt.Errorf("read template: %w", err)
	}
	v, err := r.value(v)
	if err != nil {
		return "", err
	}
	if list, ok := v.([]any); ok && t.Join {
		words := make([]string, len(list))
		for i, item := range list {
			words[i] = fmt.Sprint(item)
		}
		return strings.Join(words, ","), nil
	}
	r.quote()
	return encodeJSON(v)
}

// value returns v with the secrets in it.
func (r *resolver) value(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case []any:
		for i := range v {
			if v[i], err = r.value(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		if name, ok := v[fromSecretKey].(string); ok && len(v) == 1 {
			return r.secret(name)
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if v[k], err = r.value(v[k]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// encodeJSON writes a value on one line, with <, > and & as they are.
func encodeJSON(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", fmt.Errorf("write JSON: %w", err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}
