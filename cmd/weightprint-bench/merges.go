package main

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/recipe"
	mixture "github.com/weightprint/weightprint/similarity/recipe"
)

// methods maps the beginning of a manifest's recipe to the method of mixing.
var methods = []struct {
	prefix string
	method mixture.Method
}{
	{"linear", mixture.Linear},
	{"SLERP", mixture.SLERP},
	{"task arithmetic", mixture.TaskArithmetic},
	{"TIES", mixture.TIES},
	{"DARE", mixture.DARE},
}

// mixed tells whether x is a merge of several parents. A comparison with one
// of them cannot show that, so its kind is what the recipe of all of them
// says.
func mixed(x *member) bool { return strings.HasPrefix(x.Relation, "merge") }

// named tells whether the recipe of x names the method it was made by.
func named(ctx context.Context, dir string, by map[string]*member, x *member) (bool, error) {
	open := func(m *member) (report.Input, func() error, error) {
		c, err := formats.Open(ctx, filepath.Join(dir, m.Path), nil)
		if err != nil {
			return report.Input{}, nil, err
		}
		return report.FromCheckpoint(ctx, c), c.Close, nil
	}
	child, done, err := open(x)
	if err != nil {
		return false, err
	}
	defer done()
	var parents []report.Input
	for _, name := range x.Parents {
		in, done, err := open(by[name])
		if err != nil {
			return false, err
		}
		defer done()
		parents = append(parents, in)
	}
	r, err := recipe.Find(ctx, child, parents, nil)
	if err != nil {
		return false, err
	}
	for _, m := range methods {
		if strings.HasPrefix(x.Recipe, m.prefix) {
			return r.Method == m.method && !r.Missing, nil
		}
	}
	return false, nil
}

// nameMixtures finds the recipe of every merge among the children, once each.
func nameMixtures(ctx context.Context, dir string, cases []*pairing) error {
	by, done := map[string]*member{}, map[string]bool{}
	for _, c := range cases {
		by[c.a.Name], by[c.b.Name] = c.a, c.b
	}
	for _, c := range cases {
		if !c.direct || !mixed(c.b) {
			continue
		}
		right, seen := done[c.b.Name]
		if !seen {
			var err error
			if right, err = named(ctx, dir, by, c.b); err != nil {
				return err
			}
			done[c.b.Name] = right
		}
		c.named = right
	}
	return nil
}
