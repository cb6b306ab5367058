package report

import (
	"context"
	"strings"
	"sync"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/suite"
)

// Methods says by which methods a report was made.
type Methods struct {
	Version  int               `json:"version"` // of the tests' definitions
	Tests    []Method          `json:"tests"`
	Controls ControlPopulation `json:"controls"`
}

// Method is one test of the suite.
type Method struct {
	Name string `json:"name"`
	Tier string `json:"tier"`
	Doc  string `json:"doc"`
}

// ControlPopulation pins the population that calibrated effects are held
// against.
type ControlPopulation struct {
	Version  int                `json:"version"`
	Networks int                `json:"networks"`
	Pairs    int                `json:"pairs"` // independent ones
	Digest   fingerprint.Digest `json:"digest"`
}

// methods describes the suite, and further tests of the caller's.
func methods(further []*similarity.Test) Methods {
	m := Methods{Version: suite.Version, Tests: []Method{}, Controls: ControlPopulation{verdict.Controls().Version, verdict.Controls().Networks, verdict.Controls().Pairs(), controlsDigest()}}
	seen := map[string]bool{}
	for _, t := range append(suite.Default(), further...) {
		if !seen[t.Name] {
			seen[t.Name] = true
			m.Tests = append(m.Tests, Method{t.Name, string(t.Tier), t.Doc})
		}
	}
	return m
}

var controlsDigest = sync.OnceValue(func() fingerprint.Digest {
	d, err := fingerprint.Stored(context.Background(), strings.NewReader(verdict.ControlsJSON()), int64(len(verdict.ControlsJSON())))
	if err != nil {
		panic("controls.json: " + err.Error())
	}
	return d
})
