package report

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
)

// sameValue tells whether two JSON values that are neither objects nor lists are the
// same. Numbers are compared by value, exactly: 1e-9 and 1e-09 are one number.
func sameValue(a, b any) bool {
	if a == b {
		return true
	}
	x, ok := a.(json.Number)
	y, same := b.(json.Number)
	if !ok || !same {
		return false
	}
	p, ok := fraction(string(x))
	q, same := fraction(string(y))
	return ok && same && p.Cmp(q) == 0
}

// fraction is a number as a fraction. Those with exponents beyond any float64 are left
// out: their fractions would be as long as the exponent says.
func fraction(s string) (*big.Rat, bool) {
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if e, err := strconv.Atoi(s[i+1:]); err != nil || e < -400 || e > 400 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(s)
}
