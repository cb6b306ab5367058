package verdict

import (
	"slices"
	"strings"
)

// plain says what each relation means, to readers who have seen none before.
var plain = map[Relation]string{
	Identical:    "A and B hold the same values.",
	Reencoded:    "A and B hold the same values, stored in different ways.",
	Related:      "What was found supports a common trained origin of A and B: one was made from the other, or both from a third. Who took from whom, weights do not tell.",
	SharedInit:   "What was found supports that A and B began at the same random numbers and were trained apart. What training learned was found no more alike than that beginning leaves it.",
	NoEvidence:   "No common origin was found. A relative as alike as stated below would have shown, undisguised or in the disguises that are named there.",
	Inconclusive: "What was read does not decide whether A and B have a common origin.",
}

// Plain is the relation in plain words.
func (v *Verdict) Plain() string {
	byTable := v.Relation == SharedInit && slices.Contains(v.Alternatives, byTable)
	switch {
	case byTable && v.MoreIsOpen():
		return "A and B began at the same values at the least: at random numbers of one seed, or at a table that strangers may take too. Whether training's results are common as well was not settled."
	case byTable:
		return "What was found supports that A and B began at the same values and were trained apart: at random numbers of one seed, or at a table that strangers may take too. What training learned was found no more alike than that beginning leaves it."
	case v.MoreIsOpen():
		return "A and B share a random initialisation at the least. Whether training's results are common too was not settled."
	}
	switch has := func(k Kind) bool { return slices.Contains(v.Kinds, k) }; {
	case v.Relation == Reencoded && (has(QuantisedKind) || has(CastKind)):
		return "A and B hold the same values up to storage: where they differ, those of one are what rounding or quantising those of the other gives."
	case v.Relation == Related && has(Partial):
		return "What was found supports a common trained origin of parts of A and B, not of the whole" + v.parts() + ". Who took from whom, weights do not tell."
	case v.Relation == Related && strings.HasSuffix(v.Statement, initialisationOpen):
		return "What was found supports a common origin of A and B: one was made from the other, or both from a third, or both only began at the same random numbers. Which of these it was is open; who took from whom, weights do not tell."
	}
	return plain[v.Relation]
}

// parts says which parts a partial relation is of, as its reasons do.
func (v *Verdict) parts() string {
	for _, because := range v.Because {
		if words, ok := strings.CutPrefix(because, string(Partial)+": "); ok {
			return ": " + words
		}
	}
	return ""
}

// Means is a relation in plain words, where no more than its name is known.
func (r Relation) Means() string { return plain[r] }

// ShortH0 is H0 in one sentence, for places without room for all of it.
const ShortH0 = "both were initialised at random and trained apart, neither to imitate the other, and neither file was arranged after the other"

// Short cuts an explanation before what it goes on to say about itself.
func Short(words string) string {
	for _, end := range []string{": ", " (", ", with the same script"} {
		words, _, _ = strings.Cut(words, end)
	}
	return words
}
