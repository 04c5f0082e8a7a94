package mask

import (
	"bytes"
	"strings"
)

// Mask is what stands in the place of a secret.
const Mask = "********"

// MinLen is the least length in bytes of what is masked. Anything shorter would
// be found everywhere and hide nothing.
const MinLen = 3

// A Set is secrets made ready to be searched for. It is not changed after
// Compile and may be used concurrently.
//
// It is an Aho-Corasick automaton: a trie of all secrets, where each node knows
// the longest other node that is a suffix of it. Its size is linear in the
// secrets' length.
type Set struct {
	nodes []node
	// begins has a bit for each pair of bytes with which a secret begins. Most
	// text is passed over by looking at nothing else.
	begins [1 << 16 / 64]uint64
	// first has the bytes with which a secret begins.
	first [256]bool
}

// A node is a position in the trie; nodes[0] is its root.
type node struct {
	edges []edge
	fail  int32 // the longest proper suffix that is a node too
	// match is the length of the longest secret that ends here, or 0.
	match int32
	// hold is how many of the last bytes may be the beginning of a secret.
	hold  int32
	depth int32
}

type edge struct {
	b  byte
	to int32
}

// Compile prepares secrets. A secret of several lines is masked line by line,
// so that the number of lines never changes. Lines shorter than MinLen are
// ignored.
func Compile(secrets []string) *Set {
	s := &Set{nodes: make([]node, 1)}
	for _, secret := range secrets {
		for line := range strings.SplitSeq(secret, "\n") {
			if line = strings.TrimSuffix(line, "\r"); len(line) >= MinLen {
				s.add(line)
			}
		}
	}
	s.link()
	return s
}

// Empty reports whether there is nothing to mask.
func (s *Set) Empty() bool { return len(s.nodes) == 1 }

// String returns text with each secret masked.
func (s *Set) String(text string) string {
	if s.Empty() {
		return text
	}
	var b bytes.Buffer
	w := s.Writer(&b)
	_, _ = w.Write([]byte(text)) // a bytes.Buffer never fails
	_ = w.Flush()
	return b.String()
}

// String returns text with each of the secrets masked.
func String(text string, secrets []string) string { return Compile(secrets).String(text) }

func (s *Set) add(secret string) {
	s.first[secret[0]] = true
	pair := uint16(secret[0])<<8 | uint16(secret[1])
	s.begins[pair/64] |= 1 << (pair % 64)

	at := int32(0)
	for i := range len(secret) {
		next, ok := s.child(at, secret[i])
		if !ok {
			next = int32(len(s.nodes))
			s.nodes = append(s.nodes, node{depth: int32(i + 1)})
			s.nodes[at].edges = append(s.nodes[at].edges, edge{secret[i], next})
		}
		at = next
	}
	s.nodes[at].match = s.nodes[at].depth
}

// link sets what each node knows of its suffixes, shortest nodes first, since
// a node's suffixes are shorter than it.
func (s *Set) link() {
	queue := []int32{0}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		s.finish(at)
		for _, e := range s.nodes[at].edges {
			if at != 0 {
				s.nodes[e.to].fail = s.next(s.nodes[at].fail, e.b)
			}
			queue = append(queue, e.to)
		}
	}
}

func (s *Set) finish(at int32) {
	n := &s.nodes[at]
	if n.match == 0 && at != 0 {
		n.match = s.nodes[n.fail].match
	}
	switch {
	case len(n.edges) > 0:
		n.hold = n.depth
	case at != 0:
		n.hold = s.nodes[n.fail].hold
	}
}

// child follows the edge b of a node.
func (s *Set) child(at int32, b byte) (int32, bool) {
	for _, e := range s.nodes[at].edges {
		if e.b == b {
			return e.to, true
		}
	}
	return 0, false
}

// next is the automaton's step: the longest suffix of node at followed by b
// that is a node.
func (s *Set) next(at int32, b byte) int32 {
	for {
		if to, ok := s.child(at, b); ok {
			return to
		}
		if at == 0 {
			return 0
		}
		at = s.nodes[at].fail
	}
}

// skip returns the first index from i on where a secret may begin, given that
// none has begun before.
func (s *Set) skip(p []byte, i int) int {
	last := len(p) - 1
	for ; i < last; i++ {
		pair := uint16(p[i])<<8 | uint16(p[i+1])
		if s.begins[pair/64]&(1<<(pair%64)) != 0 {
			return i
		}
	}
	if i == last && !s.first[p[i]] {
		i++
	}
	return i
}
