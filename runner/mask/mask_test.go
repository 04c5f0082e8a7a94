package mask_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/runner/mask"
)

// reference is the plain meaning of masking: every byte of every occurrence is
// hidden, and occurrences that overlap are hidden together.
func reference(text string, secrets []string) string {
	covered := make([]bool, len(text))
	joined := make([]bool, len(text)) // byte i hides together with byte i-1
	for _, secret := range secrets {
		for line := range strings.SplitSeq(secret, "\n") {
			line = strings.TrimSuffix(line, "\r")
			if len(line) < mask.MinLen {
				continue
			}
			for i := 0; i+len(line) <= len(text); i++ {
				if text[i:i+len(line)] != line {
					continue
				}
				for j := i; j < i+len(line); j++ {
					covered[j] = true
					joined[j] = joined[j] || j > i
				}
			}
		}
	}
	var b strings.Builder
	for i := range len(text) {
		switch {
		case !covered[i]:
			b.WriteByte(text[i])
		case !joined[i]:
			b.WriteString(mask.Mask)
		}
	}
	return b.String()
}

func masked(t *testing.T, secrets []string, writes ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := mask.New(&b, secrets)
	for _, s := range writes {
		if n, err := w.Write([]byte(s)); n != len(s) || err != nil {
			t.Fatalf("Write(%q) = %d, %v", s, n, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	return b.String()
}

func TestWriter(t *testing.T) {
	for _, tt := range []struct {
		name    string
		secrets []string
		writes  []string
		want    string
	}{
		{"NoSecrets", nil, []string{"hello\n"}, "hello\n"},
		{"One", []string{"hunter2"}, []string{"pw=hunter2!"}, "pw=********!"},
		{"AcrossWrites", []string{"hunter2"}, []string{"pw=hun", "te", "r2!"}, "pw=********!"},
		{"AlmostOne", []string{"hunter2"}, []string{"hunter", "1"}, "hunter1"},
		{"AtTheEnd", []string{"hunter2"}, []string{"hunter"}, "hunter"},
		{"LongestFirst", []string{"abc", "abcdef"}, []string{"abcdef abcdeX"}, "******** ********deX"},
		{"Overlapping", []string{"abcd", "cdef"}, []string{"xabcdefx"}, "x********x"},
		{"OverlappingWrittenAlready", []string{"abc", "cdefg"}, []string{"xabc", "def", "gx"}, "x********x"},
		{"Inside", []string{"abcdefgh", "cde"}, []string{"abcde", "fgX"}, "ab********fgX"},
		{"SideBySide", []string{"abc"}, []string{"abcabc"}, "****************"},
		{"SelfOverlapping", []string{"abab"}, []string{"ababab"}, "********"},
		{"LineByLine", []string{"first\r\nsecond\n"}, []string{"first\nsecond\n"}, "********\n********\n"},
		{"TooShort", []string{"ab", "x\ny\n"}, []string{"ab x y"}, "ab x y"},
		{"NotText", []string{"\xff\x00\xfe"}, []string{"a\xff", "\x00\xfeb"}, "a********b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := masked(t, tt.secrets, tt.writes...); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := reference(strings.Join(tt.writes, ""), tt.secrets); got != tt.want {
				t.Errorf("reference says %q, want %q", got, tt.want)
			}
		})
	}
}

func TestHeldIsOnlyWhatMayBeginASecret(t *testing.T) {
	var b bytes.Buffer
	w := mask.New(&b, []string{"hunter2", "terrible"})
	for _, step := range []struct {
		write string
		held  int
	}{
		{"some text", 1}, // the t of terrible
		{"\n", 0},
		{"hunte", 5},
		{"r", 6},
		{"r", 4}, // terr
		{"hunter2", 0},
	} {
		if _, err := w.Write([]byte(step.write)); err != nil {
			t.Fatal(err)
		}
		if w.Held() != step.held {
			t.Errorf("after %q: %d bytes held, want %d", step.write, w.Held(), step.held)
		}
	}
}

func TestString(t *testing.T) {
	got := mask.String("login hunter2 failed: hunter", []string{"hunter2"})
	if want := "login ******** failed: hunter"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestWriteErrorIsKept(t *testing.T) {
	full := errors.New("disk full")
	w := mask.New(failing{full}, []string{"hunter2"})
	for range 2 {
		if _, err := w.Write([]byte("text")); !errors.Is(err, full) {
			t.Errorf("Write: %v, want %v", err, full)
		}
	}
	if err := w.Close(); !errors.Is(err, full) {
		t.Errorf("Close: %v, want %v", err, full)
	}
}

func FuzzWriter(f *testing.F) {
	f.Add("xabcdefx", "abcd|cdef|d", uint64(1))
	f.Add("aaaaaaaab", "aaa|aab|aaaaab", uint64(2))
	f.Add("first\nsecond\n", "first\nsecond", uint64(3))
	f.Fuzz(func(t *testing.T, text, joined string, seed uint64) {
		if len(text) > 1000 || len(joined) > 200 {
			return // too long for the reference
		}
		secrets := strings.Split(joined, "|")
		want := reference(text, secrets)
		rnd := rand.New(rand.NewPCG(seed, 0))
		for range 4 {
			var writes []string
			for rest := text; rest != ""; {
				n := 1 + rnd.IntN(min(len(rest), 8))
				writes, rest = append(writes, rest[:n]), rest[n:]
			}
			if got := masked(t, secrets, writes...); got != want {
				t.Fatalf("secrets %q, writes %q: got %q, want %q", secrets, writes, got, want)
			}
		}
	})
}

// TestSmallAlphabet is the fuzz test's property on texts where secrets overlap
// all the time.
func TestSmallAlphabet(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	word := func(max int) string {
		b := make([]byte, rnd.IntN(max))
		for i := range b {
			b[i] = "ab\n"[rnd.IntN(20)%3]
		}
		return string(b)
	}
	for range 20000 {
		secrets := []string{word(8), word(8), word(8)}
		text := word(40)
		cut := rnd.IntN(len(text) + 1)
		mid := cut + rnd.IntN(len(text)-cut+1)
		want := reference(text, secrets)
		if got := masked(t, secrets, text[:cut], text[cut:mid], text[mid:]); got != want {
			t.Fatalf("secrets %q, text %q cut at %d, %d: got %q, want %q", secrets, text, cut, mid, got, want)
		}
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func BenchmarkWriter(b *testing.B) {
	rnd := rand.New(rand.NewPCG(1, 2))
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	var secrets []string
	for range 20 {
		s := make([]byte, 40)
		for i := range s {
			s[i] = letters[rnd.IntN(len(letters))]
		}
		secrets = append(secrets, string(s))
	}
	var text bytes.Buffer
	for i := 0; text.Len() < 64<<10; i++ {
		fmt.Fprintf(&text, "ok  \tgithub.com/slipway-ci/slipway/pkg%d\t0.%03ds\tcoverage: %d%% of statements\n", i, i%1000, i%100)
	}
	for _, n := range []int{0, 1, 20} {
		b.Run(fmt.Sprintf("secrets=%d", n), func(b *testing.B) {
			w := mask.New(discard{}, secrets[:n])
			b.SetBytes(int64(text.Len()))
			for b.Loop() {
				if _, err := w.Write(text.Bytes()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
