package lineage_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report/lineage"
)

const small = `{"schema":"weightprint.tree/1","nodes":[{"id":0,"ref":"a","family":0},{"id":1,"ref":"b","family":0}],
"edges":[{"from":0,"to":1,"relation":"related","kinds":["fine-tuned"],"direction":"undetermined","reading":"a-to-b","because":"","distance":0.5,"log10P":-9}],"limits":[]}`

func TestParseJSON(t *testing.T) {
	g, err := lineage.ParseJSON([]byte(small))
	require.NoError(t, err)
	var first, second bytes.Buffer
	require.NoError(t, g.WriteJSON(&first))
	again, err := lineage.ParseJSON(first.Bytes())
	require.NoError(t, err)
	require.NoError(t, again.WriteJSON(&second))
	require.Equal(t, first.String(), second.String())

	for from, to := range map[string]string{
		`"to":1`:           `"to":2`,
		`"from":0`:         `"from":1`,
		`"from":0,`:        `"from":-1,`,
		`"related"`:        `"\u001b[31m"`,
		`"fine-tuned"`:     `"\u001b[31m"`,
		`"undetermined"`:   `"sideways"`,
		`"a-to-b"`:         `""`,
		`"id":1`:           `"id":7`,
		`"family":0},`:     `"family":3},`,
		`tree/1`:           `tree/9`,
		`"ref":"a",`:       `"ref":"a","hidden":"x",`,
		`"kinds":["fine-`:  `"kinds":["kinds":["fine-`,
		`"log10P":-9}],"l`: `"log10P":-9},{"from":1,"to":0,"relation":"related","kinds":[],"direction":"undetermined","reading":"undetermined","because":"","distance":null,"log10P":null}],"l`,
	} {
		bad := strings.Replace(small, from, to, 1)
		require.NotEqual(t, small, bad, from)
		_, err := lineage.ParseJSON([]byte(bad))
		require.Error(t, err, "%s -> %s", from, to)
	}
}

// Two parents a model, layer upon layer, would be 2^60 lines.
func TestParseJSONBoundsItsText(t *testing.T) {
	var nodes, edges []string
	for i := range 121 {
		nodes = append(nodes, fmt.Sprintf(`{"id":%d,"ref":"m%d","family":0}`, i, i))
	}
	for i := 0; i+2 < 121; i += 2 {
		for _, e := range [][2]int{{i, i + 1}, {i, i + 2}, {i + 1, i + 2}} {
			edges = append(edges, fmt.Sprintf(`{"from":%d,"to":%d,"relation":"related","kinds":[],"direction":"undetermined","reading":"undetermined","because":"","distance":null,"log10P":null}`, e[0], e[1]))
		}
	}
	_, err := lineage.ParseJSON([]byte(`{"schema":"weightprint.tree/1","nodes":[` + strings.Join(nodes, ",") + `],"edges":[` + strings.Join(edges, ",") + `],"limits":[]}`))
	require.ErrorIs(t, err, lineage.ErrGraph)
}

func FuzzParseJSON(f *testing.F) {
	f.Add([]byte(small))
	f.Fuzz(func(t *testing.T, text []byte) {
		g, err := lineage.ParseJSON(text)
		if err != nil {
			return
		}
		for _, write := range []func(io.Writer) error{g.WriteText, g.WriteSVG, g.WriteDOT, g.WriteJSON} {
			require.NoError(t, write(io.Discard))
		}
	})
}
