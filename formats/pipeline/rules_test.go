package pipeline

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Every pattern compiles, though none is compiled before it is asked for.
func TestPatternsCompile(t *testing.T) {
	for name, rules := range map[string][]rule{"autoencoder": autoencoder, "clip": clip, "openCLIPH": openCLIPH, "openCLIP": openCLIP, "plainText": plainText, "flux": flux, "sd3": sd3, "unetEnds": unetEnds} {
		require.NotEmpty(t, rules, name)
		for _, r := range rules {
			require.NotPanics(t, func() { r.pattern() }, "%s: %s", name, r.from)
		}
	}
	require.NotPanics(t, func() { unetBlock() })
}
