"""Models of torch, transformers and PEFT, where these are installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import arrays

import weightprint

torch = pytest.importorskip("torch")


def state(folder: Path, kind: Any = None) -> Any:
    return {name: torch.tensor(values.copy()).to(kind or torch.float32) for name, values in arrays(folder).items()}


def test_state_dicts(models: Path) -> None:
    r = weightprint.compare(state(models / "base"), state(models / "fine-tune", torch.bfloat16), progress=False)
    assert r.relation == "related"
    cast = weightprint.compare(state(models / "base"), state(models / "base", torch.bfloat16), progress=False)
    assert cast.relation in ("identical", "reencoded")


def test_bits(tmp_path: Path) -> None:
    from weightprint._safetensors import save

    load = pytest.importorskip("safetensors.torch").load_file
    base = torch.randn(6, 10, generator=torch.Generator().manual_seed(1))
    tensors = {str(t): base.to(t) for t in (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.int16, torch.bool)}
    tensors.update(turned=base.T, part=base[2:4, ::3], needs_grad=base.clone().requires_grad_(), scalar=torch.tensor(1.5), shared=base, none=torch.zeros(0, 3))
    save(tensors, str(tmp_path / "m.safetensors"))
    read = load(str(tmp_path / "m.safetensors"))
    assert sorted(read) == sorted(tensors)
    for name, values in read.items():
        assert values.dtype == tensors[name].dtype and torch.equal(values, tensors[name].detach()), name


def test_modules() -> None:
    def net(seed: int) -> Any:
        torch.manual_seed(seed)
        return torch.nn.Sequential(torch.nn.Linear(64, 256), torch.nn.ReLU(), torch.nn.Linear(256, 256), torch.nn.ReLU(), torch.nn.Linear(256, 8))

    same = weightprint.compare(net(1), net(1), progress=False)
    assert same.relation == "identical"
    assert same.subjects[0].ref == "Sequential"
    assert weightprint.compare(net(1), net(2), progress=False).relation not in ("identical", "reencoded", "related")


@pytest.mark.parametrize("bad", [lambda: {"a": torch.zeros(2, device="meta")}, lambda: {"a": torch.zeros(2, 2).to_sparse()}, lambda: {"a": torch.zeros(2, dtype=torch.complex64)}])
def test_what_cannot_be_saved(models: Path, bad: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="'a'"):
        weightprint.compare(bad(), models / "base")


def test_transformers_and_peft(models: Path) -> None:
    transformers = pytest.importorskip("transformers")
    base = transformers.AutoModelForCausalLM.from_pretrained(str(models / "base"))
    r = weightprint.compare(base, models / "fine-tune", progress=False)
    assert r.relation == "related"
    assert r.subjects[0].ref == type(base).__name__
    peft = pytest.importorskip("peft")
    torch.manual_seed(3)
    tuned = peft.get_peft_model(base, peft.LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False))
    r = weightprint.compare(models / "base", tuned, base=models / "base", progress=False)
    assert "adapter" in " ".join([*r.kinds, *r.warnings, r.subjects[1].format])
