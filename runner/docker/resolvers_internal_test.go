package docker

import (
	"fmt"
	"strings"
	"testing"
)

func TestUnreachableResolvers(t *testing.T) {
	servers, err := parseResolvers(strings.NewReader(`# nameserver 1.1.1.1
nameserver 169.254.169.253
nameserver	9.9.9.9
nameserver fe80::1%eth0
nameserver fd00:ec2::253
nameserver somewhere
search example.org
options ndots:2
`))
	if got := fmt.Sprint(servers); err != nil || got != "[169.254.169.253 9.9.9.9 fe80::1 fd00:ec2::253]" {
		t.Errorf("got %s, %v", got, err)
	}
	if got := fmt.Sprint(Unreachable(servers)); got != "[169.254.169.253 fd00:ec2::253]" {
		t.Errorf("unreachable: %s", got)
	}
}

func TestResolversOfThisMachine(t *testing.T) {
	if _, err := Resolvers(); err != nil {
		t.Error(err)
	}
}
