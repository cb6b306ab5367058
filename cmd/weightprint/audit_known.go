package main

import (
	"math"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/similarity/stats"
	"github.com/weightprint/weightprint/store"
)

// knownTop is how many known relatives an audit names.
const knownTop = 5

// relatives looks for a model among known ones: a *store.Found, or nil where none were
// named. What it finds decides no claim.
func (f *auditFlags) relatives(c *cobra.Command, model string) (any, error) {
	if f.known == "" {
		return nil, nil
	}
	at := place{file: f.known}
	if store.IsDSN(f.known) {
		at = place{dsn: f.known}
	}
	s, err := at.open(c)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	print, err := printModel(c.Context(), model, int64(report.Full))
	if err != nil {
		return nil, err
	}
	found, err := s.Search(c.Context(), print, knownTop, stats.LogP(math.Log(searchLevel)))
	if err != nil {
		return nil, err
	}
	warnOf(c, found.Skipped)
	return store.Describe(found), nil
}
