package commitment

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
)

// Challenge fixes, once commitments are public, what has to be answered: which
// units are sketched, along which projections, and how many of them are opened.
// The same commitments and beacon value always give the same challenge, so
// anyone can make and check it.
type Challenge struct {
	Commitments []fingerprint.Digest // one or two, ascending
	Beacon      string               // public value that nobody knew when the commitments were made; may be empty for two
	Open        int                  // sketched units to be opened by each party
}

const (
	// DefaultOpen is how many units a challenge asks to open.
	DefaultOpen = 32
	// MaxOpen is the most that a challenge may ask for: every opened unit
	// gives away two rows of the model.
	MaxOpen = 64

	maxBeacon = 1 << 10
)

// NewChallenge draws a challenge to one or two commitments. With one a beacon
// value is needed: its owner could otherwise try secrets until the challenge
// suits him.
func NewChallenge(beacon string, open int, cs ...Commitment) (*Challenge, error) {
	c := &Challenge{Beacon: beacon, Open: open}
	for _, x := range cs {
		c.Commitments = append(c.Commitments, x.Root)
	}
	slices.SortFunc(c.Commitments, func(a, b fingerprint.Digest) int { return bytes.Compare(a[:], b[:]) })
	if rule := c.broken(); rule != "" {
		return nil, fmt.Errorf("challenge: %s", rule)
	}
	return c, nil
}

// broken names the rule that a challenge breaks, "" if none.
func (c *Challenge) broken() string {
	switch n := len(c.Commitments); {
	case n < 1 || n > 2:
		return "one or two commitments are needed"
	case n == 2 && bytes.Compare(c.Commitments[0][:], c.Commitments[1][:]) >= 0:
		return "the two commitments are the same or out of order"
	case n == 1 && c.Beacon == "":
		return "a challenge to one commitment needs a beacon value"
	case len(c.Beacon) > maxBeacon:
		return fmt.Sprintf("a beacon value has at most %d bytes", maxBeacon)
	case c.Open < 1 || c.Open > MaxOpen:
		return fmt.Sprintf("1 to %d units can be opened", MaxOpen)
	}
	return ""
}

// Pairs lists the pairs of units of an axis that the challenge asks to sketch.
func (c *Challenge) Pairs(x Axis) [][2]int {
	return newProjector(c.Digest()).pairs(x.Units, pairs(x.Units, x.Dim))
}

// Digest identifies the challenge and is the seed of every choice it makes.
func (c *Challenge) Digest() fingerprint.Digest {
	e := &encoder{}
	e.challenge(c)
	return purposeChallenge.of(e.b)
}
