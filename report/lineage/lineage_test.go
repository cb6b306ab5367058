package lineage_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/internal/demo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/lineage"
)

func TestDemoFamilies(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	var in []report.Input
	for _, name := range []string{"other-seed", "base", "fine-tune", "fine-tune-q8_0"} {
		m, err := formats.Open(context.Background(), filepath.Join(dir, name), nil)
		require.NoError(t, err)
		defer m.Close()
		in = append(in, report.FromCheckpoint(context.Background(), m))
	}
	g, err := lineage.Build(context.Background(), in, nil)
	require.NoError(t, err)
	require.Len(t, g.Edges, 2)
	for _, e := range g.Edges {
		require.NotEqual(t, 0, e.From, "the stranger has no relatives")
		require.NotEqual(t, 0, e.To)
	}
	quantised := g.Edges[1]
	if quantised.To != 3 {
		quantised = g.Edges[0]
	}
	require.Equal(t, 2, quantised.From)
	require.Equal(t, report.AToB, quantised.Direction)

	var svg, dot, text, js bytes.Buffer
	require.NoError(t, g.WriteSVG(&svg))
	require.NoError(t, g.WriteDOT(&dot))
	require.NoError(t, g.WriteText(&text))
	require.NoError(t, g.WriteJSON(&js))
	require.Contains(t, text.String(), "quantised")
	require.Contains(t, dot.String(), "digraph")
	d := xml.NewDecoder(&svg)
	for {
		_, err := d.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
	}
}
