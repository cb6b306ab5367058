package torch

import (
	"bytes"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
)

// HeadBytes is how much of a file's beginning Recognises and Read look at.
const HeadBytes = 512

// resave is the advice for checkpoints of old layouts.
const resave = "torch.save(torch.load(FILE), NEW) of a current torch writes one that is read"

const barePickle = "a bare pickle, no archive"

// pickleAdvice are words at the beginning of a bare pickle that tell whose objects it holds, and
// what is to be done. The last row fits all.
var pickleAdvice = []struct{ word, advice string }{
	{"sklearn.", " (a model of scikit-learn); skl2onnx writes an ONNX file of it"},
	{"xgboost.", " (trees of XGBoost, which are no neural network)"}, {"lightgbm.", " (trees of LightGBM, which are no neural network)"},
	{"numpy", " (of NumPy's arrays); numpy.savez(NEW, **pickle.load(open(FILE, 'rb'))) writes a file that is read, and loading it runs what it names"},
	{"", "; " + resave},
}

// adviceOn says what a bare pickle holds.
func adviceOn(head []byte) string {
	i := slices.IndexFunc(pickleAdvice, func(p struct{ word, advice string }) bool { return bytes.Contains(head, []byte(p.word)) })
	return pickleAdvice[i].advice
}

const unpack = "; unpack it, and name the file of weights that it holds"

// foreigners are beginnings of files that go under the names of checkpoints.
var foreigners = []struct {
	at    int
	magic string
	class error
	what  string
}{
	{0, "\x80\x02", tensor.ErrUnsupported, barePickle},
	{0, "\x80\x03", tensor.ErrUnsupported, barePickle},
	{0, "\x80\x04", tensor.ErrUnsupported, barePickle},
	{0, "\x80\x05", tensor.ErrUnsupported, barePickle},
	{0, "7z\xbc\xaf\x27\x1c", tensor.ErrUnsupported, "a 7z archive" + unpack},
	{0, "Rar!\x1a\x07", tensor.ErrUnsupported, "a RAR archive" + unpack},
	{0, "\x1f\x8b", tensor.ErrUnsupported, "a gzip file" + unpack},
	{0, "\x28\xb5\x2f\xfd", tensor.ErrUnsupported, "a zstd file" + unpack},
	{0, "\x04\x22\x4d\x18", tensor.ErrUnsupported, "an lz4 file" + unpack},
	{0, "PK\x05\x06", tensor.ErrNotModel, "an empty zip archive"},
	{0, "PK\x07\x08", tensor.ErrUnsupported, "a zip archive in several parts"},
}

// isHeader tells a safetensors file, whatever its length looks like.
func isHeader(head []byte) bool { return len(head) > 8 && head[8] == '{' }

// isTar tells a tar archive.
func isTar(head []byte) bool {
	return len(head) >= 263 && string(head[257:262]) == "ustar" && !isHeader(head)
}

// isZip tells a zip archive from a safetensors file whose length begins alike:
// behind such a length comes an opening brace.
func isZip(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) && len(head) > 8 && head[8] != '{'
}

// Recognises tells from a file's first bytes, HeadBytes of them or the whole
// file, whether it is for this package to read or to refuse: a zip archive, or
// something else that goes under the names of torch checkpoints and is no
// safetensors file.
func Recognises(head []byte) bool {
	_, ok := foreign(head)
	return ok || contained(head)
}

// Refuses tells from a file's first bytes what Recognises claims only so that
// Read says what it is.
func Refuses(head []byte) bool {
	_, ok := foreign(head)
	return ok && !contained(head)
}

// contained tells what Read reads.
func contained(head []byte) bool {
	for _, c := range containers() {
		if c.recognise(head) {
			return true
		}
	}
	return false
}

// foreign returns what a file is if it is no archive that Read reads.
func foreign(head []byte) (int, bool) {
	if isHeader(head) {
		return 0, false
	}
	for i, f := range foreigners {
		if len(head) >= f.at && bytes.HasPrefix(head[f.at:], []byte(f.magic)) {
			return i, true
		}
	}
	return 0, false
}

// refusal is the error for a file that is no zip archive.
func refusal(file string, head []byte) error {
	if i, ok := foreign(head); ok {
		what := foreigners[i].what
		if what == barePickle {
			what += adviceOn(head)
		}
		return tensor.Errorf(foreigners[i].class, file, int64(foreigners[i].at), "magic", "this is %s", what)
	}
	return tensor.Errorf(tensor.ErrNotModel, file, 0, "magic", "no archive and no chain of pickles, as torch.save writes them; the .bin files of ncnn, TensorFlow.js and others hold numbers without names, and are not read")
}
