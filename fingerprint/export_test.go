package fingerprint

// Seal appends the digest that ends a file.
func Seal(b []byte) []byte {
	h := newHash(purposeFile)
	h.Write(b)
	d := sum(h)
	return append(b, d[:]...)
}
