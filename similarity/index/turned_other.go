//go:build !amd64 || purego

package index

const vectors = false

// compare holds the keys of a block against what is asked.
func (b *block) compare(a *asked, s *sought, out *apart) { b.comparePlain(a, s, out) }
