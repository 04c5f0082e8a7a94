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
	for _, name := range s.Secrets {
		names[name] = true
	}
	for _, p := range s.Places {
		names[p.Secret] = true
	}
	r := newResolver(func(name string) (string, bool) {
		names[name] = true
		return "", true
	})
	for _, t := range s.Templates {
		if _, err := r.template(t); err != nil {
			continue // it is no JSON; running the step says so
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// Resolve returns the step with the secrets in it, in its environment and
// wherever else they stand, and what must not be shown: the secrets' values, in
// every form in which they are in the step. The step that it returns must not be
// stored. lookup returns a secret's value and whether there is one; a secret that
// is missing, or that cannot stand where it is to, is an error that names it. The
// values are those found so far even then.
func (s *Step) Resolve(lookup func(name string) (value string, ok bool)) (resolved Step, values []string, err error) {
	r := newResolver(lookup)
	resolved = *s
	err = r.step(&resolved)
	maps.Copy(r.quoted, r.seen)
	return resolved, slices.Sorted(maps.Keys(r.quoted)), err
}

// resolver puts the values of secrets in their places and notes them.
type resolver struct {
	lookup func(string) (string, bool)
	seen   map[string]bool // values
	quoted map[string]bool // values as they look in JSON
}

func newResolver(lookup func(string) (string, bool)) *resolver {
	return &resolver{lookup: lookup, seen: map[string]bool{}, quoted: map[string]bool{}}
}

// step puts all secrets into a step, which shares its lists and maps with others
// until then.
func (r *resolver) step(s *Step) (err error) {
	env := make(map[string]string, len(s.Environment)+len(s.Secrets)+len(s.Templates))
	maps.Copy(env, s.Environment)
	for _, name := range slices.Sorted(maps.Keys(s.Secrets)) {
		if env[name], err = r.secret(s.Secrets[name]); err != nil {
			return fmt.Errorf("resolve %s: %w", name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Templates)) {
		if env[name], err = r.template(s.Templates[name]); err != nil {
			return fmt.Errorf("resolve %s: %w", name, err)
		}
	}
	s.ownPlaces()
	for _, p := range s.Places {
		value, err := r.secret(p.Secret)
		if err == nil {
			err = s.fill(p, value)
		}
		if err != nil {
			return fmt.Errorf("resolve %s: %w", p.Key, err)
		}
	}
	s.Environment, s.Secrets, s.Templates, s.Places = env, nil, nil, nil
	return nil
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
