package rules

// An automaton finds which of some words are in a text, all at once and in any
// case of ASCII letters: that of Aho and Corasick, with all steps worked out, so
// that a byte costs one look into a table.
type automaton struct {
	next  [][256]uint16 // with ends set where a word ends in the state
	found []wordSet     // by state: the words that end there
}

// A wordSet is some of an automaton's words, a bit each.
type wordSet [3]uint64

const (
	maxWords = len(wordSet{}) * 64
	ends     = 1 << 15 // in a step: words end there
)

func (s *wordSet) add(word int)           { s[word/64] |= 1 << (word % 64) }
func (s *wordSet) join(o wordSet)         { s[0] |= o[0]; s[1] |= o[1]; s[2] |= o[2] }
func (s wordSet) empty() bool             { return s[0]|s[1]|s[2] == 0 }
func (s wordSet) overlaps(o wordSet) bool { return s[0]&o[0]|s[1]&o[1]|s[2]&o[2] != 0 }

// newAutomaton returns the automaton for words in lower case, at most maxWords.
func newAutomaton(words []string) *automaton {
	a := &automaton{next: make([][256]uint16, 1), found: make([]wordSet, 1)}
	for i, word := range words {
		state := uint16(0)
		for _, b := range []byte(word) {
			if a.next[state][b] == 0 {
				a.next[state][b] = uint16(len(a.next))
				a.next, a.found = append(a.next, [256]uint16{}), append(a.found, wordSet{})
			}
			state = a.next[state][b]
		}
		a.found[state].add(i)
	}
	a.link()
	for state := range a.next {
		for b := range a.next[state] {
			if to := a.next[state][b]; !a.found[to].empty() {
				a.next[state][b] |= ends
			}
		}
		for b := 'A'; b <= 'Z'; b++ {
			a.next[state][b] = a.next[state][b-'A'+'a']
		}
	}
	return a
}

// link adds the steps for bytes that do not go on with a word: those of the
// longest end of what was read that begins a word.
func (a *automaton) link() {
	suffix := make([]uint16, len(a.next)) // by state: the state of that end
	var queue []uint16
	for b := range a.next[0] {
		if to := a.next[0][b]; to != 0 {
			queue = append(queue, to)
		}
	}
	for len(queue) > 0 {
		state := queue[0]
		queue = queue[1:]
		a.found[state].join(a.found[suffix[state]])
		for b := range a.next[state] {
			to, other := a.next[state][b], a.next[suffix[state]][b]
			if to == 0 {
				a.next[state][b] = other
				continue
			}
			suffix[to] = other
			queue = append(queue, to)
		}
	}
}

// scan returns the words that are in the text.
func (a *automaton) scan(text []byte) (words wordSet) {
	state := uint16(0)
	for _, b := range text {
		state = a.next[state&^ends][b]
		if state >= ends {
			words.join(a.found[state&^ends])
		}
	}
	return words
}
