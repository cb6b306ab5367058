package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/weightprint/weightprint/report"
)

// finding is what a report says, as far as tables of attacks need it.
type finding struct {
	attack, a, b string
	relation     string
	direction    string
	alternatives []string
	read         bool // a reading is given
	effects      map[string]float64
	notes        map[string]float64 // what the attack measured itself
	claims       map[string]string  // outcome of claims, by what is claimed
}

// found reads a report through its JSON form, which stays.
func found(r *report.Report) (*finding, error) {
	var raw bytes.Buffer
	if err := r.WriteJSON(&raw); err != nil {
		return nil, err
	}
	var j struct {
		Verdict struct {
			Relation, Direction string
			Alternatives        []string
			Reading             *struct{ Story string }
		}
		Evidence []struct {
			Test, Axis, Skipped string
			Effect              float64
		}
	}
	if err := json.Unmarshal(raw.Bytes(), &j); err != nil {
		return nil, err
	}
	f := &finding{relation: j.Verdict.Relation, direction: j.Verdict.Direction, alternatives: j.Verdict.Alternatives, read: j.Verdict.Reading != nil && j.Verdict.Reading.Story != "", effects: map[string]float64{}, notes: map[string]float64{}, claims: map[string]string{}}
	for _, e := range j.Evidence {
		if e.Skipped == "" {
			f.effects[e.Test] = max(f.effects[e.Test], e.Effect)
		}
	}
	return f, nil
}

// accuses tells whether a relation of the weights is stated.
func (f *finding) accuses() bool {
	return !slices.Contains([]string{"no-evidence", "inconclusive", crash, failed}, f.relation)
}

// names tells whether an alternative has one of the words.
func (f *finding) names(words ...string) bool {
	return slices.ContainsFunc(f.alternatives, func(s string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return w != "" && strings.Contains(strings.ToLower(s), w) })
	})
}

// directed tells whether a direction is stated.
func (f *finding) directed() bool { return f.direction == "a-to-b" || f.direction == "b-to-a" }

// job makes and compares one pair.
type job struct {
	attack, a, b string
	run          func(ctx context.Context) (*finding, error)
}

// What stands in the place of a relation where there is none.
const (
	crash  = "crash"           // the comparison panicked
	failed = "not carried out" // the attack did not keep the function
)

// safely runs a job and makes a finding of a panic: an attack that brings the program
// down has succeeded.
func (j job) safely(ctx context.Context) (f *finding, err error) {
	defer func() {
		if x := recover(); x != nil {
			f, err = &finding{relation: crash, alternatives: []string{fmt.Sprint(x)}}, nil
		}
	}()
	return j.run(ctx)
}

// work runs jobs on all processors and returns findings in their order; each is told
// to done as it comes.
func work(ctx context.Context, jobs []job, done func(*finding)) ([]*finding, error) {
	out := make([]*finding, len(jobs))
	var mu sync.Mutex
	var first error
	var wg sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				f, err := jobs[i].safely(ctx)
				mu.Lock()
				if err != nil {
					first = cmp.Or(first, fmt.Errorf("%s: %s, %s: %w", jobs[i].attack, jobs[i].a, jobs[i].b, err))
				} else {
					f.attack, f.a, f.b = jobs[i].attack, jobs[i].a, jobs[i].b
					out[i] = f
					done(f)
				}
				mu.Unlock()
			}
		})
	}
	for i := range jobs {
		next <- i
	}
	close(next)
	wg.Wait()
	return out, first
}

// line is a finding in a row of a table of all pairs.
func (f *finding) line() string {
	return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%v\t%v\t%v", f.attack, f.a, f.b, f.relation, f.direction, strings.Join(f.alternatives, "; "), f.effects, f.notes, f.claims)
}

// relations counts the relations found, in the order in which reports list them.
func relations(all []*finding) string {
	var words []string
	for _, r := range []string{"identical", "reencoded", "related", "shared-init", "no-evidence", "inconclusive", crash, failed} {
		n := count(all, func(f *finding) bool { return f.relation == r })
		if n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, r))
		}
	}
	return strings.Join(words, ", ")
}

func count(all []*finding, is func(*finding) bool) (n int) {
	for _, f := range all {
		if is(f) {
			n++
		}
	}
	return n
}

// highest is the largest of a figure.
func highest(all []*finding, of func(*finding) float64) (most float64) {
	for _, f := range all {
		most = max(most, of(f))
	}
	return most
}

// byAttack groups findings, in the order in which attacks come first.
func byAttack(all []*finding) (names []string, groups map[string][]*finding) {
	groups = map[string][]*finding{}
	for _, f := range all {
		if groups[f.attack] == nil {
			names = append(names, f.attack)
		}
		groups[f.attack] = append(groups[f.attack], f)
	}
	return names, groups
}
