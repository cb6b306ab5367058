package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

func writePairs(path string, cases []*pairing) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	for _, c := range cases {
		v := c.report.Verdict
		p := 0.0
		if v.Log10P != nil {
			p = float64(*v.Log10P)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%v\t%s\t%.1f", c.truth, c.outcome(), c.a.Name, c.b.Name, v.Relation, v.Tier, v.Kinds, v.Suggested(), p)
		if c.direct {
			fmt.Fprintf(w, "\tkind=%s\tdirection=%s", c.kind(), c.direction())
		}
		for _, e := range c.report.Evidence {
			if e.Tier == "calibrated" && e.Skipped == "" {
				fmt.Fprintf(w, "\t%s/%s=%.4f:%.4f", e.Test, e.Axis, float64(e.Statistic), float64(e.Effect))
			}
		}
		var layers []string
		for _, l := range c.report.Layers {
			if l.A == nil {
				layers = append(layers, "-")
			} else {
				layers = append(layers, fmt.Sprint(*l.A))
			}
		}
		fmt.Fprintf(w, "\tlayers=%s\n", strings.Join(layers, ","))
	}
	return w.Flush()
}

// summarise prints counts by truth, kinds and directions of direct children,
// and how well the scores separate strangers from relatives.
func summarise(w io.Writer, cases []*pairing, markdown bool) {
	count := func(pick func(*pairing) bool, what func(*pairing) string) (n int, by map[string]int) {
		by = map[string]int{}
		for _, c := range cases {
			if pick(c) {
				n++
				by[what(c)]++
			}
		}
		return n, by
	}
	if markdown {
		fmt.Fprint(w, "| pairs | n | right | missed | wrong | inconclusive |\n|---|---|---|---|---|---|\n")
	}
	for _, t := range []string{"strangers", "shared-init", "related"} {
		n, by := count(func(c *pairing) bool { return c.truth == t }, (*pairing).outcome)
		if markdown {
			fmt.Fprintf(w, "| %s | %d | %d | %d | %d | %d |\n", t, n, by["right"], by["missed"], by["wrong"], by["inconclusive"])
		} else {
			fmt.Fprintf(w, "BenchmarkQuality/relation=%s %d %d right %d missed %d wrong %d inconclusive\n", t, n, by["right"], by["missed"], by["wrong"], by["inconclusive"])
		}
	}
	direct := func(c *pairing) bool { return c.direct }
	n, kinds := count(direct, (*pairing).kind)
	_, dirs := count(direct, (*pairing).direction)
	inLine, lines := count(func(c *pairing) bool { return c.descent != "" }, (*pairing).direction)
	score := auc(cases, func(c *pairing) float64 { return float64(c.report.Verdict.Score) })
	logp := auc(cases, func(c *pairing) float64 {
		if p := c.report.Verdict.Log10P; p != nil {
			return -float64(*p)
		}
		return 0
	})
	tpr := tprAt(cases, 1e-3)
	if markdown {
		fmt.Fprintf(w, "\n| direct children | n | right | neighbour | wrong | undetermined |\n|---|---|---|---|---|---|\n| kind | %d | %d | %d | %d | |\n| direction | %d | %d | | %d | %d |\n", n, kinds["right"], kinds["neighbour"], kinds["wrong"], n, dirs["right"], dirs["wrong"], dirs["undetermined"])
		fmt.Fprintf(w, "| direction, descent in any number of steps | %d | %d | | %d | %d |\n", inLine, lines["right"], lines["wrong"], lines["undetermined"])
		fmt.Fprintf(w, "\nAUC of the score %.4f, of −log10 p %.4f; true positives at a false-alarm rate of 1e-3: %.4f.\n", score, logp, tpr)
		return
	}
	fmt.Fprintf(w, "BenchmarkQuality/kinds %d %d right %d neighbour %d wrong\n", n, kinds["right"], kinds["neighbour"], kinds["wrong"])
	fmt.Fprintf(w, "BenchmarkQuality/direction %d %d right %d wrong %d undetermined\n", n, dirs["right"], dirs["wrong"], dirs["undetermined"])
	fmt.Fprintf(w, "BenchmarkQuality/descent %d %d right %d wrong %d undetermined\n", inLine, lines["right"], lines["wrong"], lines["undetermined"])
	fmt.Fprintf(w, "BenchmarkQuality/separation %d %.4f AUC-score %.4f AUC-log10p %.4f TPR@1e-3\n", len(cases), score, logp, tpr)
}

// auc is the chance that a related pair scores above strangers, ties half.
func auc(cases []*pairing, score func(*pairing) float64) float64 {
	type point struct {
		s       float64
		related bool
	}
	var all []point
	for _, c := range cases {
		if c.truth != "shared-init" {
			all = append(all, point{score(c), c.truth == "related"})
		}
	}
	slices.SortFunc(all, func(a, b point) int { return cmp.Compare(a.s, b.s) })
	var sum, below, related float64
	for i := 0; i < len(all); {
		j := i
		var neg, pos float64
		for ; j < len(all) && all[j].s == all[i].s; j++ {
			if all[j].related {
				pos++
			} else {
				neg++
			}
		}
		sum += pos * (below + neg/2)
		below += neg
		related += pos
		i = j
	}
	if below == 0 || related == 0 {
		return 0
	}
	return sum / (below * related)
}

// tprAt is the share of related pairs that score above all but the given
// share of strangers.
func tprAt(cases []*pairing, fpr float64) float64 {
	var neg, pos []float64
	for _, c := range cases {
		s := float64(c.report.Verdict.Score)
		switch c.truth {
		case "strangers":
			neg = append(neg, s)
		case "related":
			pos = append(pos, s)
		}
	}
	if len(neg) == 0 || len(pos) == 0 {
		return 0
	}
	slices.Sort(neg)
	limit := neg[len(neg)-1-int(fpr*float64(len(neg)))]
	n := 0
	for _, s := range pos {
		if s > limit {
			n++
		}
	}
	return float64(n) / float64(len(pos))
}
