package measured

import (
	"strings"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity/align"
)

// lone lists what one side alone has, by the names in the files, and again by roles, where
// what has no known one goes by its name too: numbers that we gave mean nothing to anybody.
func lone(p *align.Pair, m *align.Matching) (names []string, byRole [2][]string) {
	for i, only := range [][]string{m.OnlyA, m.OnlyB} {
		stored := storedNames([]*roles.Network{p.A.Net, p.B.Net}[i])
		for _, role := range only {
			name := stored[role]
			if name == "" {
				name = role
			}
			names = append(names, name)
			if strings.HasPrefix(role, "generic.") {
				role = name
			}
			byRole[i] = append(byRole[i], role)
		}
	}
	return names, byRole
}

// storedNames are the names of tensors in their files, by role.
func storedNames(n *roles.Network) map[string]string {
	out := map[string]string{}
	for _, x := range n.AllVectors() {
		out[x.Role] = x.Tensor.Name
	}
	for _, x := range n.Matrices() {
		out[x.Role] = x.Tensor.Name
	}
	return out
}
