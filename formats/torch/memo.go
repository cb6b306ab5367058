package torch

import "github.com/weightprint/weightprint/formats/tensor"

func (m *machine) put(n int) error {
	i, err := m.number(n)
	if err != nil {
		return err
	}
	return m.remember(i)
}

// remember keeps the top of the stack under a number.
func (m *machine) remember(i uint64) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	if i >= maxMemo {
		return m.fail(tensor.ErrLimit, "a value kept under the number %d, at most %d", i, maxMemo-1)
	}
	if n := int(i) + 1 - len(m.memo); n > 0 {
		if m.memo, err = grown(m, m.memo, n, slotBytes); err != nil {
			return err
		}
		for range n {
			m.memo = append(m.memo, unset{})
		}
	}
	if m.memo[i] == (unset{}) {
		m.kepts++
	}
	m.memo[i] = v
	return nil
}

func (m *machine) get(n int) error {
	i, err := m.number(n)
	if err != nil {
		return err
	}
	if i >= uint64(len(m.memo)) || m.memo[i] == (unset{}) {
		return m.broken("nothing was kept under the number %d", i)
	}
	return m.push(m.memo[i])
}
