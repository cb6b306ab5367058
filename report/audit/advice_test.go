package audit

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMisnamedParentIsAdvised(t *testing.T) {
	_, err := ReadClaim(strings.NewReader(`{"parents": ["base/"]}`))
	require.ErrorContains(t, err, "did you mean parent?")
	_, err = ReadClaim(strings.NewReader(`{"mother": "base/"}`))
	require.ErrorContains(t, err, "mother")
	require.NotContains(t, err.Error(), "did you mean")
}

func TestCountedAgrees(t *testing.T) {
	for n, want := range map[int]string{0: "0 references", 1: "1 reference", 2: "2 references"} {
		require.Equal(t, want, counted(n, "reference"))
	}
}
