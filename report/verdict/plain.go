package verdict

import (
	"strings"
)

// plain says what each relation means, to readers who have seen none before.
var plain = map[Relation]string{
	Identical:    "A and B hold the same values.",
	Reencoded:    "A and B hold the same values, stored in different ways.",
	Related:      "A and B have a common trained origin: one was made from the other, or both from a third. Who took from whom, weights do not tell.",
	SharedInit:   "A and B grew from the same random initialisation. Nothing that training learned was found in common.",
	NoEvidence:   "No common origin was found, where an undisguised relative, and one in the disguises named below, would have shown.",
	Inconclusive: "What was read does not decide whether A and B have a common origin.",
}

// Plain is the relation in plain words.
func (v *Verdict) Plain() string {
	if v.MoreIsOpen() {
		return "A and B share a random initialisation at the least. Whether training's results are common too was not settled."
	}
	return plain[v.Relation]
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
