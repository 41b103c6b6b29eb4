"""What a training step costs under lrfind, under a hand-written loop and under other LR finders."""
