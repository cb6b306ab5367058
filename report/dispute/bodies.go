package dispute

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/weightprint/weightprint/internal/strictjson"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/intoto"
	"github.com/weightprint/weightprint/report/verdict"
)

// body is what an entry says.
type body interface{ kind() string }

// Init states what is asked, by whom, and everything that the runner will do: after
// it nothing is left to choose.
type Init struct {
	Question string           `json:"question"`
	Parties  map[Author]Party `json:"parties"` // a, b and runner
	Gains    []Author         `json:"gains"`   // who gains from a finding of common origin
	Beacon   string           `json:"beacon"`  // whose value draws the positions: a source and a round that is still to come
	// BeaconTime is when that round is out. Commitments that are not older could
	// have been made with the positions in sight.
	BeaconTime verdict.Time `json:"beaconTime,omitempty"`

	Budget report.Bytes `json:"budget"`
	Depth  report.Depth `json:"depth"`
	Policy int          `json:"policy"` // of the verdict
}

// Party is one of those who take part.
type Party struct {
	Name string `json:"name"`
	Key  string `json:"key"` // public key, PEM
}

// Commit fixes the files of a party and says nothing about them.
type Commit struct {
	Commitment string `json:"commitment"` // of Opening, in hexadecimal
	Seen       string `json:"seen"`       // "" where the party states that it never had the other's file; else since when and how
}

// Exchange opens a commitment.
type Exchange struct {
	Salt     string            `json:"salt"`     // in hexadecimal
	Manifest *intoto.Statement `json:"manifest"` // the files by digest (OpenSSF Model Signing)
}

// Run is the comparison.
type Run struct {
	Beacon   string      `json:"beacon"` // its value
	Nonce    string      `json:"nonce"`  // of both commitments and this value
	Command  string      `json:"command"`
	Tool     report.Tool `json:"tool"`
	Report   Exhibit     `json:"report"`
	Relation string      `json:"relation"`
}

// Close ends the record.
type Close struct {
	Withheld []Author `json:"withheld"` // who committed or was to commit, and did not open
	Labels   Labels   `json:"labels"`
}

func (Init) kind() string     { return "init" }
func (Commit) kind() string   { return "commit" }
func (Exchange) kind() string { return "exchange" }
func (Run) kind() string      { return "run" }
func (Close) kind() string    { return "close" }

// read reads the body of an entry, which stands in the one form that it is written in.
func read[T body](e Entry) (x T, err error) {
	if err := strictjson.Known(e.Body, &x); err != nil {
		return x, err
	}
	again, err := json.Marshal(x)
	if err == nil && !bytes.Equal(again, e.Body) {
		err = fmt.Errorf("%w: not in the form in which it was written", ErrTranscript)
	}
	return x, err
}
