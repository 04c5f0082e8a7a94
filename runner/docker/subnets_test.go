package docker

import (
	"net/netip"
	"testing"
)

func TestSubnetsCoverTheRange(t *testing.T) {
	pool := netip.MustParsePrefix("10.173.0.0/16")
	s := newSubnets(pool, 24)
	if s.count != 256 {
		t.Fatalf("%d subnets, want 256", s.count)
	}
	seen := map[netip.Prefix]bool{}
	for range s.count {
		p := s.next()
		if p.Bits() != 24 || p != p.Masked() || !pool.Overlaps(p) || seen[p] {
			t.Errorf("subnet %v, which is no new part of %v", p, pool)
		}
		seen[p] = true
	}
	if p := s.next(); !seen[p] {
		t.Errorf("%v after all were handed out", p)
	}
}

func TestSubnetsOfNoUse(t *testing.T) {
	for pool, bits := range map[string]int{"fd00::/8": 64, "10.0.0.0/16": 8, "10.0.0.0/24": 32} {
		if s := newSubnets(netip.MustParsePrefix(pool), bits); s.count != 0 {
			t.Errorf("%s gives %d subnets of %d bits", pool, s.count, bits)
		}
	}
}
