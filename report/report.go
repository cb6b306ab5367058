package report

import (
	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/report/verdict"
)

// Schema names the JSON form. Fields may be added under the same name; none
// is removed or given another meaning.
const Schema = "weightprint.report/1"

// Report is everything a comparison found.
type Report struct {
	Schema   string     `json:"schema"`
	Tool     Tool       `json:"tool"`
	Options  Options    `json:"options"`
	Subjects [2]Subject `json:"subjects"`

	Propositions verdict.Propositions `json:"propositions"`

	Verdict    verdict.Verdict `json:"verdict"`
	Power      *verdict.Power  `json:"power,omitempty"` // what the tests could have found; absent for screenings
	Carry      *verdict.Carry  `json:"carry,omitempty"` // what decides about passengers; absent for screenings
	Components []Component     `json:"components"`
	Evidence   []Evidence      `json:"evidence"`
	Layers     []Layer         `json:"layers"`
	Delta      *Delta          `json:"delta,omitempty"`
	Context    []Context       `json:"context"`
	Limits     []string        `json:"limits"`
	Warnings   []string        `json:"warnings"`

	Roles       []RoleLikeness `json:"roles"`
	LayerScores *LayerScores   `json:"layerScores,omitempty"`
	Methods     Methods        `json:"methods"`
	Policy      verdict.Rules  `json:"policy"` // by which the verdict was drawn
	Nonce       *string        `json:"nonce"`  // mixed into the seed; null where none was given
	Seed        string         `json:"seed"`   // of every random choice, in hexadecimal: the header digests of both subjects
}

// Tool says which program wrote a report.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// ThisTool is the tool that this module makes, in its version.
func ThisTool() Tool { return Tool{"weightprint", Version()} }

// Subject pins one of the two checkpoints.
type Subject struct {
	Ref        string              `json:"ref"`
	Format     string              `json:"format"`
	Layout     string              `json:"layout,omitempty"`   // how matrices are packed, such as "gptq"
	Revision   string              `json:"revision,omitempty"` // commit of the hub's repository
	Remote     bool                `json:"remote,omitempty"`   // read from a server: bytesRead is what was transferred
	Root       *fingerprint.Digest `json:"root"`               // over all values; null when not all were read
	Header     fingerprint.Digest  `json:"header"`             // over names, types and shapes
	Parameters int64               `json:"parameters"`
	BytesRead  int64               `json:"bytesRead"`
	BytesTotal int64               `json:"bytesTotal"`
	Files      []File              `json:"files"`
	Declared   []string            `json:"declaredParents,omitempty"` // what the files say of themselves
}

// Storage names the format, and the layout of packed matrices.
func (s Subject) Storage() string {
	if s.Layout == "" {
		return s.Format
	}
	return s.Format + " (" + s.Layout + ")"
}

// File is one file of a checkpoint, by its path relative to the checkpoint. Both
// digests are over the bytes of the file; the plain SHA-256, in hexadecimal, is
// what other programs and model hubs state.
type File struct {
	Path   string              `json:"path"`
	Size   int64               `json:"size"`
	Digest *fingerprint.Digest `json:"digest"`                // null when the file was not read whole
	SHA256 string              `json:"sha256,omitempty"`      // likewise
	ETag   string              `json:"etag,omitempty"`        // as the server sent it
	Named  string              `json:"namedSha256,omitempty"` // the SHA-256 that the hub or local store names the file by; not checked unless sha256 is there

	Ranges     [][2]int64          `json:"ranges"`               // first byte and the one behind the last, of what was read; close ones are joined where there are many
	RangesRead int                 `json:"rangesRead"`           // how many there are before joining
	ReadDigest *fingerprint.Digest `json:"readDigest,omitempty"` // over these ranges, each behind its position, where the file was not read whole
}

// Component is what was found for one part of the networks.
type Component struct {
	Name            string           `json:"name"`
	Relation        verdict.Relation `json:"relation"`
	Tensors         int              `json:"tensors"`
	ParametersShare verdict.Number   `json:"parametersShare"`
	Log10P          *verdict.Number  `json:"log10P"`
	Effect          verdict.Number   `json:"effect"`       // mean cosine of corresponding values, or share of corresponding units
	By              string           `json:"by,omitempty"` // what speaks for it: a test and its axis, or "equal values"

	// Detectable is the least mean cosine of undisguised units with their namesakes that
	// would have been found with probability 0.99; absent where none would.
	Detectable *verdict.Number `json:"detectable,omitempty"`
}

// Evidence is one test's result.
type Evidence struct {
	Test      string          `json:"test"`
	Axis      string          `json:"axis"`
	Component string          `json:"component"`
	Tier      string          `json:"tier"`
	Statistic verdict.Number  `json:"statistic"`
	Effect    verdict.Number  `json:"effect"`
	N         int             `json:"n"`
	Log10P    *verdict.Number `json:"log10P"`
	Null      string          `json:"null"`
	Look      int             `json:"look"`
	Skipped   string          `json:"skipped,omitempty"`
	Warnings  []string        `json:"warnings"`

	Controls *verdict.Standing `json:"controls,omitempty"` // a calibrated effect among its controls
}

// Layer is what was found for one layer of B.
type Layer struct {
	Tower  string          `json:"tower"`
	A      *int            `json:"a"` // its source in A, null if none was found
	B      int             `json:"b"`
	Log10P *verdict.Number `json:"log10P"`
	Effect verdict.Number  `json:"effect"`
}

// Delta sums up how the values of corresponding tensors differ.
type Delta struct {
	Complete  bool                 `json:"complete"` // all values were compared
	Tensors   int                  `json:"tensors"`
	Equal     int                  `json:"equal"`
	Cast      int                  `json:"cast"`
	Quantised int                  `json:"quantised"`
	Different int                  `json:"different"`
	Types     []verdict.TypeChange `json:"types"` // what became of the values, by stored type
	OnlyA     []string             `json:"onlyA"` // roles without a counterpart
	OnlyB     []string             `json:"onlyB"`
	Shapes    []string             `json:"shapes"` // roles whose shapes differ
	Maps      []UnitMap            `json:"maps"`   // what became of units where the two sides have different numbers of them
	Relative  verdict.Number       `json:"relative"`
	Cosine    verdict.Number       `json:"cosine"`
	Histogram *Histogram           `json:"histogram,omitempty"` // of the differences of a few matrices
}

// UnitMap says which units of A the units of B come from, on an axis that is
// longer on one side than on the other.
type UnitMap struct {
	Axis string `json:"axis"`
	A    []int  `json:"a"` // positions in A, pair by pair
	B    []int  `json:"b"` // positions in B
	OfA  int    `json:"ofA"`
	OfB  int    `json:"ofB"`
}

// Context is a figure shown for orientation and used for nothing.
type Context struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Note  string `json:"note"`
}
