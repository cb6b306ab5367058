package tensor

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A report is read back as it was written.
func TestDTypeText(t *testing.T) {
	for d := range numDTypes {
		text, err := d.MarshalText()
		require.NoError(t, err)
		var back DType
		require.NoError(t, back.UnmarshalText(text), "%s", text)
		require.Equal(t, d, back)
	}
	var d DType
	require.Error(t, d.UnmarshalText([]byte("Q9_K")))
}
