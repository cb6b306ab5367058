package hostile

// letters reads as one letter without end.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// undefined is an address that HDF5 leaves open.
const undefined = ^uint64(0)

// hdf5 begins a file of version 0 whose root group's object header lies at 96, its tree at
// tree and its names at heap.
func hdf5(dir string, tree, heap uint64) *layer {
	l := create(dir, "model.h5").text("\x89HDF\r\n\x1a\n").bytes([]byte{0, 0, 0, 0, 0, 8, 8, 0, 4, 0, 16, 0}).u32(0)
	l.u64(0).u64(undefined).u64(1 << 20).u64(undefined)
	return l.u64(0).u64(96).u32(1).u32(0).u64(tree).u64(heap)
}

// ownBranch is a group whose tree has itself for all its branches.
func ownBranch(dir string) error {
	const tree, heap = 256, 4096
	l := hdf5(dir, tree, heap)
	l.bytes([]byte{1, 0, 1, 0}).u32(1).u32(24).u32(0).bytes([]byte{0x11, 0, 16, 0, 0, 0, 0, 0}).u64(tree).u64(heap)
	l.flush()
	l.hole(tree - l.at)
	l.text("TREE").bytes([]byte{0, 1, 32, 0}).u64(undefined).u64(undefined)
	for range 32 {
		l.u64(0).u64(tree)
	}
	l.u64(0)
	l.flush()
	l.hole(heap - l.at).text("HEAP").u32(0).u64(64).u64(undefined).u64(heap + 32)
	l.flush()
	return l.hole(1<<20 - l.at).close()
}

// continued is a group whose header goes on in a block that goes on in itself.
func continued(dir string) error {
	l := hdf5(dir, 512, 1024)
	l.bytes([]byte{1, 0, 0xff, 0xff}).u32(1).u32(24).u32(0).bytes([]byte{0x10, 0, 16, 0, 0, 0, 0, 0}).u64(256).u64(24)
	l.flush()
	l.hole(256 - l.at).bytes([]byte{0x10, 0, 16, 0, 0, 0, 0, 0}).u64(256).u64(24)
	l.flush()
	return l.hole(1<<20 - l.at).close()
}
