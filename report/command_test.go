package report

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCommand(t *testing.T) {
	nonce := "it's"
	r := &Report{Subjects: [2]Subject{{Ref: "base/"}, {Ref: "a b$(x)"}}, Options: Options{Budget: Full, Depth: Deep, Pin: true}, Nonce: &nonce}
	require.Equal(t, `weightprint compare base/ 'a b$(x)' --budget full --depth full --nonce 'it'\''s' --pin`, r.Command())
}
