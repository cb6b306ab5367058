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
	"github.com/weightprint/weightprint/internal/hostile"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/lineage"
	"github.com/weightprint/weightprint/report/verdict"
)

// Names from files act in no form of a lineage.
func TestHostileNames(t *testing.T) {
	for i, h := range hostile.Strings(testing.Short()) {
		g := &lineage.Graph{Schema: lineage.Schema, Nodes: []lineage.Node{{ID: 0, Ref: h}, {ID: 1, Ref: "models/" + h}, {ID: 2, Ref: "/" + h}},
			Edges: []lineage.Edge{{From: 0, To: 1, Direction: verdict.AToB, Because: h, Relation: verdict.Related}, {From: 0, To: 2, Direction: verdict.Undetermined, Kinds: []verdict.Kind{verdict.Merged}}}, Limits: []string{h}}
		for form, write := range map[string]func(io.Writer) error{"svg": g.WriteSVG, "dot": g.WriteDOT, "text": g.WriteText, "json": g.WriteJSON} {
			var b bytes.Buffer
			require.NoError(t, write(&b))
			require.NoError(t, hostile.Check(form, b.String()), "string %d: %.40q", i, h)
		}
	}
}

// Folders that all models share are left out of their names; circles, which
// only a graph made elsewhere has, end.
func TestNamesAndCircles(t *testing.T) {
	g := &lineage.Graph{Nodes: []lineage.Node{{ID: 0, Ref: "zoo/a/x"}, {ID: 1, Ref: "zoo/a/y"}, {ID: 2, Ref: "zoo/b"}}, Edges: []lineage.Edge{{From: 0, To: 1}, {From: 1, To: 0}}}
	var svg, text bytes.Buffer
	require.NoError(t, g.WriteSVG(&svg))
	require.NoError(t, g.WriteText(&text))
	require.Contains(t, svg.String(), ">a/y<")
	require.Contains(t, svg.String(), ">b<")
	require.NotContains(t, svg.String(), "zoo")
}

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
	require.Equal(t, verdict.AToB, quantised.Reading)
	require.Equal(t, verdict.Undetermined, quantised.Direction, "weights name no direction")

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
