package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/lineage"
	"github.com/weightprint/weightprint/report/verdict"
)

func treeCommand() *cobra.Command {
	var edges, log bool
	var file string
	c := &cobra.Command{
		Use:   "tree DIR",
		Short: "draw the lineage of a zoo of known lineage and count right and wrong edges",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cpu := processTime()
			z, err := readZoo(args[0])
			if err != nil {
				return err
			}
			var g *lineage.Graph
			if file != "" {
				g, err = z.read(file)
			} else {
				g, err = z.graph(c.Context(), args[0], log)
			}
			if err != nil {
				return err
			}
			s := z.judge(g)
			s.print(c.OutOrStdout(), edges)
			fmt.Fprintf(c.OutOrStdout(), "BenchmarkTree/cost %d %.1f cpu-s %.0f MiB %d pairs-compared\n", len(z.all), (processTime() - cpu).Seconds(), float64(processMemory())/(1<<20), g.Compared)
			return nil
		},
	}
	c.Flags().StringVar(&file, "graph", "", "judge this graph, written by weightprint tree --json, instead of drawing one")
	c.Flags().BoolVar(&edges, "edges", false, "also print every edge with its judgement, and every edge that was missed")
	c.Flags().BoolVar(&log, "log", false, "log every comparison")
	return c
}

// zooTree is a manifest seen as a graph.
type zooTree struct {
	all []*member
	by  map[string]*member
}

// readZoo reads a manifest; adapters, which stand on no feet of their own, are
// left out.
func readZoo(dir string) (*zooTree, error) {
	all, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	z := &zooTree{by: map[string]*member{}}
	for _, m := range all {
		if !strings.Contains(m.Relation, "adapter") {
			z.all = append(z.all, m)
			z.by[m.Name] = m
		}
	}
	return z, nil
}

// graph draws the lineage of all members, in the order of the manifest.
func (z *zooTree) graph(ctx context.Context, dir string, log bool) (*lineage.Graph, error) {
	var in []report.Input
	for _, m := range z.all {
		c, err := formats.Open(ctx, filepath.Join(dir, m.Path), nil)
		if err != nil {
			return nil, err
		}
		defer c.Close()
		in = append(in, report.FromCheckpoint(ctx, c))
	}
	o := &report.Options{}
	if log {
		o.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return lineage.Build(ctx, in, o)
}

// read takes a graph that was drawn before and leaves in the zoo only the models
// that it has, in its order.
func (z *zooTree) read(file string) (*lineage.Graph, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var g lineage.Graph
	if err := json.Unmarshal(raw, &g); err != nil {
		return nil, err
	}
	by := z.by
	z.all, z.by = nil, map[string]*member{}
	for _, n := range g.Nodes {
		if n.Hidden != "" {
			continue
		}
		m := by[filepath.Base(n.Ref)]
		if m == nil {
			return nil, fmt.Errorf("%s: %q is not in the manifest", file, n.Ref)
		}
		z.all, z.by[m.Name] = append(z.all, m), m
	}
	return &g, nil
}

// stored names the model that m holds the values of in another storage.
func (z *zooTree) stored(m *member) *member {
	for _, how := range []string{"dtype variant", "GGUF", "renamed"} {
		if strings.HasPrefix(m.Relation, how) && len(m.Parents) == 1 && z.by[m.Parents[0]] != nil {
			return z.stored(z.by[m.Parents[0]])
		}
	}
	return m
}

// child tells whether c was made from p, up to storage.
func (z *zooTree) child(p, c *member) bool {
	p, c = z.stored(p), z.stored(c)
	return p == c || slices.ContainsFunc(c.Parents, func(n string) bool { return z.by[n] != nil && z.stored(z.by[n]) == p })
}

// siblings tells whether two models were made from one.
func (z *zooTree) siblings(a, b *member) bool {
	return slices.ContainsFunc(z.stored(a).Parents, func(n string) bool { return z.by[n] != nil && z.child(z.by[n], b) })
}

// kin tells whether two models descend from one root.
func (z *zooTree) kin(a, b *member) bool { return truth(z.by, a, b) == "related" }

// treeScore counts edges.
type treeScore struct {
	drawn, parent, sibling, kin, strangers int // edges drawn, by what joins their ends
	hidden                                 int // edges from what is not among the models
	turned                                 int // edges that state the wrong direction
	stated                                 int // edges that state a direction
	known, found, beside                   int // edges of the manifest: drawn, or drawn to a sibling of the child
	merged, whole                          int // models with several parents, and those of them that got all but the base
	lines                                  []string
}

// judge holds a graph against the manifest.
func (z *zooTree) judge(g *lineage.Graph) *treeScore {
	s := &treeScore{drawn: len(g.Edges)}
	for _, e := range g.Edges {
		if g.Nodes[e.From].Hidden != "" {
			s.drawn--
			s.hidden++
			s.lines = append(s.lines, fmt.Sprintf("%-9s (%s) -> %s", "hidden", g.Nodes[e.From].Hidden, z.all[e.To].Name))
			continue
		}
		p, c := z.all[e.From], z.all[e.To]
		what := "strangers"
		switch {
		case z.child(p, c):
			what = "parent"
			s.parent++
		case z.child(c, p):
			what = "parent"
			s.parent++
			if e.Reading != verdict.Undetermined {
				what = "turned"
				s.turned++
			}
		case z.siblings(p, c):
			what = "sibling"
			s.sibling++
		case z.kin(p, c):
			what = "kin"
			s.kin++
		default:
			s.strangers++
		}
		if e.Reading != verdict.Undetermined {
			s.stated++
		}
		s.lines = append(s.lines, fmt.Sprintf("%-9s %s -> %s  %s %v %s %s", what, p.Name, c.Name, e.Relation, e.Kinds, e.Reading, e.Because))
	}
	z.recall(g, s)
	return s
}

// recall looks for the edges of the manifest.
func (z *zooTree) recall(g *lineage.Graph, s *treeScore) {
	joined := func(fits func(a, b *member) bool) bool {
		return slices.ContainsFunc(g.Edges, func(e lineage.Edge) bool {
			return g.Nodes[e.From].Hidden == "" && (fits(z.all[e.From], z.all[e.To]) || fits(z.all[e.To], z.all[e.From]))
		})
	}
	for _, c := range z.all {
		parents := 0
		for _, name := range c.Parents {
			p := z.by[name]
			if p == nil {
				continue
			}
			s.known++
			switch {
			case joined(func(a, b *member) bool { return b == c && z.stored(a) == z.stored(p) }):
				s.found++
				parents++
			case joined(func(a, b *member) bool { return b == c && z.siblings(a, c) }):
				s.beside++
				s.lines = append(s.lines, fmt.Sprintf("beside    %s -> %s", name, c.Name))
			default:
				s.lines = append(s.lines, fmt.Sprintf("missed    %s -> %s", name, c.Name))
			}
		}
		if len(c.Parents) > 1 {
			s.merged++
			if parents >= 2 {
				s.whole++
			}
		}
	}
}

func (s *treeScore) print(w io.Writer, edges bool) {
	if edges {
		for _, l := range s.lines {
			fmt.Fprintln(w, "#", l)
		}
	}
	share := func(n, of int) float64 { return float64(n) / float64(max(1, of)) }
	fmt.Fprintf(w, "BenchmarkTree/edges %d %d parent %d sibling %d kin %d strangers %d turned %d directed %d hidden\n", s.drawn, s.parent, s.sibling, s.kin, s.strangers, s.turned, s.stated, s.hidden)
	fmt.Fprintf(w, "BenchmarkTree/precision %d %.4f parent %.4f parent-or-sibling\n", s.drawn, share(s.parent-s.turned, s.drawn), share(s.parent-s.turned+s.sibling, s.drawn))
	fmt.Fprintf(w, "BenchmarkTree/recall %d %.4f found %.4f found-or-sibling\n", s.known, share(s.found, s.known), share(s.found+s.beside, s.known))
	fmt.Fprintf(w, "BenchmarkTree/merges %d %d both-parents\n", s.merged, s.whole)
}
