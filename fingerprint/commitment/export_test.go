package commitment

// Sealed frames any body as a file of a kind, with a digest that agrees, so
// that fuzzing gets behind it.
func Sealed(kind string, body []byte) []byte {
	s := map[string]seal{"commitment": sealCommitment, "opening": sealOpening, "challenge": sealChallenge, "response": sealResponse}[kind]
	return s.encode(func(e *encoder) { e.raw(body) })
}
