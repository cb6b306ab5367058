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

// Types without a constant of their own are there by name, and integers by their bits.
func TestNamedTypes(t *testing.T) {
	for name, kind := range map[string]Kind{"Q4_K": KindBlock, "NF4": KindBlock, "F6_E2M3": KindFloat, "C32": KindFloat, "F32": KindFloat} {
		require.Equal(t, name, Named(name).String())
		require.Equal(t, kind, Named(name).Kind(), name)
	}
	require.Panics(t, func() { Named("Q4_k") })
	for bits, want := range map[int]string{1: "INT1", 4: "INT4", 8: "INT8"} {
		require.Equal(t, want, PackedInt(bits).String())
	}
	for _, bits := range []int{-1, 0, 9, 1 << 30} {
		require.Equal(t, Invalid, PackedInt(bits))
	}
}
