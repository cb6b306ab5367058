package verdict

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// PolicyRecord says what one policy is: the rules, thresholds, controls and words
// by which the same facts give the same verdict. docs/POLICY.md says it at length.
type PolicyRecord struct {
	Version   int      `json:"version"`
	Changed   []string `json:"changed"`             // against the policy before
	Why       string   `json:"why"`                 // it was made
	Retracted string   `json:"retracted,omitempty"` // why its verdicts must not be relied on
	// Fixed is the digest of the thresholds once a release carries them: from then
	// on a change of any makes another policy.
	Fixed string `json:"fixed,omitempty"`
}

// policies lists them all, the first one first. To retract a policy is to set its
// reason here and to write it into docs/ERRATA.md.
var policies = []PolicyRecord{
	{
		Version: 1,
		Changed: []string{
			"one combined exact p-value below alpha made a relation, whatever it came from",
			"one-way evidence (a lattice, zeros, fewer layers) gave a direction",
			"no evidence needed the power to find a child of a stated likeness",
		},
		Why:       "the first rules: exact tests of labels, and calibrated ones beside them",
		Retracted: "labels alone made a relation: an independent network that was arranged after another came out related; a direction was read from marks that anybody can put on or take off",
	},
	{
		Version: 2,
		Changed: []string{
			"labels say how sure a relation is, content says that there is one: labels without content are inconclusive",
			"direction is undetermined unless dates say otherwise; what the marks suggest is a reading",
			"no evidence needs a disguise-proof test that had power, and units that can be told apart",
			"identity is asked of values before names; less than all of them is related, kind equal-so-far",
			"relations that a few changed values could leave behind name them (kinds scaled, modified, projected)",
		},
		Why: "whoever shows a file may have arranged it with the other one in sight, at no cost",
	},
}

// Policies lists every policy that there has been, the first one first.
func Policies() []PolicyRecord { return slices.Clone(policies) }

// PolicyOf finds a policy by its number.
func PolicyOf(version int) (PolicyRecord, bool) {
	for _, p := range policies {
		if p.Version == version {
			return p, true
		}
	}
	return PolicyRecord{}, false
}

// Digest is the SHA-256 of a policy's number and thresholds, in hexadecimal.
func (r Rules) Digest() (string, error) {
	b, err := json.Marshal(r) // keys of maps are sorted
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), err
}

// stated is a number as a report states it.
func (n Number) stated() string {
	b, err := n.MarshalJSON()
	if err != nil {
		return err.Error() // what no report can state equals only its like
	}
	return string(b)
}

// Differ names the thresholds that two policies do not share or set otherwise, in
// the order of the alphabet.
func (r Rules) Differ(other Rules) (names []string) {
	for name, x := range r.Thresholds {
		if y, ok := other.Thresholds[name]; !ok || x.stated() != y.stated() {
			names = append(names, name)
		}
	}
	for name := range other.Thresholds {
		if _, ok := r.Thresholds[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
