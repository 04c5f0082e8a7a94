package runner

// Isolation is how strongly containers are kept from the machine, as far as that
// can be chosen. The zero Isolation is what the engine does by itself.
type Isolation struct {
	// Runtime is the engine's name of what runs containers, such as "runsc"; "" is
	// its default.
	Runtime string
	// UserNS is "" for the engine's mapping of users, or "host" for none where the
	// engine maps them.
	UserNS string
}

// Or returns the isolation, with what it leaves open taken from another.
func (i Isolation) Or(other Isolation) Isolation {
	if i.Runtime == "" {
		i.Runtime = other.Runtime
	}
	if i.UserNS == "" {
		i.UserNS = other.UserNS
	}
	return i
}
