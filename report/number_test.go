package report

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Numbers are compared by value, and by all their digits.
func TestNumbersAreComparedByValue(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"1e-09", "1e-9", true}, {"1E-9", "0.000000001", true}, {"100", "1e2", true}, {"1.0", "1", true}, {"-0", "0", true},
		{"9007199254740993", "9007199254740992", false}, {"1e-9", "1.0000000000000001e-9", false},
		{"1e999999999", "1e999999998", false}, {"1e999999999", "1e999999999", true}, {"1", `"1"`, false}, {"0", "null", false}, {"0", "false", false},
	} {
		d, err := Differ([]byte(`{"x":`+c.a+`}`), []byte(`{"x":`+c.b+`}`))
		require.NoError(t, err)
		require.Equal(t, c.same, d == nil, "%s and %s", c.a, c.b)
	}
}
