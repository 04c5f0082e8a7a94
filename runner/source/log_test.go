package source

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestLog(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	base := r.pushed("base", map[string]string{"a": "1\n"})
	one := r.pushed("one\nand a half\n\nbody", map[string]string{"a": "2\n"})
	two := r.pushed("two", map[string]string{"a": "3\n"})
	mustFetch(t, m, r, two)

	got, total, err := m.Log(t.Context(), "1", base, two, 10)
	if err != nil || total != 2 || len(got) != 2 {
		t.Fatalf("%v, %d, %v", got, total, err)
	}
	if got[0].SHA != two || got[0].Subject != "two" || got[0].Author == "" || got[1].SHA != one || got[1].Subject != "one and a half" {
		t.Errorf("%+v", got)
	}
	if first, total, err := m.Log(t.Context(), "1", base, two, 1); err != nil || total != 2 || !slices.Equal(first, got[:1]) {
		t.Errorf("one of them: %v, %d, %v", first, total, err)
	}
	if got, total, err := m.Log(t.Context(), "1", two, base, 10); err != nil || total != 0 || len(got) != 0 {
		t.Errorf("backwards: %v, %d, %v", got, total, err)
	}
	missing := strings.Repeat("5", 40)
	if _, _, err := m.Log(t.Context(), "1", missing, two, 10); !errors.Is(err, ErrCommitNotFound) {
		t.Errorf("from what is missing: %v", err)
	}
	if _, _, err := m.Log(t.Context(), "1", "--all", two, 10); !errors.Is(err, ErrInvalid) {
		t.Errorf("of an option: %v", err)
	}
}
