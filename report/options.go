package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity"
)

// Bytes is a number of bytes to read of each subject. Zero means the default.
type Bytes int64

// Full reads everything.
const Full Bytes = -1

// DefaultBudget is what is read of each subject unless told otherwise.
const DefaultBudget Bytes = 64 << 20

var byteUnits = []struct {
	suffix string
	bytes  int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1}}

// ParseBytes reads "full", or a number with a unit such as "64MiB" or "2GB".
func ParseBytes(s string) (Bytes, error) {
	if s == "full" {
		return Full, nil
	}
	for _, u := range byteUnits {
		digits, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		if err != nil || n <= 0 || n*float64(u.bytes) > 1<<62 {
			break
		}
		return Bytes(n * float64(u.bytes)), nil
	}
	return 0, fmt.Errorf("%q is no number of bytes such as 64MiB, nor \"full\"", s)
}

// String writes the number with the largest binary unit that divides it.
func (b Bytes) String() string {
	if b == Full {
		return "full"
	}
	for _, u := range []int{3, 2, 1, 0} {
		if n := int64(b); n > 0 && n%byteUnits[u].bytes == 0 {
			return strconv.FormatInt(n/byteUnits[u].bytes, 10) + byteUnits[u].suffix
		}
	}
	return strconv.FormatInt(int64(b), 10) + "B"
}

// MarshalJSON writes what String gives.
func (b Bytes) MarshalJSON() ([]byte, error) { return json.Marshal(b.String()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (b *Bytes) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	v, err := ParseBytes(s)
	*b = v
	return err
}

// Depth says how far a comparison goes when it is not settled at once.
type Depth string

// The depths.
const (
	Quick  Depth = "quick"  // the first look at the exact tests only
	Normal Depth = "normal" // further looks and the calibrated tests while the verdict is open
	Deep   Depth = "full"   // all tests, on all layers, whatever the first looks say
)

// Options changes what a comparison reads and how it decides; nil and zero
// fields are the defaults. Everything that can change a result is part of the
// report.
type Options struct {
	Budget Bytes          `json:"budget"`
	Depth  Depth          `json:"depth"`
	Policy verdict.Policy `json:"policy"`

	// Nonce is mixed into the seed of every sampled position. Positions that follow
	// from names and shapes alone can be foreseen by whoever arranges a file.
	Nonce string `json:"nonce,omitempty"`

	// Dates are time stamps that were verified; NoAccess and Disclosed are what is
	// assumed beside them, and shown by nothing.
	Dates     []Date       `json:"dates,omitempty"`
	NoAccess  bool         `json:"assumeNoAccess,omitempty"` // whoever made the subject dated earlier had no access to the other before
	Disclosed verdict.Time `json:"disclosed,omitempty"`      // neither subject was available to the other side before

	Pin       bool         `json:"pin,omitempty"`       // digests of all files, also where only a part is compared
	Lenient   bool         `json:"lenient,omitempty"`   // open files that break a rule harmlessly
	Component string       `json:"component,omitempty"` // the part of a pipeline that is compared
	Private   bool         `json:"-"`                   // let remote references lead to private addresses
	Offline   bool         `json:"-"`                   // open only what lies on this machine
	Log       *slog.Logger `json:"-"`
	Base      *Input       `json:"-"` // what adapters among the subjects are applied to
	Parents   []string     `json:"-"` // folders in which Audit looks for declared parents

	// Progress is called at the start of every stage and about ten times a second
	// within, from one goroutine at a time and never after the comparison returns.
	// It changes no result.
	Progress func(Progress) `json:"-"`

	// Tests are further tests to run at the end, on the pair as the suite left
	// it. Their evidence is shown and their names are listed among the
	// methods; the verdict does not use them.
	Tests []*similarity.Test `json:"-"`
}

// ErrOptions is returned for options that no comparison can have.
var ErrOptions = errors.New("no comparison can have these options")

// Check holds options against what they can be: a level is a probability, a
// likeness a cosine, both strictly between 0 and 1 where they are set.
func (o *Options) Check() error {
	f := o.WithDefaults()
	for _, x := range []struct {
		name  string
		value float64
	}{{"policy.alpha", f.Policy.Alpha}, {"policy.cosine", f.Policy.Cosine}} {
		if !(x.value > 0 && x.value < 1) {
			return fmt.Errorf("%w: options.%s is %g, and lies between 0 and 1", ErrOptions, x.name, x.value)
		}
	}
	switch {
	case f.Budget < Full:
		return fmt.Errorf("%w: options.budget is %d bytes", ErrOptions, int64(f.Budget))
	case f.Depth != Quick && f.Depth != Normal && f.Depth != Deep:
		return fmt.Errorf("%w: options.depth is %.40q", ErrOptions, f.Depth)
	}
	return nil
}

// Opening is how checkpoints are opened.
func (o *Options) Opening() *formats.Options {
	if o == nil {
		return nil
	}
	return &formats.Options{Lenient: o.Lenient, Component: o.Component, AllowPrivate: o.Private, Offline: o.Offline, Log: o.Log}
}

// base is the base of adapters, nil for none.
func (o *Options) base() *Input {
	if o == nil {
		return nil
	}
	return o.Base
}

// WithDefaults returns the options with defaults in place of zero fields.
func (o *Options) WithDefaults() Options {
	var f Options
	if o != nil {
		f = *o
	}
	if f.Budget == 0 {
		f.Budget = DefaultBudget
	}
	if f.Depth == "" {
		f.Depth = Normal
	}
	f.Policy = f.Policy.WithDefaults()
	if f.Log == nil {
		f.Log = slog.New(slog.DiscardHandler)
	}
	return f
}
