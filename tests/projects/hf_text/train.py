"""Which part of Python's manual is a sentence from? A small BERT, trained by the Trainer.

python train.py --learning-rate 3e-4
"""

import argparse
import re
from pydoc_data.topics import topics

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from torch.utils.data import Dataset
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DataCollatorWithPadding,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
)

CLASSES = ("expressions", "statements", "data-model", "execution")
KEYS = {
    "expressions": ("atom-identifiers", "calls", "comparisons", "lambda", "slicings", "yieldexpr"),
    "statements": ("assert", "class", "for", "import", "raise", "try", "while", "with", "return"),
    "data-model": ("customization", "callable-types", "numeric-types", "sequence-types", "types"),
    "execution": ("naming", "exceptions", "dynamic-features", "context-managers", "debugger"),
}


def sentences():
    """Return sentences of the manual, each with the number of its part."""
    found = []
    for label, name in enumerate(CLASSES):
        for key in KEYS[name]:
            text = re.sub(r"\s+", " ", topics.get(key, ""))
            found += [(s, label) for s in re.split(r"(?<=[.:]) ", text) if 20 < len(s) < 300]
    return found


def build_tokenizer(texts, size=1000):
    """Make a tokenizer of the texts' most frequent words."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordLevelTrainer(
        vocab_size=size, special_tokens=special, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


class Sentences(Dataset):
    """Tokenized sentences; the collator pads them."""

    def __init__(self, rows, tokenizer, max_length=48):
        texts, self.labels = zip(*rows, strict=True)
        self.encodings = tokenizer(list(texts), truncation=True, max_length=max_length)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        item = {key: values[index] for key, values in self.encodings.items()}
        return {**item, "labels": self.labels[index]}


def build_trainer(output_dir="out", learning_rate=5e-5, batch_size=16):
    """Build model, data and Trainer; everything is made from scratch."""
    rows = sentences()
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0)).tolist()
    rows = [rows[i] for i in order]
    tokenizer = build_tokenizer([text for text, _ in rows])
    held_out = len(rows) // 5
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=128,
        max_position_embeddings=64,
        num_labels=len(CLASSES),
    )
    args = TrainingArguments(
        output_dir=output_dir,
        per_device_train_batch_size=batch_size,
        gradient_accumulation_steps=2,
        learning_rate=learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=20,
        weight_decay=0.1,
        label_smoothing_factor=0.05,
        max_grad_norm=1.0,
        num_train_epochs=3,
        logging_steps=10,
        save_strategy="no",
        report_to="none",
        use_cpu=not torch.cuda.is_available(),
    )
    return Trainer(
        model=BertForSequenceClassification(config),
        args=args,
        train_dataset=Sentences(rows[held_out:], tokenizer),
        eval_dataset=Sentences(rows[:held_out], tokenizer),
        data_collator=DataCollatorWithPadding(tokenizer),
        processing_class=tokenizer,
    )


def main():
    """Train from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    trainer = build_trainer(learning_rate=parser.parse_args().learning_rate)
    trainer.train()
    print(trainer.evaluate())


if __name__ == "__main__":
    main()
