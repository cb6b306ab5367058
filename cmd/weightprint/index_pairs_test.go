package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What machines found of shared rows is put together in any order, and each pair counts once.
func TestTestedPairsAreReadOnce(t *testing.T) {
	const one, two, three = `{"a":1,"b":7,"p":-3.5,"test":"probe-order","alike":3,"of":50}` + "\n", `{"a":2,"b":3,"same":true}` + "\n", `{"a":1,"b":9}` + "\n"
	got, err := readTested(t.Context(), strings.NewReader(two+three+one))
	require.NoError(t, err)
	require.Len(t, got, 3)
	require.EqualValues(t, []int64{1, 7, 1, 9, 2, 3}, []int64{got[0].A, got[0].B, got[1].A, got[1].B, got[2].A, got[2].B})
	require.InDelta(t, -3.5, float64(*got[0].P), 0)
	require.EqualValues(t, 50, got[0].Of)
	require.True(t, got[2].Same)
	for text, words := range map[string]string{
		one + two + one:              "records 1 and 7 were tested twice",
		one + "{":                    "tested pair 2",
		`{"a":1,"b":2,"alike":1e11}`: "tested pair 1",
		two + two:                    "records 2 and 3",
	} {
		_, err := readTested(t.Context(), strings.NewReader(text))
		require.ErrorContains(t, err, words, text)
	}
	got, err = readTested(t.Context(), strings.NewReader(""))
	require.NoError(t, err)
	require.Empty(t, got)
}
