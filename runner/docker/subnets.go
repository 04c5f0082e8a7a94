package docker

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"sync/atomic"
)

// subnets hands out the parts of a range in turn. It does not know which are
// taken: the engine does, and refuses one that overlaps.
type subnets struct {
	pool   netip.Prefix
	bits   int
	count  uint32 // how many there are; 0 if the range is of no use
	cursor atomic.Uint32
}

// newSubnets starts at a random part, so that several servers on one engine
// seldom try the same.
func newSubnets(pool netip.Prefix, bits int) *subnets {
	s := &subnets{pool: pool.Masked(), bits: bits}
	if wide := bits - pool.Bits(); pool.Addr().Is4() && wide >= 0 && wide < 31 && bits <= 30 {
		s.count = 1 << wide
		s.cursor.Store(rand.Uint32N(s.count)) //nolint:gosec // spreads servers out, keeps nothing secret
	}
	return s
}

// next returns the next part. It is called only if count is not 0.
func (s *subnets) next() netip.Prefix {
	n := (s.cursor.Add(1) - 1) % s.count
	base := s.pool.Addr().As4()
	addr := binary.BigEndian.Uint32(base[:]) + n<<(32-s.bits)
	var a [4]byte
	binary.BigEndian.PutUint32(a[:], addr)
	return netip.PrefixFrom(netip.AddrFrom4(a), s.bits)
}
